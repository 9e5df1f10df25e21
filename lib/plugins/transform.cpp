// `transform`: judged when it is made, so that a request meets edits that can be made.

#include "plugins/transform.hpp"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "json/document.hpp"
#include "policy/edit_rules.hpp"
#include "policy/words.hpp"

namespace sluice::plugins {
namespace {

using policy::shown;

/// `here` and one key more, as a JSON Pointer.
std::string below(std::string_view here, std::string_view key) {
  std::string out(here);
  out += '/';
  for (const char c : key) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

// What the settings may say.

class HeaderEditsJudge {
 public:
  HeaderEditsJudge(std::string_view here, policy::Towards towards) : here_(here), towards_(towards) {}

  Status run(const HeaderEdits& edits) {
    if (Status good = judge_fields("set", edits.set); !good) return good;
    const std::vector<std::string_view> replaced = seen_;
    seen_.clear();
    if (Status good = judge_fields("add", edits.add); !good) return good;
    for (const auto& [name, value] : edits.add) {
      if (!same_name(name, "set-cookie")) continue;
      return fail(Code::kInvalidConfiguration, "\"set-cookie\" cannot be added: its values make no list; use \"set\"", below(here_ + "/add", name));
    }
    seen_ = replaced;
    for (std::size_t i = 0; i < edits.remove.size(); ++i) {
      if (Status good = judge_name(edits.remove[i], below(here_ + "/remove", std::to_string(i))); !good) return good;
    }
    return {};
  }

 private:
  Status judge_fields(std::string_view key, const std::map<std::string, std::string>& fields) {
    for (const auto& [name, value] : fields) {
      std::string where = below(here_ + "/" + std::string(key), name);
      if (Status good = judge_name(name, where); !good) return good;
      // SEC-15: what would split or end a header is refused before it is anywhere near a wire.
      if (is_header_value(value)) continue;
      return fail(Code::kInvalidConfiguration, "the value of " + shown(name) + " holds a control character (CR, LF, NUL or another)", std::move(where));
    }
    return {};
  }

  Status judge_name(std::string_view name, std::string where) {
    if (Status may = policy::may_edit_field(name, towards_); !may) {
      may.error().param = std::move(where);
      return may;
    }
    for (const std::string_view other : seen_) {
      if (!same_name(other, name)) continue;
      return fail(Code::kInvalidConfiguration, "the same field as " + shown(other) + "; case does not count in field names", std::move(where));
    }
    seen_.push_back(name);
    return {};
  }

  const std::string here_;
  const policy::Towards towards_;
  std::vector<std::string_view> seen_;
};

class BodyEditsJudge {
 public:
  Status run(const BodyEdits& edits) {
    for (const auto& [pointer, text] : edits.set) {
      const std::string where = below("/body/set", pointer);
      if (Status good = judge_pointer(pointer, where); !good) return good;
      const auto value = json::Document::parse(Body::copy(text));
      if (!value) return fail(Code::kInvalidConfiguration, fmt::format("{} (value {})", value.error().message, shown(text)), where);
    }
    for (std::size_t i = 0; i < edits.remove.size(); ++i) {
      if (Status good = judge_pointer(edits.remove[i], below("/body/remove", std::to_string(i))); !good) return good;
    }
    return {};
  }

 private:
  Status judge_pointer(std::string_view pointer, const std::string& where) {
    if (!is_below_root(pointer)) {
      return fail(Code::kInvalidConfiguration, "must be a JSON Pointer that begins with `/` (is " + shown(pointer) + ")", where);
    }
    if (Status may = policy::may_edit_member(pointer); !may) {
      may.error().param = where;
      return may;
    }
    for (const std::string_view other : seen_) {
      if (!policy::covers(other, pointer) && !policy::covers(pointer, other)) continue;
      return fail(Code::kInvalidConfiguration, fmt::format("{} overlaps {}", shown(pointer), shown(other)), where);
    }
    seen_.push_back(pointer);
    return {};
  }

  static bool is_below_root(std::string_view pointer) {
    if (pointer.empty()) return false;
    std::string scratch;
    while (!pointer.empty()) {
      if (!json::next_pointer_token(pointer, scratch)) return false;
    }
    return true;
  }

  std::vector<std::string_view> seen_;
};

bool is_empty(const HeaderEdits& edits) noexcept { return edits.set.empty() && edits.add.empty() && edits.remove.empty(); }
bool is_empty(const BodyEdits& edits) noexcept { return edits.set.empty() && edits.remove.empty(); }

// The plugin.

/// The values of `name` in `headers` as one list, with one more at its end.
std::string with_one_more(const Headers& headers, std::string_view name, std::string_view value) {
  std::string list;
  for (const HeaderField field : headers) {
    if (same_name(field.name, name)) list.append(field.value).append(", ");
  }
  return list.append(value);
}

/// `now` is asked again for each `add`: it shows what the edits before have made.
template <class Context, class Now>
Status edit_headers(Context& context, const HeaderEdits& edits, const Now& now) {
  for (const std::string& name : edits.remove) context.remove_header(name);
  for (const auto& [name, value] : edits.set) {
    if (Status set = context.set_header(name, value); !set) return set;
  }
  for (const auto& [name, value] : edits.add) {
    if (Status set = context.set_header(name, with_one_more(now(), name, value)); !set) return set;
  }
  return {};
}

Status edit_body(RequestContext& context, const BodyEdits& edits) {
  for (const std::string& pointer : edits.remove) {
    if (Status removed = context.remove_json(pointer); !removed) return removed;
  }
  for (const auto& [pointer, json] : edits.set) {
    if (Status set = context.set_json(pointer, json); !set) return set;
  }
  return {};
}

class Transform final : public Plugin {
 public:
  Transform(std::string name, TransformPlugin settings) : name_(std::move(name)), settings_(std::move(settings)) {
    if (!is_empty(settings_.request_headers) || !is_empty(settings_.body)) wants_ |= kWantsRequestEdits;
    if (!is_empty(settings_.response_headers)) wants_ |= kWantsHead;
  }
  std::string_view name() const noexcept override { return name_; }
  Phase phase() const noexcept override { return Phase::kTransform; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(*this); }

 private:
  class Session final : public PluginSession {
   public:
    explicit Session(const Transform& plugin) : plugin_(plugin) {}

    Verdict on_request(RequestContext& context) override {
      const auto now = [&context]() -> const Headers& { return context.exchange().headers(); };
      if (Status edited = edit_headers(context, plugin_.settings_.request_headers, now); !edited) return fails(edited.error());
      Status edited = edit_body(context, plugin_.settings_.body);
      return edited ? Verdict::go_on() : Verdict::fail(std::move(edited.error()));
    }

    Verdict on_head(HeadContext& context) override {
      const auto now = [&context]() -> const Headers& { return context.headers(); };
      const Status edited = edit_headers(context, plugin_.settings_.response_headers, now);
      return edited ? Verdict::go_on() : fails(edited.error());
    }

   private:
    /// A field was judged when the plugin was made: that it cannot be changed is nobody's mistake but the plugin's.
    Verdict fails(const Error& error) const {
      return Verdict::fail(make_error(Code::kPluginError, fmt::format("plugin '{}' cannot change a header field: {}", plugin_.name_, error.message)));
    }

    const Transform& plugin_;
  };

  const std::string name_;
  const TransformPlugin settings_;
  Wants wants_ = kWantsNothing;
};

}  // namespace

Result<std::shared_ptr<const Plugin>> make_transform(std::string name, const TransformPlugin& settings) {
  if (is_empty(settings.request_headers) && is_empty(settings.body) && is_empty(settings.response_headers)) {
    return fail(Code::kInvalidConfiguration, "changes nothing; name \"request_headers\", \"body\" or \"response_headers\"");
  }
  Status good = HeaderEditsJudge("/request_headers", policy::Towards::kUpstream).run(settings.request_headers);
  if (good) good = BodyEditsJudge().run(settings.body);
  if (good) good = HeaderEditsJudge("/response_headers", policy::Towards::kCaller).run(settings.response_headers);
  if (!good) return tl::unexpected(std::move(good.error()));
  return std::make_shared<const Transform>(std::move(name), settings);
}

}  // namespace sluice::plugins
