// A version of the request on its way from one plugin to the next.

#include "gateway/request_draft.hpp"

#include <algorithm>

#include "base/glob.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"
#include "json/writer.hpp"

namespace sluice::gateway {

// What is seen of it.

const Headers& RequestDraft::Reader::fields() const noexcept { return draft_.headers_ ? *draft_.headers_ : exchange_.headers_; }

const Body& RequestDraft::Reader::text() const noexcept {
  draft_.settle();
  return draft_.version_ ? draft_.version_->body : exchange_.body_;
}

const json::Document* RequestDraft::Reader::document() const noexcept {
  draft_.settle();
  return draft_.version_ == nullptr ? ExchangeReader::document() : draft_.version_->document ? &*draft_.version_->document : nullptr;
}

const chat::RequestView& RequestDraft::Reader::request() const noexcept {
  if (draft_.reshaped_) draft_.settle();
  return draft_.seen();
}

/// Other texts in the same places need no new version to be seen: who rewrites a thousand of them, reading each, parses once.
std::span<const PromptPart> RequestDraft::Reader::prompt() const {
  const auto parts = ExchangeReader::prompt();
  for (const auto& [part, text] : draft_.retold_) parts_[part].text = text;
  return parts;
}

const chat::RequestView& RequestDraft::seen() {
  if (version_ == nullptr) return exchange_.view_;
  if (!version_->view) {
    version_->view.emplace();
    version_->view->operation = exchange_.view_.operation;
    if (version_->document) {
      const Status read = exchange_.inspect(*version_->document, exchange_.plugin_wants(), *version_->view);
      if (!read && !mistake_) mistake_ = read.error();
    }
  }
  return *version_->view;
}

// Headers.

Headers& RequestDraft::headers() {
  if (!headers_) headers_ = exchange_.headers_;
  reader_.forget();
  return *headers_;
}

Status RequestDraft::set_header(std::string_view name, std::string_view value) {
  if (is_gateways_own(name, true)) {
    return fail(Code::kInvalidParameter, "the header '" + std::string(name) + "' is the gateway's own; leave it as it is", std::string(name));
  }
  if (Status set = headers().set(name, value); !set) return set;
  set_.emplace_back(name);
  return {};
}

void RequestDraft::remove_header(std::string_view name) {
  if (is_gateways_own(name, true)) return;
  headers().remove(name);
  std::erase_if(set_, [name](const std::string& one) { return same_name(one, name); });
}

// The body.

Status RequestDraft::has_json() const {
  const bool has = version_ != nullptr ? version_->document.has_value() : exchange_.document_.has_value();
  if (has) return {};
  return fail(Code::kInvalidJson, exchange_.route_ == nullptr ? "the body has not come yet" : "the body of this request is no JSON the gateway looks into");
}

const json::Document& RequestDraft::base() const { return version_ != nullptr ? *version_->document : *exchange_.document_; }

Status RequestDraft::set_body(std::string body) {
  if (exchange_.route_ == nullptr) return fail(Code::kInvalidParameter, "the body has not come yet");
  reader_.forget();
  return take(Body::from(std::move(body)));
}

Status RequestDraft::take(Body body) {
  const RequestLimits& limits = exchange_.snapshot_->config.gateway.limits;
  if (body.size() > limits.body_bytes) {
    return fail(Code::kBodyTooLarge, "the body of " + std::to_string(body.size()) + " bytes is over the limit of " + std::to_string(limits.body_bytes));
  }
  auto version = std::make_unique<Version>();
  version->body = std::move(body);
  if (exchange_.document_) {
    auto document = json::Document::parse(version->body, {limits.json_depth, limits.json_values});
    if (!document) return tl::unexpected(document.error());
    version->document.emplace(std::move(*document));
  }
  version_ = std::move(version);
  changes_ = {};
  reshaped_ = false;
  retold_.clear();
  reader_.forget();
  return {};
}

void RequestDraft::settle() {
  if (changes_.empty()) return;
  base::EditedBody edited(base().body());
  changes_.apply(edited);
  changes_ = {};
  reshaped_ = false;
  retold_.clear();
  const Status taken = take(Body::from(edited.to_string()));
  if (!taken && !mistake_) mistake_ = taken.error();
}

Status RequestDraft::set_json(std::string_view pointer, std::string_view json) {
  if (Status has = has_json(); !has) return has;
  if (const auto value = json::Document::parse(Body::copy(json)); !value) return tl::unexpected(value.error());
  if (Status set = changes_.set_at(base().root(), pointer, std::string(json)); !set) {
    return fail(set.error().code == Code::kInvalidRequest ? Code::kInvalidParameter : set.error().code, set.error().message, std::string(pointer));
  }
  reshaped_ = true;
  reader_.forget();
  return {};
}

Status RequestDraft::remove_json(std::string_view pointer) {
  if (Status has = has_json(); !has) return has;
  if (Status removed = changes_.remove_at(base().root(), pointer); !removed) {
    return fail(removed.error().code == Code::kInvalidRequest ? Code::kInvalidParameter : removed.error().code, removed.error().message,
                std::string(pointer));
  }
  reshaped_ = true;
  reader_.forget();
  return {};
}

Status RequestDraft::set_prompt_text(std::size_t part, std::string_view text) {
  if (Status has = has_json(); !has) return has;
  const std::vector<chat::PromptText>& prompt = seen().prompt;
  if (part >= prompt.size()) {
    return fail(Code::kInvalidParameter, "there is no part " + std::to_string(part) + " of the prompt; it has " + std::to_string(prompt.size()) +
                                             " (the plugin must want kWantsPrompt)");
  }
  changes_.replace(prompt[part].value, json::quoted(text));
  reader_.forget_tokens();
  const auto same = std::find_if(retold_.begin(), retold_.end(), [part](const auto& one) { return one.first == part; });
  const std::string_view kept = texts_.emplace_back(text);
  if (same == retold_.end()) {
    retold_.emplace_back(part, kept);
  } else {
    same->second = kept;
  }
  return {};
}

// Where it goes.

Status RequestDraft::choose(std::vector<RouteChoice> choices) {
  const CompiledRoute* const route = exchange_.route_;
  if (route == nullptr) return fail(Code::kPluginError, "chooses upstreams before a route is known");
  if (choices.empty()) return fail(Code::kPluginError, "chose no upstream at all; name one of route '" + route->config->name + "'");
  std::vector<policy::Choice> chosen;
  for (const RouteChoice& choice : choices) {
    bool of_route = false, serves = false;
    const auto add = [&](std::size_t target, const std::string& model) {
      serves = true;
      const auto same = [&](const policy::Choice& one) { return one.target == target && one.model == model; };
      if (std::none_of(chosen.begin(), chosen.end(), same)) chosen.push_back({target, model, "named by a plugin of phase route"});
    };
    for (std::size_t i = 0; i < route->config->upstreams.size(); ++i) {
      const Target& target = route->config->upstreams[i];
      if (target.upstream != choice.upstream) continue;
      of_route = true;
      if (!choice.model.empty()) {
        const std::vector<std::string>& models = route->upstream_configs[i]->models;
        const auto fits = [&](const std::string& glob) { return base::glob_match(glob, choice.model); };
        if (!serves && (models.empty() || std::any_of(models.begin(), models.end(), fits))) add(i, choice.model);
        continue;
      }
      for (const policy::Choice& allowed : exchange_.decision_.choices) {
        if (allowed.target == i) add(i, allowed.model);
      }
    }
    if (!of_route) {
      return fail(Code::kPluginError, "chose upstream '" + choice.upstream + "', which is none of route '" + route->config->name + "'");
    }
    if (!serves) {
      return fail(Code::kPluginError, "chose upstream '" + choice.upstream + "', which does not serve " +
                                          (choice.model.empty() ? "what was asked for" : "model '" + choice.model + "'"));
    }
  }
  chosen_ = std::move(chosen);
  return {};
}

// It becomes the request.

Status RequestDraft::publish() {
  settle();
  if (mistake_) return tl::unexpected(*mistake_);
  if (version_ != nullptr) {
    if (Status body = publish_body(); !body) return body;
  }
  if (chosen_) {
    exchange_.decision_.choices = std::move(*chosen_);
    exchange_.plugins_->chose = true;
  }
  if (headers_) {
    exchange_.headers_ = std::move(*headers_);
    std::vector<std::string>& set = exchange_.plugins_->set_headers;
    for (std::string& name : set_) {
      if (std::find(set.begin(), set.end(), name) == set.end()) set.push_back(std::move(name));
    }
  }
  exchange_.plugins_->reader.forget();
  return {};
}

/// What reads into a document goes with it: both move back together where the new version turns out to be no request.
Status RequestDraft::publish_body() {
  Exchange& ex = exchange_;
  const std::uint64_t more = version_->body.size();
  if (!ex.engine_.core().take_body_bytes(more, ex.snapshot_->config.gateway.limits.body_budget_bytes)) {
    return fail(Code::kOverloaded, "the gateway holds as many request bytes as it may");
  }
  chat::RequestView view = std::exchange(ex.view_, {});
  std::optional<json::Document> document = std::exchange(ex.document_, std::nullopt);
  Body body = std::exchange(ex.body_, version_->body);
  ex.view_.operation = view.operation;
  Status taken;
  if (version_->document) {
    ex.document_.emplace(std::move(*version_->document));
    taken = ex.inspect(*ex.document_, ex.plugin_wants(), ex.view_);
  }
  if (taken && ex.view_.stream != view.stream) {
    taken = fail(Code::kInvalidParameter, "'stream' is the caller's to say; leave it as it was", "stream");
  }
  const bool same_model = ex.view_.model_present == view.model_present && ex.view_.model == view.model;
  if (taken && !same_model) taken = ex.decide_model();
  if (!taken) {
    ex.engine_.core().give_body_bytes(more);
    ex.view_ = std::move(view);
    ex.document_ = std::move(document);
    ex.body_ = std::move(body);
    return taken;
  }
  // What the version before held is given back: it lives only as long as attempts or views of it do.
  ex.engine_.core().give_body_bytes(std::exchange(ex.budget_held_, more));
  return {};
}

}  // namespace sluice::gateway
