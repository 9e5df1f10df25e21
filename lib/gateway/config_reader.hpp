#pragma once
/// Walks a configuration document and gathers what is wrong with it: every mistake, each with its JSON Pointer.
/// Knows JSON and how a mistake is told; must not know what any key means.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config_shape.hpp"
#include "json/document.hpp"
#include "sluice/config.hpp"

namespace sluice::gateway::config {

/// Where the document came from decides one thing: whether a masked literal secret is a mistake.
enum class Source : std::uint8_t { kFile, kProgram };

class Reader {
 public:
  Reader(std::vector<Problem>& problems, Source source) : problems_(problems), source_(source) {}

  /// Goes one step down for as long as it lives.
  class Step {
   public:
    Step(Reader& reader, std::string_view key);
    Step(Reader& reader, std::size_t index);
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { reader_.pointer_.resize(size_); }

   private:
    Reader& reader_;
    std::size_t size_;
  };

  [[nodiscard]] Source source() const noexcept { return source_; }

  /// True where `value` has the type; otherwise it is reported as not being what `shape` says.
  bool expect(json::Value value, json::Type type, const Shape& shape);
  /// Reports `value` as not being what `shape` says; names come with the nearest valid one.
  void refuse(json::Value value, const Shape& shape);
  /// Reports at the present place.
  void report(std::string message);
  void unknown_key(std::string_view key, const Shape& object);

 private:
  std::string pointer_;
  std::vector<Problem>& problems_;
  Source source_;
};

/// Appends `key` to a JSON Pointer, escaped (RFC 6901).
void append_step(std::string& pointer, std::string_view key);

/// `value` as a message shows it: its own text, cut at 60 bytes.
[[nodiscard]] std::string shown(json::Value value);
[[nodiscard]] std::string shown(std::string_view text);

/// `, did you mean "x"?`, or nothing where no name is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> names);

/// Every object of the document in which a key stands twice.
void find_duplicate_keys(json::Value root, std::vector<Problem>& problems);

}  // namespace sluice::gateway::config
