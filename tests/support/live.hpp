#pragma once
// A gateway behind its listener on a port of the kernel's, and a raw client that says exactly the bytes it is told to.
// Every wait is for an event and bounded; nothing here sleeps.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/sluice.hpp"

namespace sluice::test {

/// How many times longer a bound on time may take: sanitizers slow everything they watch.
#if defined(SLUICE_SANITIZED)
inline constexpr int kSlowdown = 10;
#else
inline constexpr int kSlowdown = 1;
#endif

/// Every Outcome of a gateway, in the order they came.
class Outcomes {
 public:
  void add(const Outcome& outcome);
  /// Waits until there are `n`, at most 10 s; then gives all there are.
  [[nodiscard]] std::vector<Outcome> wait(std::size_t n);
  [[nodiscard]] std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Outcome> all_;
};

/// Gateway and Server of one configuration. Members go in the right order.
class Live {
 public:
  /// `config` is a document; a listener on a free port is added where it lists none, and `threads` is put in force.
  explicit Live(const std::string& config, std::uint32_t threads = 1, OpenOptions options = {});
  ~Live();

  [[nodiscard]] Gateway& gateway() { return *gateway_; }
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path) const;
  [[nodiscard]] Outcomes& outcomes() { return *outcomes_; }
  void stop_server() { server_.reset(); }

 private:
  std::shared_ptr<Outcomes> outcomes_;
  std::optional<Gateway> gateway_;
  std::optional<Server> server_;
  std::uint16_t port_ = 0;
};

/// An answer as it stood on the wire, with its body taken out of its framing.
struct WireAnswer {
  int status = 0;
  std::string head;                 ///< status line and fields
  std::string body;                 ///< decoded from chunks
  bool complete = false;            ///< the framing says the body is whole
  bool closed = false;              ///< the server closed the connection while it was read
  std::size_t chunks = 0;
  /// The first value of a field, or nothing.
  [[nodiscard]] std::optional<std::string> field(std::string_view name) const;
};

/// A client on a socket. Every call waits at most 10 s.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  /// A socket that is not connected yet: for who must have its descriptor beforehand.
  RawClient();
  void connect(std::uint16_t port);
  virtual ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  void send(std::string_view bytes);
  /// False where the server has closed or reset meanwhile.
  bool try_send(std::string_view bytes);
  /// Whatever comes next, at most `most` bytes; empty at the end of the connection.
  [[nodiscard]] std::string receive(std::size_t most = 65536);
  /// Reads until `text` has come (or the connection ended); everything read so far, which is kept for answer().
  std::string until(std::string_view text);
  /// One whole answer; bytes behind it stay for the next call.
  [[nodiscard]] WireAnswer answer(bool to_head_request = false);
  /// True once the server has closed (what comes before that is thrown away).
  [[nodiscard]] bool closed();
  void shut_down();   ///< sends FIN
  void reset();       ///< closes with RST
  void close();
  [[nodiscard]] int fd() const { return fd_; }

 protected:
  /// One read and one write, as ::recv and ::send count them; what stands on the socket overrides them.
  virtual long take(char* space, std::size_t size);
  virtual long give(const char* bytes, std::size_t size);

 private:
  int fd_ = -1;
  std::string held_;
};

/// `POST target` with a JSON body and the fields a client sends.
[[nodiscard]] std::string post(std::string_view target, std::string_view body, std::string_view more_fields = {});
[[nodiscard]] std::string get(std::string_view target, std::string_view more_fields = {});
/// A chat request of one user message.
[[nodiscard]] std::string chat_body(std::string_view model, std::string_view text = "hello", bool stream = false);

/// Waits until `holds`, asking every millisecond, at most 10 s. For states that no event announces (descriptor counts).
bool eventually(const std::function<bool()>& holds);

/// Open descriptors of this process.
[[nodiscard]] std::size_t open_descriptors();
/// Resident memory of this process, in bytes.
[[nodiscard]] std::size_t resident_bytes();

/// The recordings (env SLUICE_FIXTURES, else ../shared/fixtures beside the sources); empty where there are none.
[[nodiscard]] std::string fixtures_directory();

}  // namespace sluice::test
