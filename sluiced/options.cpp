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

constexpr std::array kWords{Word{"--check", Command::kCheck, true}, Word{"--explain", Command::kExplain, true},
                            Word{"--dump", Command::kDump, true},   Word{"--schema", Command::kSchema, false},
                            Word{"--init", Command::kInit, false},  Word{"--version", Command::kVersion, false},
                            Word{"--help", Command::kHelp, false}};

const Word* find_word(std::string_view text) noexcept {
  for (const Word& word : kWords) {
    if (word.text == text) return &word;
  }
  return nullptr;
}

std::string unknown(std::string_view argument) {
  std::vector<std::string_view> known{"--json"};
  for (const Word& word : kWords) known.push_back(word.text);
  std::string out = "unknown option '" + std::string(argument) + "'";
  const std::string_view near = sluice::base::nearest(argument, known);
  return near.empty() ? out : out + ", did you mean '" + std::string(near) + "'?";
}

}  // namespace

const std::string_view kHelp =
    R"(sluiced, an AI gateway

usage:
  sluiced CONFIG.json                        serve, until SIGTERM or SIGINT; a second one ends at once
  sluiced CONFIG.json --check [--json]       say whether the configuration is good, or every mistake in it
  sluiced CONFIG.json --explain REQUEST.json [--json]
                                             say which route and upstream a request would take and why; sends nothing
  sluiced CONFIG.json --dump                 print the effective configuration, defaults included, secrets masked
  sluiced --init                             print a configuration to start from
  sluiced --schema                           print the JSON Schema of the configuration
  sluiced --version
  sluiced --help

REQUEST.json: {"method": "POST", "target": "/v1/chat/completions", "headers": {"x-tier": "gold"},
               "body": {"model": "smart", "messages": []}, "consumer": "app"}

exit status: 0 good, 1 invalid or failed, 2 wrong usage
)";

tl::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments) {
  Options options;
  const Word* chosen = nullptr;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "-h") argument = "--help";
    if (argument == "--json") {
      options.json = true;
    } else if (const Word* word = find_word(argument)) {
      if (chosen != nullptr && chosen != word) {
        return tl::unexpected("'" + std::string(chosen->text) + "' and '" + std::string(word->text) +
                              "' exclude each other");
      }
      chosen = word;
      options.command = word->command;
      if (word->command != Command::kExplain) continue;
      if (i + 1 == arguments.size() || arguments[i + 1].starts_with("--"))
        return tl::unexpected(std::string("'--explain' needs the path of a request file"));
      options.request = arguments[++i];
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
  if (options.json && options.command != Command::kCheck && options.command != Command::kExplain) {
    return tl::unexpected(std::string("'--json' goes with '--check' and '--explain' only"));
  }
  return options;
}

}  // namespace sluiced
