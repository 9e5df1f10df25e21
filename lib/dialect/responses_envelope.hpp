#pragma once
/// The response object around the items: it says again what the request asked for, whole, in every answer and thrice in
/// every stream. Knows the echo and its defaults; must not know items. Private to the room.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/content.hpp"
#include "dialect/dialect.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {

class Envelope {
 public:
  /// Takes from form.request what is echoed; the rest is as the Open Responses document has it by default. `store` is false
  /// where the request does not say it: nobody here keeps the answer.
  explicit Envelope(const AnswerForm& form);

  /// The first of each to be known stays.
  void begin(std::string_view id, std::string_view model, std::optional<std::int64_t> created);
  /// A root member of this dialect's own, in place of what is echoed; others' are passed over.
  void set(const chat::Extra& extra);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  /// What changes while a response goes on. JSON texts; empty: null.
  struct State {
    std::string_view status, incomplete_reason;
    std::string_view output = "[]", usage = {}, error = {};
  };
  /// The object. The members of set() count more than those of `state`, but for its output.
  void write(json::Writer& writer, const State& state) const;

 private:
  std::string id_, model_;
  std::optional<std::int64_t> created_;
  std::vector<std::pair<std::string, std::string>> members_;  // in the order they are written
  std::vector<std::pair<std::string, std::string>> own_;      // of set()
};

}  // namespace sluice::dialect::responses_parts
