#include "commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include "gateway/plugin_links.hpp"
#include "json/writer.hpp"
#include "new_key.hpp"
#include "request_file.hpp"
#include "sluice/sluice.hpp"

namespace sluiced {

namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string counted(std::size_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

/// A configuration that can be opened where its secrets are not: explaining sends nothing, so nothing needs them.
/// A consumer's key that cannot be read is one nobody has.
void without_secrets(sluice::Config& config) {
  const auto stand_in = [](sluice::Secret& secret, const std::string& name) {
    if (!secret.empty() && !secret.resolve()) secret = sluice::Secret::literal("unreadable secret of " + name);
  };
  for (auto& upstream : config.upstreams) stand_in(upstream.credential, upstream.name);
  for (auto& consumer : config.consumers) {
    for (std::size_t i = 0; i < consumer.keys.size(); ++i)
      stand_in(consumer.keys[i].value, fmt::format("{}/{}", consumer.name, i));
  }
}

}  // namespace

const char* const kStarter = R"({
  "version": 1,
  "gateway": {
    "name": "gateway",
    "listen": [{"address": "127.0.0.1:8080"}]
  },
  "upstreams": [
    {
      "$comment": "Answers by itself: no key, no network. Replace it by the next one, and name that in the route.",
      "name": "demo",
      "provider": "simulator",
      "simulator": {"answer": "Hello from the simulator.", "first_token_ms": 100, "tokens_per_second": 20}
    },
    {
      "name": "openai",
      "provider": "openai",
      "credential": {"env": "OPENAI_API_KEY"}
    }
  ],
  "routes": [
    {
      "name": "openai",
      "match": {"model": ["gpt-*", "o*", "text-*"]},
      "upstreams": [{"name": "openai"}]
    },
    {
      "name": "demo",
      "upstreams": [{"name": "demo"}]
    }
  ]
}
)";

int complain(const std::string& message) {
  fmt::print(stderr, "sluiced: {}\n", message);
  return kInvalid;
}

int check(const std::string& path, bool json) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  std::vector<sluice::Problem> problems;
  if (!file || !(text << file.rdbuf())) {
    const auto unreadable = sluice::Config::load(path);  // says why
    const std::string why = unreadable ? "the file changed while it was read" : unreadable.error().message;
    if (!json) return complain(why);
    problems.push_back({"", why});
  } else {
    problems = sluice::validate_json(text.view());
  }
  const auto config = problems.empty() ? sluice::Config::parse(text.view()) : sluice::Config{};
  // The daemon brings no plugins of its own.
  if (config && problems.empty()) problems = sluice::gateway::judge_links(*config, {});
  if (json) {
    std::string out;
    sluice::json::Writer writer(out);
    writer.begin_object().key("ok").boolean(problems.empty());
    if (config && problems.empty()) {
      writer.key("upstreams")
          .unsigned_integer(config->upstreams.size())
          .key("routes")
          .unsigned_integer(config->routes.size());
    }
    writer.key("problems").begin_array();
    for (const auto& problem : problems)
      writer.begin_object().field("pointer", problem.pointer).field("message", problem.message).end_object();
    writer.end_array().end_object();
    print(out + "\n");
    return problems.empty() ? kGood : kInvalid;
  }
  if (!problems.empty()) {
    fmt::print(stderr, "{}: {}\n{}\n", path, counted(problems.size(), "mistake"), sluice::to_string(problems));
    return kInvalid;
  }
  if (!config) return complain(config.error().message);
  print(fmt::format("ok: {}, {}; secrets were not read\n", counted(config->upstreams.size(), "upstream"),
                    counted(config->routes.size(), "route")));
  return kGood;
}

int explain(const std::string& path, const std::string& request_path, bool json) {
  auto config = sluice::Config::load(path);
  if (!config) return complain(config.error().message);
  const auto asked = load_request(request_path);
  if (!asked) return complain(asked.error().message);
  without_secrets(*config);
  config->gateway.threads = 0;
  const auto gateway = sluice::Gateway::open(std::move(*config));
  if (!gateway) return complain(gateway.error().message);
  const auto explanation = gateway->explain(asked->request, asked->options);
  const std::string& told = json ? explanation.json : explanation.text;
  print(told);
  if (!told.ends_with('\n')) print("\n");
  return kGood;
}

int dump(const std::string& path) {
  const auto config = sluice::Config::load(path);
  if (!config) return complain(config.error().message);
  print(config->dump());
  return kGood;
}

int new_key(const std::string& name) {
  const auto made = make_key(name);
  if (!made) return complain(made.error().message);
  print(fmt::format("{}\n\nThat is the key of '{}'. It is shown this once and kept nowhere: the configuration knows its SHA-256.\n"
                    "Its entry in \"consumers\" (of a consumer that is there already, add what stands in \"keys\"):\n\n{}\n",
                    made->key, name, made->entry));
  return kGood;
}

int run(const Options& options) {
  switch (options.command) {
    case Command::kServe:
      return serve(options);
    case Command::kCheck:
      return check(options.config, options.json);
    case Command::kExplain:
      return explain(options.config, options.request, options.json);
    case Command::kDump:
      return dump(options.config);
    case Command::kSchema:
      print(sluice::config_schema());
      return kGood;
    case Command::kInit:
      print(kStarter);
      return kGood;
    case Command::kNewKey:
      return new_key(options.name);
    case Command::kVersion:
      print(fmt::format("sluiced {}\n", sluice::version()));
      return kGood;
    case Command::kHelp:
      print(kHelp);
      return kGood;
  }
  return kUsage;
}

}  // namespace sluiced
