#pragma once
/// What tests of the Responses dialect share: deltas of events, events of deltas, JSON looked into.

#include "http/sse.hpp"
#include "unit/dialect/wire.hpp"

namespace sluice::test {

struct WireEvent {
  std::string name, data;
};

/// The events of a stream's bytes, fed in pieces of `size`.
inline std::vector<WireEvent> events_of(std::string_view bytes, std::size_t size = 1 << 20) {
  http::SseReader reader;
  http::SseEvent event;
  std::vector<WireEvent> out;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    reader.feed(bytes.substr(at, size));
    while (*reader.next(event)) {
      if (event.has_data) out.push_back({std::string(event.name), std::string(event.data)});
    }
  }
  if (reader.finish(event) && event.has_data) out.push_back({std::string(event.name), std::string(event.data)});
  return out;
}

inline std::vector<chat::Delta> deltas_of(const std::vector<WireEvent>& events, const dialect::Dialect& from) {
  const auto decoder = from.delta_decoder({});
  std::vector<chat::Delta> out;
  for (const WireEvent& event : events) {
    INFO(event.data);
    const Status status = decoder->on_event(event.name, event.data, out);
    if (!status) FAIL(status.error().message);
  }
  return out;
}

inline chat::Message gathered(const std::vector<chat::Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const chat::Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

inline std::string json_at(std::string_view json, std::string_view pointer) {
  const json::Document document = parsed(json);
  const auto value = document.root().at(pointer);
  return value && *value ? std::string(value->raw()) : std::string();
}

}  // namespace sluice::test
