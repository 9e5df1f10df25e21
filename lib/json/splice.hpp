#pragma once
/// Changes single values of a JSON body and keeps every other byte. Knows values, members and where their commas stand;
/// must not know what a key means.
///
/// One change: the free functions. Several changes that meet in one object (two insertions, an insertion and a removal,
/// two removals) share commas and go through one Editor. Every text given must be valid JSON: it is written as it is.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/edit_list.hpp"
#include "json/document.hpp"

namespace sluice::json {

/// Replaces `value` by the JSON text `replacement`.
void replace(base::EditedBody& body, const Value& value, std::string replacement);
/// Sets `key` (decoded) of the object to the JSON text: replaces the value, or inserts the member first.
/// Errors: kInvalidRequest where `object` is none, kDuplicateKey.
[[nodiscard]] Status set(base::EditedBody& body, const Value& object, std::string_view key, std::string json_text);
/// Removes a member of an object, or an element of an array, together with its comma.
void remove(base::EditedBody& body, const Value& parent, const Value& child);
/// Sets or removes by JSON Pointer below `root`; parents that are missing are made (objects only), and to remove what
/// is not there changes nothing.
/// Errors: kInvalidRequest where the pointer leads through a scalar or, setting, behind the end of an array; where it
/// removes the root; kDuplicateKey.
[[nodiscard]] Status set_at(base::EditedBody& body, const Value& root, std::string_view pointer,
                            std::string json_text);
[[nodiscard]] Status remove_at(base::EditedBody& body, const Value& root, std::string_view pointer);

/// Gathers changes to one document and makes them together, so that commas come out right whatever is combined. The
/// changes count in the order they were asked for: what is set after it was removed stands in its old place again, and
/// set_at and remove_at reach into texts that earlier calls set. A change made by handle (replace, set, remove) below a
/// value that is itself replaced or removed goes with it; array indexes count the elements of the document.
/// Lifetime: the Document of the values.
/// Cost: logarithmic in the changes, plus one walk over the members of each object that gains or loses some.
/// Example: Editor e; e.replace(model, "\"gpt-4o\""); e.set_at(root, "/user", "null"); e.apply(body);
class Editor {
 public:
  void replace(const Value& value, std::string json_text);
  /// Errors: as the free functions of the same name; kInvalidJson where a text set earlier is reached into and is none.
  [[nodiscard]] Status set(const Value& object, std::string_view key, std::string json_text);
  void remove(const Value& parent, const Value& child);
  [[nodiscard]] Status set_at(const Value& root, std::string_view pointer, std::string json_text);
  [[nodiscard]] Status remove_at(const Value& root, std::string_view pointer);

  [[nodiscard]] bool empty() const noexcept { return changes_.empty() && containers_.empty(); }
  /// Writes the changes into `body`, which holds the document's text and no change to these places yet.
  void apply(base::EditedBody& body) const;

 private:
  struct Change {
    std::size_t length;               // of the value it is about
    std::optional<std::string> text;  // none: the value is removed
  };
  struct Insertion {
    std::string key, text;
  };
  struct Container {  // an array or object that gains or loses children
    Value value;
    std::vector<Insertion> insertions;
  };

  Status edit_at(Value value, std::string_view pointer, std::optional<std::string> text);
  Status edit_missing(const Value& object, std::string_view key, std::string_view pointer,
                      std::optional<std::string> text);
  void apply(base::EditedBody& body, const Container& container) const;

  // Both by the offset of the value, which is the order of the text.
  std::map<std::size_t, Change> changes_;
  std::map<std::size_t, Container> containers_;
};

}  // namespace sluice::json
