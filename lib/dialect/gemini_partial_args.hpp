#pragma once
/// The arguments of a call that come as single values, each with its path (`$.items[0].name`), told on as a JSON text that
/// grows. Private to the room. Knows paths and JSON; must not know calls or events.
/// Source: Vertex AI's streamFunctionCallArguments, whose values come in the order of the text.

#include <string>
#include <string_view>
#include <vector>

#include "json/document.hpp"

namespace sluice::dialect::gemini_parts {

class PartialArguments {
 public:
  /// Appends what one element of `partialArgs` adds to the text.
  void add(const json::Value& piece, std::string& out);
  /// Appends what closes the text. Nothing was added: `{}`.
  void close(std::string& out);

 private:
  /// A step into a container: a member by name, an element by number.
  struct Step {
    bool element = false;
    std::string name = {};
    friend bool operator==(const Step&, const Step&) = default;
  };
  static std::vector<Step> steps_of(std::string_view path);
  void open(const std::vector<Step>& path, std::string& out);
  void end_string(std::string& out);

  std::vector<Step> at_;      // where the last value stands
  bool begun_ = false;
  bool in_string_ = false;    // the last value is a string that goes on
};

}  // namespace sluice::dialect::gemini_parts
