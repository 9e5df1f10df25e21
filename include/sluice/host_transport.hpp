#pragma once
/// A network of the host program's own in the place of ours: requests come to it as they would go on the wire, and it answers
/// them from any thread. For tests, and for hosts whose way out is no socket. Knows requests and answers; must not know what
/// they mean, nor who asked.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/headers.hpp"
#include "sluice/message.hpp"

namespace [[gnu::visibility("default")]] sluice {

class TransportFactory;

/// One request as it would go on the wire. Host, Content-Length, Connection and Accept-Encoding are the host's own to write.
/// Lifetime: the call it came with.
struct HostRequest {
  std::uint64_t transfer;     ///< what it is answered by; never 0, never used again by its HostNetwork
  std::string_view upstream;  ///< its name; of what grants its tokens: the same and " (tokens)"
  std::string_view origin;    ///< scheme, host, and port where it is not the scheme's own: "https://api.example.com"
  std::string_view method;
  std::string_view target;    ///< path and query, percent-encoded
  const Headers& headers;
  std::string_view body;
  bool has_body;              ///< false: there is none, which is not an empty one
  bool stream;                ///< an answer that comes bit by bit is expected
};

/// What a host does. Calls come on engine threads (host-driven: inside drive()), of several transfers at once; they must not
/// block, nor throw. Answers may be given inside.
class HostTransport {
 public:
  virtual ~HostTransport() = default;
  /// Once for each transfer, first.
  virtual void start(const HostRequest& request) = 0;
  /// Nobody waits for this transfer any more; what is still said of it does nothing. At most once, last; not for one that the
  /// host has ended.
  virtual void cancel(std::uint64_t /*transfer*/) {}
  /// More may be given, where bytes() has said that it may not.
  virtual void resume(std::uint64_t /*transfer*/) {}
};

/// Brings a HostTransport into a gateway: hand transport() to Gateway::open. It may serve several. Fit for a manual clock: it
/// opens no descriptor and waits for no time of its own.
///
/// What is said of a transfer that is over, or never was one, does nothing. What is said in the wrong order (bytes before their
/// head, a second head) is refused with kInvalidParameter. Thread: any; what one transfer is told by several threads at once
/// comes in some order.
class HostNetwork {
 public:
  /// `host` is borrowed, and outlives this and every gateway that uses it.
  explicit HostNetwork(HostTransport& host);
  HostNetwork(const HostNetwork&) = delete;
  HostNetwork& operator=(const HostNetwork&) = delete;
  ~HostNetwork();

  /// Lifetime: this object's, which outlives the gateways.
  [[nodiscard]] TransportFactory* transport();

  /// The connection stands and the request goes out: the time-out of connecting is over, that of the head begins. Whoever does
  /// not know says so at once; a head says it, too. Errors, of all that follow: kForked.
  Status connected(std::uint64_t transfer);
  /// The head of the answer. What belongs to one hop is left out; what no server may say ends the transfer as it would on the
  /// wire. Errors: kInvalidParameter for a status that is none from 200 to 599.
  Status head(std::uint64_t transfer, ResponseHead head);
  /// The next bytes of the body, all of them taken. True: give no more until HostTransport::resume. Who gives more all the same
  /// is refused from 1 MiB on that nobody has taken: kOverloaded.
  [[nodiscard]] Result<bool> bytes(std::uint64_t transfer, std::string_view bytes);
  /// The answer is whole. Fewer bytes than its head has announced make it a truncated one.
  Status end(std::uint64_t transfer);
  /// There will be no answer, or no more of it. `code`: what a network of ours would have called it: kUpstreamResolveFailed,
  /// -ConnectFailed, -TlsFailed, -Reset, -ProtocolError, -Truncated; kAddressRefused; kConnectTimeout, kHeadersTimeout,
  /// kIdleTimeout. `detail` is told to callers: one clause without a secret.
  Status fail(std::uint64_t transfer, Code code, std::string detail);
  /// Every transfer that is open fails so.
  Status fail_all(Code code, const std::string& detail);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
