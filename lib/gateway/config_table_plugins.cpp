// The table's rows for plugin lists, and for the settings of the built-in plugins.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::int64_t kMany = 1'000'000'000;
constexpr std::int64_t kTebibyte = 1ll << 40;

/// A bound that may be unset.
Codec<std::optional<std::uint64_t>> bound(std::int64_t max, std::string_view unit = {}) {
  const auto inner = integer<std::uint64_t>(0, max, unit);
  return {inner.shape,
          [inner](Reader& in, json::Value value, std::optional<std::uint64_t>& out) { inner.read(in, value, out.emplace()); },
          [inner](json::Writer& out, const std::optional<std::uint64_t>& value) { inner.write(out, value.value_or(0)); },
          [](const std::optional<std::uint64_t>& value) { return !value.has_value(); }};
}

/// The settings of one kind of plugin: the key is what makes it one.
template <typename Settings>
Field<PluginUse> kind(std::string_view key, std::optional<Settings> PluginUse::*at, Codec<Settings> codec,
                      std::string_view meaning, std::string_view example) {
  return form<PluginUse, Settings>(
      key, std::move(codec), [at](const PluginUse& use) { return use.*at; },
      [at](PluginUse& use, Settings settings) { use.*at = std::move(settings); }, meaning, example);
}

Codec<TransformPlugin> transform() {
  return object<TransformPlugin>(
      "Transform", "A plugin of phase `transform` that changes header fields and body values.",
      {field("request_headers", &TransformPlugin::request_headers, header_edits(),
             "Changes to the request's header fields; what is set goes to the upstream."),
       field("body", &TransformPlugin::body, body_edits(), "Changes to the JSON body."),
       field("response_headers", &TransformPlugin::response_headers, header_edits(),
             "Changes to the header fields sent to the caller.")});
}

Codec<LimitsPlugin> limits() {
  using L = LimitsPlugin;
  return object<L>(
      "Limits", "A plugin of phase `guard` that refuses what is too large, by what it is made of. Unset: no bound.",
      {field("request_bytes", &L::request_bytes, bound(kTebibyte, "bytes"), "Bytes of the body, decompressed.", "1000000"),
       field("characters", &L::characters, bound(kTebibyte), "Code points of all texts of the prompt.", "200000"),
       field("messages", &L::messages, bound(kMany), "Messages of a chat.", "100"),
       field("parts", &L::parts, bound(kMany), "Content parts of all messages.", "200"),
       field("tools", &L::tools, bound(kMany), "Tools offered.", "32"),
       field("json_depth", &L::json_depth, bound(kMany), "Nesting of the body.", "32"),
       field("attachments", &L::attachments, bound(kMany), "Images, sounds and files.", "4"),
       field("attachment_bytes", &L::attachment_bytes, bound(kTebibyte, "bytes"), "Size of each that is inline, decoded.",
             "5000000"),
       field("attachment_types", &L::attachment_types, texts(), "Media types that may come; globs. Unset: any.",
             "[\"image/*\"]"),
       field("inputs", &L::inputs, bound(kMany), "Inputs of an embeddings request.", "256"),
       field("input_characters", &L::input_characters, bound(kTebibyte), "Code points of each input.", "32000"),
       field("input_tokens", &L::input_tokens, bound(kMany), "Tokens of each input that is a list of tokens.", "8192"),
       field("dimensions", &L::dimensions, bound(kMany), "Dimensions asked for.", "1536"),
       field("response_bytes", &L::response_bytes, bound(kTebibyte, "bytes"),
             "Text of the answer, as UTF-8; a longer one is ended.", "100000")});
}

Codec<RequestLogPlugin> request_log() {
  using R = RequestLogPlugin;
  return object<R>("Request log", "A plugin of phase `observe` that writes one line for each exchange through the gateway's log.",
                   {field("request_body", &R::request_body, boolean(), "Also the body, as the guards have left it."),
                    field("response_text", &R::response_text, boolean(), "Also the text of the answer, as the caller gets it."),
                    field("max_bytes", &R::max_bytes, integer<std::uint32_t>(1, 1 << 20, "bytes"), "Of each of these.")});
}

