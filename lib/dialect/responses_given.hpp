#pragma once
/// What the caller of a streamed response has been given of it, kept for an end its server did not write: such an end says
/// everything again. Knows items, parts and texts as they went out; must not know what else was read. Private to the room.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/answer_editor.hpp"
#include "dialect/responses_events.hpp"
#include "dialect/responses_texts.hpp"
#include "json/document.hpp"

namespace sluice::dialect::responses_parts {

class GivenResponse {
 public:
  /// Of an event that went out; below 0 where it has none.
  void number(std::int64_t sequence_number) noexcept { last_number_ = std::max(last_number_, sequence_number); }
  /// An event that begins something, or an annotation: as it went out.
  void take(Event event, const json::Value& root);
  void say(const TextKey& key, std::string_view text);
  /// Of all that is kept.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Appends the end. Of a filter: what is open is done, then `response.incomplete`; of a failure: `error`, then
  /// `response.failed`. `whole` tells of an output_index whether all of the item went out; every other item is incomplete, and
  /// nothing says that its arguments are done. False: not even the response's beginning was given.
  [[nodiscard]] bool write_end(const EarlyEnd& end, const std::function<bool(std::int64_t)>& whole, std::string& out);

 private:
  struct Part {
    bool refusal = false;
    std::string json = {};                      // as it was added; empty: it was not
    std::string text = {};
    std::vector<std::string> annotations = {};  // JSON
  };
  struct Item {
    std::string json = {}, id = {}, type = {};  // as it was added
    std::map<std::int64_t, Part> content = {}, summary = {};
    std::string arguments = {};
  };
  [[nodiscard]] Part& part_of(std::int64_t output, bool summary, std::int64_t index);
  [[nodiscard]] static std::string written(const Part& part, bool summary, bool reasoning);
  [[nodiscard]] static std::string written(const Item& item, bool whole);
  void close(std::int64_t output, const Item& item, bool whole, http::Framing framing, std::string& out);
  void close_parts(std::int64_t output, const Item& item, bool summary, http::Framing framing, std::string& out);
  template <typename F>
  void event(std::string_view type, http::Framing framing, std::string& out, F&& write);

  std::string response_;                // the object, as the last event about it alone has it
  std::map<std::int64_t, Item> items_;  // by output_index
  std::int64_t last_number_ = -1;
  std::size_t bytes_ = 0;
};

}  // namespace sluice::dialect::responses_parts
