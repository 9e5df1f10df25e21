#include "options.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/nearest.hpp"

namespace sluiced {

namespace {

struct Word {
  std::string_view text;
  Command command;
  bool needs_config;
};

constexpr std::array kWords{Word{"--check", Command::kCheck, true},     Word{"--explain", Command::kExplain, true},
                            Word{"--dump", Command::kDump, true},       Word{"--schema", Command::kSchema, false},
                            Word{"--init", Command::kInit, false},      Word{"--new-key", Command::kNewKey, false},
                            Word{"--version", Command::kVersion, false}, Word{"--help", Command::kHelp, false}};

/// An option of serving that takes one of a few values.
struct Choice {
  std::string_view text;
  std::string_view values;  // as they are told
  bool (*take)(std::string_view value, LogOptions& log);
};

bool take_format(std::string_view value, LogOptions& log) {
  log.format = value == "json" ? LogFormat::kJson : LogFormat::kText;
  return value == "json" || value == "text";
}

bool take_level(std::string_view value, LogOptions& log) {
  using Level = std::pair<std::string_view, sluice::LogLevel>;
  constexpr std::array kLevels{Level{"debug", sluice::LogLevel::kDebug}, Level{"info", sluice::LogLevel::kInfo},
                               Level{"warning", sluice::LogLevel::kWarning}, Level{"error", sluice::LogLevel::kError}};
  for (const auto& [name, level] : kLevels) {
    if (name == value) return log.level = level, true;
  }
  return false;
}

constexpr std::array kChoices{Choice{"--log-format", "text or json", take_format}, Choice{"--log-level", "debug, info, warning or error", take_level}};

const Choice* find_choice(std::string_view text) noexcept {
  for (const Choice& choice : kChoices) {
    if (choice.text == text) return &choice;
  }
  return nullptr;
}

const Word* find_word(std::string_view text) noexcept {
  for (const Word& word : kWords) {
    if (word.text == text) return &word;
  }
  return nullptr;
}

std::string unknown(std::string_view argument) {
  std::vector<std::string_view> known{"--json", "--access-log"};
  for (const Choice& choice : kChoices) known.push_back(choice.text);
  for (const Word& word : kWords) known.push_back(word.text);
  std::string out = "unknown option '" + std::string(argument) + "'";
  const std::string_view near = sluice::base::nearest(argument, known);
  return near.empty() ? out : out + ", did you mean '" + std::string(near) + "'?";
}

}  // namespace

const std::string_view kHelp =
    R"(sluiced, an AI gateway

usage:
  sluiced CONFIG.json [--log-format FORMAT] [--log-level LEVEL] [--access-log]
                                             serve, until SIGTERM or SIGINT; a second one ends at once; SIGHUP reloads
  sluiced CONFIG.json --check [--json]       say whether the configuration is good, or every mistake in it
  sluiced CONFIG.json --explain REQUEST.json [--json]
                                             say which route and upstream a request would take and why; sends nothing
  sluiced CONFIG.json --dump                 print the effective configuration, defaults included, secrets masked
  sluiced --init                             print a configuration to start from
  sluiced --new-key NAME                     make a key for a consumer; print it, this once, and the entry that knows it
  sluiced --schema                           print the JSON Schema of the configuration
  sluiced --version
  sluiced --help

serving:
  --log-format text|json                     the form of the log, which goes to stderr; text where it is not said
  --log-level debug|info|warning|error       the least that is logged; info where it is not said
  --access-log                               log a line for each exchange that is over

REQUEST.json: {"method": "POST", "target": "/v1/chat/completions", "headers": {"x-tier": "gold"},
               "body": {"model": "smart", "messages": []}, "consumer": "app"}

exit status: 0 good, 1 invalid or failed, 2 wrong usage
)";

tl::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments) {
  Options options;
  const Word* chosen = nullptr;
  std::string_view of_serving;  // the last option that goes with it alone
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "-h") argument = "--help";
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--access-log") {
      of_serving = argument;
      options.log.access = true;
    } else if (const Choice* choice = find_choice(argument)) {
      of_serving = argument;
      if (i + 1 == arguments.size() || !choice->take(arguments[++i], options.log))
        return tl::unexpected("'" + std::string(argument) + "' needs " + std::string(choice->values));
    } else if (const Word* word = find_word(argument)) {
      if (chosen != nullptr && chosen != word) {
        return tl::unexpected("'" + std::string(chosen->text) + "' and '" + std::string(word->text) +
                              "' exclude each other");
      }
      chosen = word;
      options.command = word->command;
      if (word->command != Command::kExplain && word->command != Command::kNewKey) continue;
      const bool explains = word->command == Command::kExplain;
      if (i + 1 == arguments.size() || arguments[i + 1].starts_with("--")) {
        return tl::unexpected("'" + std::string(argument) + "' needs " + (explains ? "the path of a request file" : "the name of a consumer"));
      }
      (explains ? options.request : options.name) = arguments[++i];
    } else if (argument.starts_with("-") && argument != "-") {
      return tl::unexpected(unknown(argument));
    } else if (argument.empty()) {
      return tl::unexpected(std::string("a path is empty"));
    } else if (!options.config.empty()) {
      return tl::unexpected("one configuration file, not two: '" + options.config + "' and '" + std::string(argument) +
                            "'");
    } else {
      options.config = argument;
    }
  }
  const bool needs_config = chosen == nullptr || chosen->needs_config;
  if (needs_config && options.config.empty()) return tl::unexpected(std::string("no configuration file is named"));
  if (!needs_config && !options.config.empty()) {
    return tl::unexpected("'" + std::string(chosen->text) + "' takes no configuration file (is '" + options.config +
                          "')");
  }
  if (!of_serving.empty() && options.command != Command::kServe)
    return tl::unexpected("'" + std::string(of_serving) + "' goes with serving only");
  if (options.json && options.command != Command::kCheck && options.command != Command::kExplain) {
    return tl::unexpected(std::string("'--json' goes with '--check' and '--explain' only"));
  }
  return options;
}

}  // namespace sluiced
