// Serving: signals are waited for, never handled, so nothing runs in a signal's context.
#include <unistd.h>
#include <csignal>

#include <fmt/format.h>

#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "commands.hpp"
#include "log.hpp"
#include "sluice/sluice.hpp"

namespace sluiced {

namespace {

using sluice::LogLevel;

/// Blocked before any thread is made, so that every thread inherits it and only sigwait takes them.
void block(const sigset_t& set) {
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our stdout or a client that went is an error of a write, no more
}

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : signals) sigaddset(&set, one);
  return set;
}

int wait_for(const sigset_t& set) {
  int number = 0;
  while (sigwait(&set, &number) != 0) {}
  return number;
}

/// Why the daemon cannot serve what a program could, or the configuration.
sluice::Result<sluice::Config> load_served(const std::string& path) {
  auto config = sluice::Config::load(path);
  if (!config) return config;
  const auto refuse = [](std::string why) { return sluice::fail(sluice::Code::kInvalidConfiguration, std::move(why)); };
  if (config->gateway.threads == 0)
    return refuse("/gateway/threads: 0 is for programs that drive the gateway themselves; the daemon needs at least 1");
  if (config->gateway.listen.empty())
    return refuse("/gateway/listen: no address to serve, as in [{\"address\": \"127.0.0.1:8080\"}]");
  const sluice::TelemetryOptions& told = config->telemetry;
  if ((told.prompt || told.answer || told.tool_calls) && told.files.empty())
    return refuse("/telemetry/files: content is asked for and no file gets it; name one, as in [{\"path\": \"events.jsonl\"}]");
  return config;
}

/// SIGHUP: the file anew, and with it what its references lead to. Whatever is wrong with it is logged, and nothing changes.
void reload(sluice::Gateway& gateway, const std::string& path, Log& log) {
  const auto keep = [&](std::string_view why) { log.add(LogLevel::kError, fmt::format("SIGHUP: the configuration in force stays: {}", why)); };
  auto config = load_served(path);
  if (!config) return keep(config.error().message);
  const std::size_t upstreams = config->upstreams.size(), routes = config->routes.size();
  if (const auto reloaded = gateway.reload(std::move(*config)); !reloaded) return keep(reloaded.error().message);
  log.add(LogLevel::kInfo, fmt::format("SIGHUP: '{}' is in force, with {} upstreams and {} routes", path, upstreams, routes));
}

void print_addresses(const sluice::Server& server, const sluice::Config& config) {
  for (std::size_t i = 0; i < server.addresses().size(); ++i)
    fmt::print("listening on {}://{}\n", config.gateway.listen[i].tls ? "https" : "http", server.addresses()[i]);
  if (!server.statistics_address().empty()) fmt::print("statistics on http://{}/statistics\n", server.statistics_address());
  std::fflush(stdout);
}

/// Reloads until it is told to end. Gives the signal that told it.
int work(sluice::Gateway& gateway, const std::string& path, Log& log, const sigset_t& signals) {
  for (;;) {
    const int number = wait_for(signals);
    if (number != SIGHUP) return number;
    reload(gateway, path, log);
  }
}

}  // namespace

int serve(const Options& options) {
  const sigset_t signals = set_of({SIGINT, SIGTERM, SIGHUP}), ending = set_of({SIGINT, SIGTERM});
  block(signals);
  // Lives as long as the process: whoever ends it may log until then.
  static Log& log = *new Log(options.log);
  auto config = load_served(options.config);
  if (!config) return log.end_with(config.error().message);

  auto gateway = sluice::Gateway::open(std::move(*config), {.log = [](LogLevel level, std::string_view text) { log.add(level, text); }});
  if (!gateway) return log.end_with(gateway.error().message);
  if (options.log.access) {
    gateway->core().set_access_log(
        [](const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked) { log.add_access(outcome, asked); });
  }
  auto server = sluice::Server::start(*gateway);
  if (!server) return log.end_with(server.error().message);
  print_addresses(*server, gateway->core().snapshot()->config);

  const int number = work(*gateway, options.config, log, signals);
  const auto drain_timeout = gateway->core().snapshot()->config.gateway.drain_timeout;
  log.add(LogLevel::kInfo, fmt::format("{}: no new connections; running exchanges have {} ms, a second signal ends them now",
                                       number == SIGINT ? "SIGINT" : "SIGTERM", drain_timeout.count()));
  std::thread([ending] {
    (void)wait_for(ending);
    log.add(LogLevel::kWarning, "second signal: ending at once");
    log.flush();
    _exit(kInvalid);
  }).detach();
  if (const auto drained = server->drain(drain_timeout); !drained) log.add(LogLevel::kWarning, drained.error().message);
  if (const auto closed = gateway->close(); !closed) return log.end_with(closed.error().message);
  log.add(LogLevel::kInfo, "ended");
  log.flush();
  return kGood;
}

}  // namespace sluiced
