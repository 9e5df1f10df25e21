// Serving: signals are waited for, never handled, so nothing runs in a signal's context.
#include <unistd.h>
#include <csignal>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>

#include "commands.hpp"
#include "log_writer.hpp"
#include "sluice/sluice.hpp"

namespace sluiced {

namespace {

std::string_view name_of(sluice::LogLevel level) noexcept {
  switch (level) {
    case sluice::LogLevel::kDebug:
      return "debug";
    case sluice::LogLevel::kInfo:
      return "info";
    case sluice::LogLevel::kWarning:
      return "warning";
    case sluice::LogLevel::kError:
      return "error";
  }
  return "error";
}

/// Lives as long as the process: whoever ends it may log until then. First called once signals are blocked.
LogWriter& log_writer() {
  static LogWriter& writer = *new LogWriter(STDERR_FILENO);
  return writer;
}

void log(sluice::LogLevel level, std::string_view text) {
  if (level == sluice::LogLevel::kDebug) return;
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::string line =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {} {}\n", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms,
                  name_of(level), text);
  log_writer().add(line, level != sluice::LogLevel::kInfo);
}

/// Behind the lines that led to it.
int complain_last(const std::string& message) {
  log_writer().flush();
  return complain(message);
}

/// Blocked before any thread is made, so that every thread inherits it and only sigwait takes them.
sigset_t block_ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our stdout or a client that went is an error of a write, no more
  return set;
}

int wait_for(const sigset_t& set) {
  int number = 0;
  while (sigwait(&set, &number) != 0) {}
  return number;
}

}  // namespace

int serve(const std::string& path) {
  const sigset_t ending = block_ending_signals();
  auto config = sluice::Config::load(path);
  if (!config) return complain(config.error().message);
  if (config->gateway.threads == 0)
    return complain(
        "/gateway/threads: 0 is for programs that drive the gateway themselves; the daemon needs at least 1");
  if (config->gateway.listen.empty())
    return complain("/gateway/listen: no address to serve, as in [{\"address\": \"127.0.0.1:8080\"}]");
  const sluice::TelemetryOptions& told = config->telemetry;
  if ((told.prompt || told.answer || told.tool_calls) && told.files.empty())
    return complain("/telemetry/files: content is asked for and no file gets it; name one, as in [{\"path\": \"events.jsonl\"}]");
  const auto drain_timeout = config->gateway.drain_timeout;

  auto gateway = sluice::Gateway::open(std::move(*config), {.log = log});
  if (!gateway) return complain_last(gateway.error().message);
  auto server = sluice::Server::start(*gateway);
  if (!server) return complain_last(server.error().message);
  for (const std::string& address : server->addresses()) fmt::print("listening on http://{}\n", address);
  std::fflush(stdout);

  const int number = wait_for(ending);
  log(sluice::LogLevel::kInfo,
      fmt::format("{}: no new connections; running exchanges have {} ms, a second signal ends them now",
                  number == SIGINT ? "SIGINT" : "SIGTERM", drain_timeout.count()));
  std::thread([ending] {
    (void)wait_for(ending);
    log(sluice::LogLevel::kWarning, "second signal: ending at once");
    log_writer().flush();
    _exit(kInvalid);
  }).detach();
  if (const auto drained = server->drain(drain_timeout); !drained)
    log(sluice::LogLevel::kWarning, drained.error().message);
  if (const auto closed = gateway->close(); !closed) return complain_last(closed.error().message);
  log(sluice::LogLevel::kInfo, "ended");
  log_writer().flush();
  return kGood;
}

}  // namespace sluiced