Codec<RegexReplacePlugin> regex_replace() {
  using R = RegexReplacePlugin;
  const auto rule = object<R::Rule>(
      "A replacement", "One pattern, and what takes its place.",
      {required(field("pattern", &R::Rule::pattern, text(), "A regular expression (RE2).", "\"[0-9]{16}\"")),
       field("replacement", &R::Rule::replacement, any_text(), "Takes its place; `\\1` is the first group. Unset: nothing.",
             "\"[card]\"")});
  return object<R>(
      "Regex replace", "A plugin of phase `transform` that replaces what a pattern fits, in texts alone.",
      {required(field("rules", &R::rules, list_of(rule), "In order: each sees what the one before has made.")),
       field("request", &R::request, boolean(), "Texts of the prompt."),
       field("response", &R::response, boolean(), "Texts of the answer, streamed or not."),
       field("max_match_bytes", &R::max_match_bytes, integer<std::uint32_t>(1, 16 << 10, "bytes"),
             "A match in an answer is looked for within this many bytes: a stream is held back by no more.")});
}

Codec<HttpGuardPlugin> http_guard() {
  using H = HttpGuardPlugin;
  return object<H>(
      "HTTP guard", "A plugin of phase `guard` that asks an upstream of the gateway whether a request may pass.",
      {required(field("upstream", &H::upstream, text(), "The upstream's name; its credential and its address rules hold.",
                      "\"moderation\"")),
       field("path", &H::path, text(), "Sent behind the upstream's base path.", "\"/check\""),
       field("text", &H::text, choice<H::Text>({{"prompt", H::Text::kPrompt}, {"last_user", H::Text::kLastUser}}),
             "What is asked about: all texts of the prompt, or those of the user's last message."),
       required(field("refuse_if", &H::refuse_if, body_rule(), "The request is refused where this holds of the answer's JSON.")),
       field("status", &H::status, integer<int>(400, 599), "Status of the refusal."),
       field("message", &H::message, text(), "Text of the refusal. Unset: it names the plugin.", "\"not allowed here\"")});
}

Codec<PluginUse> plugin_use() {
  return object<PluginUse>(
      "A plugin",
      "One entry of a plugin list. At most one of `transform`, `limits`, `request_log`, `regex_replace` and `http_guard` makes it "
      "a built-in one; with none, `name` is that of a plugin the host program brought, or `request_log`.",
      {required(field("name", &PluginUse::name, text(kNameForm), "Unique in its list; what errors and accounts call it.",
                      "\"redact-cards\"")),
       field("mode", &PluginUse::mode, choice<PluginMode>({{"enforce", PluginMode::kEnforce}, {"observe", PluginMode::kObserve}}),
             "`observe`: what it says is recorded, and nothing is blocked or changed."),
       field("on_error", &PluginUse::on_error, choice<FailMode>({{"closed", FailMode::kClosed}, {"open", FailMode::kOpen}}),
             "Where it errs, throws or takes too long: `closed` fails the exchange, `open` goes on and counts it."),
       field("timeout_ms", &PluginUse::timeout, milliseconds(0), "The longest one wait of it may take. 0 = as long as the exchange."),
       kind("transform", &PluginUse::transform, transform(), "Changes header fields and body values.",
            "{\"body\": {\"remove\": [\"/user\"]}}"),
       kind("limits", &PluginUse::limits, limits(), "Refuses what is too large.", "{\"messages\": 100}"),
       kind("request_log", &PluginUse::request_log, request_log(), "Writes a line for each exchange.", "{\"request_body\": true}"),
       kind("regex_replace", &PluginUse::regex_replace, regex_replace(), "Replaces what patterns fit.",
            "{\"rules\": [{\"pattern\": \"[0-9]{16}\", \"replacement\": \"[card]\"}], \"request\": true}"),
       kind("http_guard", &PluginUse::http_guard, http_guard(), "Asks an upstream whether a request may pass.",
            "{\"upstream\": \"moderation\", \"refuse_if\": {\"pointer\": \"/flagged\", \"equals\": true}}")});
}

}  // namespace

Codec<std::vector<PluginUse>> plugin_list() { return list_of(plugin_use(), {.min_items = 0}); }

}  // namespace sluice::gateway::config
