#pragma once
// nginx and HAProxy as a test needs them: found where a system puts daemons, started on free ports of the loopback with
// configurations written here, each in front of a server of the test's, and ended with it.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sluice::test {

/// Where a program stands, daemons' directories included; empty where it is not installed.
[[nodiscard]] std::string find_program(const std::string& name);

/// A directory of this run's own.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// A program that runs until this goes.
class Daemon {
 public:
  Daemon(const std::vector<std::string>& command, const std::string& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  pid_t pid_ = 0;
};

/// A reverse proxy that listens. `upstream`: host:port. A client that falls silent inside a request for kPatienceMs is
/// given up.
class ReferenceProxy {
 public:
  static constexpr int kPatienceMs = 200;
  [[nodiscard]] static ReferenceProxy nginx(const std::string& program, const Scratch& scratch, const std::string& upstream);
  [[nodiscard]] static ReferenceProxy haproxy(const std::string& program, const Scratch& scratch, const std::string& upstream);
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  ReferenceProxy(const std::vector<std::string>& command, const std::string& log, std::uint16_t port);
  Daemon daemon_;
  std::uint16_t port_;
};

}  // namespace sluice::test
