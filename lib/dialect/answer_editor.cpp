// What every dialect's editor stands on: bytes, the texts found in them, and the places that change with the texts.

#include "dialect/answer_editor.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "json/scan.hpp"
#include "json/writer.hpp"

namespace sluice::dialect {
namespace {

namespace scan = json::scan;

/// Puts `\ufffd` for each lone surrogate, which leaves every offset as it is. False: there was none.
bool mend_surrogates(std::string& json) {
  constexpr std::size_t kEscape = 6;  // \uXXXX
  constexpr std::string_view kReplacement = "\\ufffd";
  const auto unit_at = [&](std::size_t at) {
    return json.size() - at >= kEscape && json[at] == '\\' && json[at + 1] == 'u' ? scan::hex_unit(json.data() + at + 2) : -1;
  };
  bool mended = false;
  for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at)) {
    const int unit = unit_at(at);
    if (unit < 0) {
      at += 2;
    } else if (scan::is_high_surrogate(unit) && at + kEscape < json.size() && scan::is_low_surrogate(unit_at(at + kEscape))) {
      at += 2 * kEscape;
    } else {
      if (scan::is_high_surrogate(unit) || scan::is_low_surrogate(unit)) {
        json.replace(at, kEscape, kReplacement);
        mended = true;
      }
      at += kEscape;
    }
  }
  return mended;
}

}  // namespace

std::string_view AnswerTexts::data() const noexcept {
  return bytes_.empty() ? std::string_view{} : std::string_view{bytes_.data(), bytes_.size() - Body::kPadding};
}

void AnswerTexts::take(std::string_view data) {
  texts_.clear();
  places_.clear();
  decoded_.clear();
  ends_ = false;
  bytes_.resize(data.size() + Body::kPadding);
  if (!data.empty()) std::memcpy(bytes_.data(), data.data(), data.size());
  std::memset(bytes_.data() + data.size(), 0, Body::kPadding);
}

Result<json::Document> AnswerTexts::parse() const {
  const std::string_view text = data();
  auto document = json::Document::parse(Body::adopt(text.data(), text.size(), {}));
  if (document) return document;
  std::string mended(text);
  if (!mend_surrogates(mended)) return document;
  return json::Document::parse(Body::from(std::move(mended)));
}

std::string_view AnswerTexts::keep(const json::Value& string) {
  return keep(string.offset() + 1, string.offset() + string.length() - 1, string.has_escapes());
}

std::string_view AnswerTexts::keep(std::size_t begin, std::size_t end, bool escaped) {
  const std::string_view raw = data().substr(begin, end - begin);
  if (!escaped) return raw;
  // Decoded, a string is never longer than it stands in the data.
  if (decoded_.empty()) decoded_.reserve(data().size());
  const std::string text = json::decode_string(raw);
  const std::size_t at = decoded_.size();
  decoded_.insert(decoded_.end(), text.begin(), text.end());
  return {decoded_.data() + at, text.size()};
}

void AnswerTexts::put(AnswerText text, const Place& place) {
  const auto behind = std::upper_bound(places_.begin(), places_.end(), place.begin,
                                       [](std::size_t at, const Place& other) { return at < other.begin; });
  Place& mine = *places_.insert(behind, place);
  mine.first = texts_.size();
  mine.count = 1;
  texts_.push_back(std::move(text));
}

bool AnswerTexts::append(const TextAddress& to, std::string_view more) {
  const auto last = std::find_if(texts_.rbegin(), texts_.rend(), [&](const AnswerText& text) { return text.address == to; });
  if (last == texts_.rend()) return false;
  last->replacement = std::string(last->final_text()).append(more);
  return true;
}

bool AnswerTexts::changed() const noexcept {
  return std::any_of(texts_.begin(), texts_.end(), [](const AnswerText& text) { return text.changed(); }) ||
         std::any_of(places_.begin(), places_.end(), [](const Place& place) { return place.always; });
}

