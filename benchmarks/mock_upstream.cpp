// The simulated upstream as a program: full answers of the OpenAI dialect for any client or gateway under load.
//
//   mock_upstream [--port N] [--port-file PATH] [--answer-bytes N | --tokens N] [--tokens-per-second X]
//                 [--first-token-ms N] [--no-record]
//
// Prints its port, then serves until SIGINT or SIGTERM; a port file is written whole or not at all, for scripts that wait.
#include <sys/resource.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/simulator.hpp"

namespace {

struct Options {
  std::uint16_t port = 0;
  std::string port_file;
  std::optional<std::size_t> answer_bytes, tokens;
  double tokens_per_second = 0;
  std::chrono::milliseconds first_token{0};
  bool record = true;
};

[[noreturn]] void usage(std::string_view wrong) {
  std::cerr << "mock_upstream: " << wrong
            << "\nusage: mock_upstream [--port N] [--port-file PATH] [--answer-bytes N | --tokens N] [--tokens-per-second X]"
               " [--first-token-ms N] [--no-record]\n";
  std::exit(2);
}

template <typename Number>
Number number(std::string_view option, std::string_view text) {
  Number n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0) usage(std::string(option) + " needs a number, not '" + std::string(text) + "'");
  return n;
}

Options read(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = words[i];
    if (option == "--no-record") {
      options.record = false;
      continue;
    }
    if (i + 1 == count) usage("what is '" + std::string(option) + "'? It is unknown, or its value is missing");
    const std::string_view value = words[++i];
    if (option == "--port") options.port = number<std::uint16_t>(option, value);
    else if (option == "--port-file") options.port_file = value;
    else if (option == "--answer-bytes") options.answer_bytes = number<std::size_t>(option, value);
    else if (option == "--tokens") options.tokens = number<std::size_t>(option, value);
    else if (option == "--tokens-per-second") options.tokens_per_second = number<double>(option, value);
    else if (option == "--first-token-ms") options.first_token = std::chrono::milliseconds(number<std::int64_t>(option, value));
    else usage("unknown option '" + std::string(option) + "'");
  }
  if (options.answer_bytes && options.tokens) usage("--answer-bytes and --tokens exclude each other");
  return options;
}

/// Words of five bytes and a blank, cut to the size.
std::string text_of(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "water ";
  text.resize(bytes);
  return text;
}

bool write_port(const std::string& path, std::uint16_t port) {
  const std::string unfinished = path + ".new";
  std::ofstream(unfinished) << port << "\n";
  return std::rename(unfinished.c_str(), path.c_str()) == 0;
}

}  // namespace

int main(int count, char** words) {
  const Options options = read(count, words);

  // Thousands of open streams want a descriptor each.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  auto server = sluice::testing::SimServer::start(1, options.port);
  if (!server) return std::cerr << "mock_upstream: " << server.error().message << "\n", 1;
  server->record(options.record);
  server->configure([&](sluice::testing::Script& script) {
    if (options.answer_bytes) script.answers(text_of(*options.answer_bytes));
    if (options.tokens) script.generates(*options.tokens);
    sluice::testing::Pace pace;
    pace.first_token = options.first_token;
    pace.tokens_per_second = options.tokens_per_second;
    script.pace(pace);
  });
  if (!options.port_file.empty() && !write_port(options.port_file, server->port())) {
    return std::cerr << "mock_upstream: cannot write " << options.port_file << "\n", 1;
  }
  std::cout << server->port() << std::endl;

  int signal = 0;
  sigwait(&ends, &signal);
  std::cerr << "mock_upstream: " << server->requests() << " requests, " << server->connections_accepted() << " connections, "
            << server->abandoned() << " answers left unfinished by their clients\n";
  return 0;
}
