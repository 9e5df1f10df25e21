// The state between two pieces of a text: where in the root object it was cut, and what of a wanted value has come.
// Every byte is seen once; inside strings and unwanted values whole runs are stepped over.

#include "json/field_scanner.hpp"

#include <algorithm>

#include "json/document.hpp"
#include "json/scan.hpp"

namespace sluice::json {

// Where the next byte stands.
enum class FieldScanner::State : std::uint8_t {
  kStart,            // before the root
  kBeforeKey,        // in the root object, where a key or its end is due
  kKey,              // in a key
  kColon,            // behind a key
  kBeforeValue,      // behind a colon
  kString,           // in a value that is a string
  kScalar,           // in a number, true, false or null
  kContainer,        // in an array or object, outside its strings
  kContainerString,  // in one of its strings
  kAfterValue,       // where a comma or the root's end is due
  kClosed,           // behind the root object
  kOther,            // the root is an array: nothing to be found
  kNotJson,
};

FieldScanner::FieldScanner(std::span<const std::string_view> fields, std::size_t max_value_bytes)
    : max_value_bytes_(max_value_bytes), state_(State::kStart) {
  fields_.reserve(fields.size());
  for (const std::string_view key : fields) {
    fields_.push_back({std::string(key), {}});
    // A byte of a key takes six at most when it is escaped.
    max_key_bytes_ = std::max(max_key_bytes_, key.size() * 6);
  }
}

std::string_view FieldScanner::value(std::size_t i) const noexcept {
  return fields_[i].whole ? std::string_view(fields_[i].value) : std::string_view();
}
bool FieldScanner::truncated(std::size_t i) const noexcept { return fields_[i].truncated; }
bool FieldScanner::complete() const noexcept { return state_ == State::kClosed; }
bool FieldScanner::not_json() const noexcept { return state_ == State::kNotJson; }

void FieldScanner::feed(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p != end) {
    switch (state_) {
      case State::kStart:
        if (!scan::is_space(*p)) {
          state_ = *p == '{' ? State::kBeforeKey : *p == '[' ? State::kOther : State::kNotJson;
        }
        ++p;
        break;

      case State::kBeforeKey:
        if (*p == '"') {
          key_.clear();
          key_escaped_ = false;
          state_ = State::kKey;
        } else if (*p == '}') {
          state_ = State::kClosed;
        }
        ++p;
        break;

      case State::kKey: {
        const char* const begin = p;
        p = skip_string(p, end, State::kColon);
        // The closing quote is not part of the key.
        add_to_key(begin, state_ == State::kColon ? p - 1 : p);
        if (state_ == State::kColon) end_key();
        break;
      }

      case State::kColon:
        if (*p == ':') state_ = State::kBeforeValue;
        ++p;
        break;

      case State::kBeforeValue: {
        if (scan::is_space(*p)) {
          ++p;
          break;
        }
        begin_value();
        if (*p == '"') {
          state_ = State::kString;
        } else if (*p == '{' || *p == '[') {
          state_ = State::kContainer;
          depth_ = 1;
        } else {
          state_ = State::kScalar;
          break;  // read again there: it may end at once
        }
        add_to_value(p, p + 1);
        ++p;
        break;
      }

      case State::kScalar: {
        const char* const begin = p;
        while (p != end && *p != ',' && *p != '}' && *p != ']' && !scan::is_space(*p)) ++p;
        add_to_value(begin, p);
        if (p != end) end_value();
        break;
      }

      case State::kString: {
        const char* const begin = p;
        p = skip_string(p, end, State::kAfterValue);
        add_to_value(begin, p);
        if (state_ == State::kAfterValue) end_value();
        break;
      }

      case State::kContainer: {
        const char* const begin = p;
        p = skip_container(p, end);
        add_to_value(begin, p);
        if (depth_ == 0) end_value();
        break;
      }

      case State::kContainerString: {
        const char* const begin = p;
        p = skip_string(p, end, State::kContainer);
        add_to_value(begin, p);
        break;
      }

      case State::kAfterValue:
        if (*p == ',') state_ = State::kBeforeKey;
        if (*p == '}') state_ = State::kClosed;
        ++p;
        break;

      case State::kClosed:
      case State::kOther:
      case State::kNotJson:
        return;
    }
  }
}

// Inside a string: to behind its closing quote, where the state is `behind`, or to the end of the piece.
const char* FieldScanner::skip_string(const char* p, const char* end, State behind) {
  while (p != end) {
    if (escaped_) {
      escaped_ = false;
      ++p;
      continue;
    }
    p = scan::find_string_stop(p, end);
    if (p == end) break;
    const char stop = *p++;
    if (stop == '"') {
      state_ = behind;
      break;
    }
    if (stop == '\\') {
      escaped_ = true;
      if (state_ == State::kKey) key_escaped_ = true;
    }
  }
  return p;
}

// Outside strings in an array or object: to behind the quote that opens a string, behind the bracket that closes the
// value, or to the end of the piece.
const char* FieldScanner::skip_container(const char* p, const char* end) {
  while (p != end) {
    switch (*p++) {
      case '"':
        state_ = State::kContainerString;
        return p;
      case '{':
      case '[':
        ++depth_;
        break;
      case '}':
      case ']':
        if (--depth_ == 0) return p;
        break;
      default:
        break;
    }
  }
  return p;
}

void FieldScanner::add_to_key(const char* begin, const char* end) {
  // One byte beyond the longest key is kept: enough to know that it is none of them.
  const std::size_t room = max_key_bytes_ + 1 - key_.size();
  key_.append(begin, std::min(static_cast<std::size_t>(end - begin), room));
}

void FieldScanner::end_key() {
  if (key_escaped_ && key_.size() <= max_key_bytes_) key_ = decode_string(key_);
  const auto field = std::ranges::find(fields_, key_, &Field::key);
  capturing_ = field == fields_.end() ? kNone : static_cast<std::size_t>(field - fields_.begin());
}

void FieldScanner::begin_value() {
  if (capturing_ == kNone) return;
  Field& field = fields_[capturing_];
  field.value.clear();
  field.whole = field.truncated = false;
}

void FieldScanner::add_to_value(const char* begin, const char* end) {
  if (capturing_ == kNone) return;
  Field& field = fields_[capturing_];
  if (static_cast<std::size_t>(end - begin) > max_value_bytes_ - field.value.size()) {
    field.truncated = true;
    field.value = {};
    capturing_ = kNone;
    return;
  }
  field.value.append(begin, end);
}

void FieldScanner::end_value() {
  state_ = State::kAfterValue;
  if (capturing_ == kNone) return;
  fields_[capturing_].whole = true;
  capturing_ = kNone;
}

}  // namespace sluice::json