void AnswerTexts::write_value(std::string& out, const Place& place) const {
  if (place.form == Form::kNull || place.form == Form::kEmpty) {
    out += place.form == Form::kNull ? "null" : "\"\"";
    return;
  }
  std::string joined;
  std::string_view value = texts_[place.first].final_text();
  if (place.count > 1) {
    for (std::size_t i = place.first; i != place.first + place.count; ++i) {
      if (texts_[i].address.channel == texts_[place.first].address.channel) joined += texts_[i].final_text();
    }
    value = joined;
  }
  if (place.form == Form::kJson && json::Document::parse(Body::copy(value))) {
    out += value;
  } else {
    json::append_string(out, value);
  }
}

void AnswerTexts::write(std::string& out, std::size_t begin, std::size_t end) const {
  // Several places tell of one run of texts: whether any of these has changed is asked once.
  std::pair<std::size_t, bool> asked{texts_.size(), false};
  const auto any_changed = [&](const Place& place) {
    if (place.count != 0 && asked.first != place.first) {
      const auto from = texts_.begin() + static_cast<std::ptrdiff_t>(place.first);
      const auto to = from + static_cast<std::ptrdiff_t>(place.count);
      asked = {place.first, std::any_of(from, to, [](const AnswerText& text) { return text.changed(); })};
    }
    return place.count != 0 && asked.second;
  };
  const auto said_otherwise = [&](const Place& place) {
    for (std::size_t i = place.first; i != place.first + place.count; ++i) {
      if (texts_[i].changed() && texts_[i].address.channel == texts_[place.first].address.channel) return true;
    }
    return false;
  };
  const std::string_view bytes = data();
  const auto first = std::lower_bound(places_.begin(), places_.end(), begin,
                                      [](const Place& place, std::size_t at) { return place.begin < at; });
  std::size_t last_put_in = bytes.size();
  for (auto place = first; place != places_.end() && place->end <= end; ++place) {
    if (!place->always && !(place->form == Form::kNull ? any_changed(*place) : said_otherwise(*place))) continue;
    const bool put_in = place->begin == place->end;
    out += bytes.substr(begin, place->begin - begin);
    if (put_in && place->alone && std::exchange(last_put_in, place->begin) == place->begin) out += ',';
    out += place->before;
    write_value(out, *place);
    out += place->behind;
    if (put_in && !place->alone) out += ',';
    begin = place->end;
  }
  out += bytes.substr(begin, end - begin);
}

Error no_place(const TextAddress& to) {
  std::string what = "text";
  if (to.channel == TextChannel::kReasoning) what = "reasoning";
  if (to.channel == TextChannel::kRefusal) what = "a refusal";
  if (to.channel == TextChannel::kToolArguments) what = "arguments of tool call " + std::to_string(to.tool_index);
  return make_error(Code::kPluginError, "a plugin added " + what + " to choice " + std::to_string(to.choice) +
                                            ", which the answer has no place for");
}

// What an editor of streams or of whole answers alone leaves out.

Status AnswerEditor::split(const AnswerTexts&, std::string&, std::string&) {
  return fail(Code::kInternal, "a whole answer was to be split into events; split what ends() alone");
}

Status AnswerEditor::add_event(const TextAddress&, std::string_view, std::string&) {
  return fail(Code::kInternal, "an event was to be added to a whole answer; use add_text");
}

std::string_view added_type(std::string_view data) noexcept {
  constexpr std::string_view kBegin = R"({"type":")";
  if (!data.starts_with(kBegin)) return {};
  data.remove_prefix(kBegin.size());
  return data.substr(0, data.find('"'));
}

void AnswerEditor::frame_added(std::string_view data, http::Framing framing, std::string& out) { http::append_event(out, framing, data); }

void AnswerEditor::gave(const AnswerTexts&) {}

bool AnswerEditor::end_early(const EarlyEnd&, std::string&) { return false; }

Status AnswerEditor::add_text(const TextAddress&, std::string_view, AnswerTexts&) {
  return fail(Code::kInternal, "a text was to be put into an event; use add_event");
}

}  // namespace sluice::dialect
