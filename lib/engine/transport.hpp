#pragma once
/// The narrow interface between the gateway and whatever moves bytes: a wire request goes in, a sink is called.
/// Behind it: full libcurl transfers (curl_transfer), the simulated upstream (sim), later our own codec.
/// Knows no model, no route, no dialect, no JSON.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/edit_list.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/message.hpp"

namespace sluice {
namespace engine {
class Loop;
class Resolver;

/// Where a channel leads to. A value; what is in force for a connection is fixed when the channel is opened.
struct Endpoint {
  std::string name;              ///< of the upstream; sim transports look it up, logs show it
  bool tls = false;
  std::string host;              ///< without brackets
  std::uint16_t port = 80;
  std::string authority;         ///< the Host field: host, and port where it is not the scheme's own
  std::string ca_file, certificate_file, key_file;
  std::string proxy_host;        ///< empty = none
  std::uint16_t proxy_port = 0;
  bool http2 = false;
  bool public_addresses_only = false;
  bool compressed = false;       ///< ask for gzip and deflate, decode, count decoded bytes
  std::uint64_t max_head_bytes = 64 * 1024;
  std::uint64_t max_answer_bytes = 0;     ///< after decoding; 0 = no bound
  std::uint64_t max_decoded_bytes = 32ull << 20;  ///< of a compressed answer; and at most 200:1 after the first MiB
  std::uint32_t max_connections = 0;      ///< over all engines that share `budget`; 0 = no bound
};

/// One request as it goes on the wire. Host, Content-Length, Connection and Accept-Encoding are the transport's own.
struct WireRequest {
  std::string method;
  std::string target;        ///< origin-form, already encoded
  Headers headers;
  base::EditedBody body;
  bool has_body = false;
  bool streaming = false;    ///< the answer is expected to be long and slow: keep its buffers small
  bool repeatable = true;    ///< false: a fresh connection, so that it can never be resent below
};

/// How a transfer ended, and its account.
struct TransferEnd {
  Code code = Code::kOk;     ///< kOk, or one of the kUpstream*, kAddressRefused codes
  std::string detail;        ///< one clause for a person: "connection refused by 127.0.0.1:9"
  std::uint32_t sends = 0;   ///< how often the request's bytes went out; above 1: resent below us
  bool reused_connection = false;
  std::string remote_address;
  Duration resolve{}, connect{}, first_byte{}, total{};   ///< each from the start of the transfer
  std::uint64_t bytes_sent = 0, bytes_received = 0;        ///< of bodies
};

/// Receives one transfer. Engine thread only; never called from inside Channel::start. May destroy or pause the
/// transfer from inside any call.
class TransferSink {
 public:
  /// The connection stands and the request is about to be sent. At most once a send.
  virtual void on_connected() {}
  /// The final head (1xx are swallowed). Once.
  virtual void on_head(ResponseHead&& head) = 0;
  /// Body bytes, decoded where the endpoint says so. All of them are taken; to slow the sender down, pause(). They live until it
  /// returns, also where it destroys the transfer.
  virtual void on_bytes(std::string_view bytes) = 0;
  /// Exactly once, last.
  virtual void on_done(const TransferEnd& end) = 0;

 protected:
  ~TransferSink() = default;
};

/// A transfer under way. Destroying it cancels: the connection is closed unless the answer was complete, and the sink
/// is not called again. Engine thread only.
class Transfer {
 public:
  virtual ~Transfer() = default;
  /// No on_bytes until resume(), but for what is already on its way in the current call (at most 64 KiB).
  virtual void pause() = 0;
  virtual void resume() = 0;
};

/// Transfers to one endpoint, on one engine: its connections are kept and reused. Engine thread only.
class Channel {
 public:
  virtual ~Channel() = default;
  /// Starts a transfer. `sink` is borrowed until on_done or the Transfer's end. Never fails here: failures come by on_done.
  [[nodiscard]] virtual std::unique_ptr<Transfer> start(WireRequest request, TransferSink& sink) = 0;
  /// Closes idle connections.
  virtual void trim() {}
};

/// What moves bytes on one engine. Engine thread only, and outlived by its loop.
class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<Channel>> open(const Endpoint& endpoint) = 0;
};

}  // namespace engine

/// Makes one transport for each engine. A host hands one in to replace the network (sluice::testing does).
/// Thread: any, concurrently.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) = 0;
  /// True where no real time and no descriptor is involved: fit for a manual clock.
  [[nodiscard]] virtual bool simulated() const noexcept { return false; }
};

}  // namespace sluice
