#pragma once
/// Plugins as a configuration lists them, and what the built-in ones are told. Plain values.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/edits.hpp"
#include "sluice/match.hpp"
#include "sluice/plugin_mode.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// `transform`: changes header fields and body values; what it adds to a field makes a list of it (`a, b`). Phase transform.
struct TransformPlugin {
  HeaderEdits request_headers = {};
  BodyEdits body = {};
  HeaderEdits response_headers = {};
};

/// `limits`: refuses requests and answers that are too large, by what they are made of. Phase guard. Empty = no bound; one
/// bound at least is set. Each has an error of its own: sizes answer 413, numbers and types 400, answers 403.
/// A dialect counts what is malformed as the most it could mean (RequestShape).
struct LimitsPlugin {
  std::optional<std::uint64_t> request_bytes = {};       ///< of the body, decompressed
  std::optional<std::uint64_t> characters = {};          ///< code points of the prompt; of embeddings, of all inputs
  std::optional<std::uint64_t> messages = {};
  std::optional<std::uint64_t> parts = {};
  std::optional<std::uint64_t> tools = {};
  std::optional<std::uint64_t> json_depth = {};
  std::optional<std::uint64_t> attachments = {};
  std::optional<std::uint64_t> attachment_bytes = {};    ///< of each, decoded
  /// Globs of media types that may come, whatever their case; empty = any. An image by URL has the type `image/*`, and a
  /// file by id has none, which `*` alone lets pass.
  std::vector<std::string> attachment_types = {};
  std::optional<std::uint64_t> inputs = {};              ///< of embeddings, moderations and completions
  std::optional<std::uint64_t> input_characters = {};    ///< of each
  std::optional<std::uint64_t> input_tokens = {};        ///< of each that is a list of tokens
  std::optional<std::uint64_t> dimensions = {};
  /// Text of the answer as UTF-8, all choices and channels together (reasoning, refusals, arguments of tools).
  std::optional<std::uint64_t> response_bytes = {};
};

/// `request_log`: one line for each exchange, through the gateway's log. Phase observe. lib/plugins/request_log.hpp lists
/// the line's fields.
struct RequestLogPlugin {
  bool request_body = false;         ///< also the body, as guards and transforms leave it
  bool response_text = false;        ///< also the text of the answer's first choice, as the caller gets it
  std::uint32_t max_bytes = 2'048;   ///< of each of these, before escapes; 1 to 1,048,576
};

/// `regex_replace`: replaces what a pattern (RE2) fits. Phase transform.
struct RegexReplacePlugin {
  struct Rule {
    std::string pattern = {};
    std::string replacement = {};    ///< `\1` style
  };
  std::vector<Rule> rules = {};      ///< each sees what the one before made
  bool request = false;              ///< texts of the prompt
  bool response = false;             ///< texts of the answer, streamed or not
  /// A match is looked for within this many bytes, so that each rule holds a stream back by no more than these and an eighth.
  std::uint32_t max_match_bytes = 256;
};

/// `http_guard`: asks an upstream of the gateway whether a request may pass. Phase guard.
struct HttpGuardPlugin {
  std::string upstream = {};         ///< by name; its credential and its address rules hold
  std::string path = "/";
  enum class Text : std::uint8_t { kPrompt, kLastUser } text = Text::kPrompt;
  /// The request is refused where this holds of the answer's JSON body.
  BodyMatch refuse_if = {};
  int status = 422;                  ///< of the refusal
  std::string message = {};          ///< of the refusal; empty: names the plugin
};

/// One entry of a plugin list. At most one of the settings stands in it; with none, `name` is that of a plugin the host
/// program brought (OpenOptions::plugins).
struct PluginUse {
  std::string name = {};             ///< unique in its list; what errors, ledger and events call it
  PluginMode mode = PluginMode::kEnforce;
  FailMode on_error = FailMode::kClosed;
  std::chrono::milliseconds timeout{5'000};  ///< of one wait of the plugin
  std::optional<TransformPlugin> transform = {};
  std::optional<LimitsPlugin> limits = {};
  std::optional<RequestLogPlugin> request_log = {};
  std::optional<RegexReplacePlugin> regex_replace = {};
  std::optional<HttpGuardPlugin> http_guard = {};
};

}  // namespace sluice
