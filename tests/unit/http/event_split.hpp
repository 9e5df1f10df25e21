#pragma once
/// Streams cut into pieces, and what a reader tells of them.

#include <catch2/catch.hpp>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "http/event_reader.hpp"

namespace sluice::test {

/// One event, or the error that ended the stream.
struct Told {
  std::string data = {}, name = {};
  bool has_data = false;
  std::optional<Code> error = {};
  friend bool operator==(const Told&, const Told&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Told& told) {
    if (told.error) return out << "error " << to_string(*told.error);
    return out << '[' << told.name << (told.has_data ? "] " : "] no data ") << told.data;
  }
};

/// What the reader tells of a stream that comes in these pieces, each of which is gone when the next one comes. The raw
/// bytes of all events, and what is held, must be the stream.
inline std::vector<Told> told_of(http::EventReader& reader, const std::vector<std::string_view>& pieces, bool finish = false) {
  std::vector<Told> out;
  std::string all, raw;
  http::StreamEvent event;
  const auto take = [&] {
    raw += event.raw;
    out.push_back({std::string(event.data), std::string(event.name), event.has_data});
  };
  for (const std::string_view given : pieces) {
    all += given;
    const std::string piece(given);
    reader.feed(piece);
    while (true) {
      const auto more = reader.next(event);
      if (!more) {
        out.push_back({.error = more.error().code});
        return out;
      }
      if (!*more) break;
      take();
    }
  }
  CHECK(raw.size() + reader.held() == all.size());
  if (finish && reader.finish(event)) take();
  CHECK(all.starts_with(raw));
  return out;
}

/// The stream whole, cut at every byte, cut at every two bytes that are near each other, and byte by byte.
inline void each_split(std::string_view stream, const std::function<void(const std::vector<std::string_view>&)>& visit) {
  visit({stream});
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    visit({stream.substr(0, at), stream.substr(at)});
    for (std::size_t more = 1; more <= 3 && at + more <= stream.size(); ++more) {
      visit({stream.substr(0, at), stream.substr(at, more), stream.substr(at + more)});
    }
  }
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < stream.size(); ++at) bytes.push_back(stream.substr(at, 1));
  visit(bytes);
}

}  // namespace sluice::test
