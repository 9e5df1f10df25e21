// Plans changes to members and elements so that every comma is right, and hands them on as byte ranges.

#include "json/splice.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "json/writer.hpp"

namespace sluice::json {
namespace {

// Where a child's text begins: at its key, if it has one.
std::size_t child_begin(const Value& child) noexcept {
  return child.key_offset() != 0 ? child.key_offset() : child.offset();
}
std::size_t child_end(const Value& child) noexcept { return child.offset() + child.length(); }

tl::unexpected<Error> leads_nowhere(std::string_view rest) {
  return fail(Code::kInvalidRequest,
              fmt::format("the JSON Pointer leads through a value that has no such place: `{}` is left over", rest));
}

// `text` inside the objects that the rest of a pointer names: {"a":{"b":text}}.
Result<std::string> wrapped(std::string_view pointer, std::string_view text) {
  std::string out, scratch;
  std::size_t levels = 0;
  for (; !pointer.empty(); ++levels) {
    const auto token = next_pointer_token(pointer, scratch);
    if (!token) return tl::unexpected<Error>(token.error());
    out.push_back('{');
    append_string(out, *token);
    out.push_back(':');
  }
  out.append(text).append(levels, '}');
  return out;
}

// The same change within a text that an earlier change set.
Status rewrite(std::string& json, std::string_view pointer, std::optional<std::string> text) {
  const auto document = Document::parse(Body::copy(json));
  if (!document) return tl::unexpected<Error>(document.error());
  Editor editor;
  const Status done = text ? editor.set_at(document->root(), pointer, *std::move(text))
                           : editor.remove_at(document->root(), pointer);
  if (!done) return done;
  base::EditedBody body(document->body());
  editor.apply(body);
  json = body.to_string();
  return {};
}

}  // namespace

void Editor::replace(const Value& value, std::string json_text) {
  if (value) changes_.insert_or_assign(value.offset(), Change{value.length(), std::move(json_text)});
}

Status Editor::set(const Value& object, std::string_view key, std::string json_text) {
  if (!object.is(Type::kObject)) {
    return fail(Code::kInvalidRequest, fmt::format("`{}` cannot be set in a value that is no object", key));
  }
  const auto member = object.find(key);
  if (!member) return tl::unexpected<Error>(member.error());
  if (*member) {
    replace(*member, std::move(json_text));
    return {};
  }
  Container& container = containers_.try_emplace(object.offset(), Container{object, {}}).first->second;
  const auto known = std::ranges::find(container.insertions, key, &Insertion::key);
  if (known != container.insertions.end()) {
    known->text = std::move(json_text);
  } else {
    container.insertions.push_back({std::string(key), std::move(json_text)});
  }
  return {};
}

void Editor::remove(const Value& parent, const Value& child) {
  if (!parent || !child) return;
  containers_.try_emplace(parent.offset(), Container{parent, {}});
  changes_.insert_or_assign(child.offset(), Change{child.length(), std::nullopt});
}

Status Editor::set_at(const Value& root, std::string_view pointer, std::string json_text) {
  return edit_at(root, pointer, std::move(json_text));
}

Status Editor::remove_at(const Value& root, std::string_view pointer) {
  if (pointer.empty()) return fail(Code::kInvalidRequest, "the root of a JSON text cannot be removed; name a member");
  return edit_at(root, pointer, std::nullopt);
}

Status Editor::edit_at(Value value, std::string_view pointer, std::optional<std::string> text) {
  if (!value) return leads_nowhere(pointer);
  std::string scratch;
  while (!pointer.empty()) {
    // A value that was set before is seen as its new text.
    if (const auto change = changes_.find(value.offset()); change != changes_.end() && change->second.text) {
      return rewrite(*change->second.text, pointer, std::move(text));
    }
    const Value parent = value;
    const std::string_view rest = pointer;
    const auto child = parent.at(pointer.substr(0, pointer.find('/', 1)));
    if (!child) return tl::unexpected<Error>(child.error());
    const auto token = next_pointer_token(pointer, scratch);
    if (!token) return tl::unexpected<Error>(token.error());
    if (!*child) {
      if (parent.is(Type::kObject)) return edit_missing(parent, *token, pointer, std::move(text));
      if (parent.is(Type::kArray) && !text) return {};
      return leads_nowhere(rest);
    }
    value = *child;
    if (!text && pointer.empty()) {
      remove(parent, value);
      return {};
    }
    // What was removed and is reached again is made anew.
    if (const auto change = changes_.find(value.offset()); change != changes_.end() && !change->second.text) {
      if (!text) return {};
      auto anew = wrapped(pointer, *text);
      if (!anew) return tl::unexpected<Error>(std::move(anew).error());
      change->second.text = *std::move(anew);
      return {};
    }
  }
  replace(value, *std::move(text));
  return {};
}

// The member `key` does not stand in the text of `object`; an earlier change may have inserted it.
Status Editor::edit_missing(const Value& object, std::string_view key, std::string_view pointer,
                            std::optional<std::string> text) {
  if (const auto container = containers_.find(object.offset()); container != containers_.end()) {
    auto& insertions = container->second.insertions;
    const auto known = std::ranges::find(insertions, key, &Insertion::key);
    if (known != insertions.end()) {
      if (!pointer.empty()) return rewrite(known->text, pointer, std::move(text));
      if (text) {
        known->text = *std::move(text);
      } else {
        insertions.erase(known);
      }
      return {};
    }
  }
  auto anew = wrapped(pointer, text ? *text : std::string_view());
  if (!anew) return tl::unexpected<Error>(std::move(anew).error());
  return text ? set(object, key, *std::move(anew)) : Status{};
}

void Editor::apply(base::EditedBody& body) const {
  // Outermost changes first in the order of the text; what lies inside one of them is gone.
  std::vector<std::pair<std::size_t, std::size_t>> gone;
  for (const auto& [offset, change] : changes_) {
    if (!gone.empty() && offset < gone.back().second) continue;
    gone.emplace_back(offset, offset + change.length);
    if (change.text) body.replace(offset, change.length, *change.text);
  }
  for (const auto& [offset, container] : containers_) {
    const auto behind = std::ranges::upper_bound(gone, offset, {}, &std::pair<std::size_t, std::size_t>::first);
    if (behind == gone.begin() || std::prev(behind)->second <= offset) apply(body, container);
  }
}

void Editor::apply(base::EditedBody& body, const Container& container) const {
  const auto removed = [this](const Value& child) {
    const auto change = changes_.find(child.offset());
    return change != changes_.end() && !change->second.text;
  };
  std::string inserted;
  for (const Insertion& insertion : container.insertions) {
    if (!inserted.empty()) inserted.push_back(',');
    append_string(inserted, insertion.key);
    inserted.append(":").append(insertion.text);
  }

  // Runs of removed children. One behind a child that stays takes the comma before it, up to its last child's end; one
  // at the front reaches to the child that stays behind it; what is inserted at the front comes before that.
  std::size_t stays_end = 0;   // end of the last child that stays; 0 = none so far
  std::size_t run_begin = 0;   // 0 = no run is open (no child begins at 0)
  std::size_t run_end = 0;
  bool front_done = inserted.empty();
  const auto front = [&](bool child_follows) {
    if (std::exchange(front_done, true)) return std::string();
    if (child_follows) inserted.push_back(',');
    return std::move(inserted);
  };
  for (Value child = container.value.first(); child; child = child.next()) {
    if (removed(child)) {
      if (run_begin == 0) run_begin = child_begin(child);
      run_end = child_end(child);
      continue;
    }
    if (run_begin != 0) {
      if (stays_end != 0) {
        body.replace(stays_end, run_end - stays_end, {});
      } else {
        body.replace(run_begin, child_begin(child) - run_begin, front(true));
      }
      run_begin = 0;
    } else if (!front_done) {
      body.replace(container.value.offset() + 1, 0, front(true));
    }
    stays_end = child_end(child);
  }
  if (run_begin != 0) {
    const std::size_t begin = stays_end != 0 ? stays_end : run_begin;
    body.replace(begin, run_end - begin, front(false));
  } else if (!front_done) {
    body.replace(container.value.offset() + 1, 0, front(false));
  }
}

void replace(base::EditedBody& body, const Value& value, std::string replacement) {
  if (value) body.replace(value.offset(), value.length(), std::move(replacement));
}

Status set(base::EditedBody& body, const Value& object, std::string_view key, std::string json_text) {
  Editor editor;
  Status done = editor.set(object, key, std::move(json_text));
  if (done) editor.apply(body);
  return done;
}

void remove(base::EditedBody& body, const Value& parent, const Value& child) {
  Editor editor;
  editor.remove(parent, child);
  editor.apply(body);
}

Status set_at(base::EditedBody& body, const Value& root, std::string_view pointer, std::string json_text) {
  Editor editor;
  Status done = editor.set_at(root, pointer, std::move(json_text));
  if (done) editor.apply(body);
  return done;
}

Status remove_at(base::EditedBody& body, const Value& root, std::string_view pointer) {
  Editor editor;
  Status done = editor.remove_at(root, pointer);
  if (done) editor.apply(body);
  return done;
}

}  // namespace sluice::json
