#pragma once
/// A connection's socket, plain or under TLS: bytes in, bytes out, neither of them waiting. Knows sockets and OpenSSL's
/// sessions; must not know HTTP.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "auth/server_tls.hpp"

namespace sluice::server {

/// Engine thread only. No call blocks, and none raises SIGPIPE.
class Channel {
 public:
  enum class State : std::uint8_t {
    kDone,    ///< handshake: it is; receive: bytes came; send: bytes went
    kAgain,   ///< nothing now: later, when the descriptor is ready for interest()
    kClosed,  ///< the client has ended, or broke what it spoke
  };
  struct Moved {
    State state = State::kAgain;
    std::size_t bytes = 0;
  };

  /// `fd` is a connected, non-blocking socket, and becomes the channel's. `tls` null = plain.
  Channel(int fd, std::shared_ptr<const auth::ServerTls> tls);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool secure() const noexcept { return tls_ != nullptr; }

  /// Goes on with the handshake. A plain channel has none to do.
  [[nodiscard]] State handshake();
  /// The handshake failed because the client speaks HTTP in the clear.
  [[nodiscard]] bool spoke_plainly() const noexcept { return spoke_plainly_; }
  /// The client's certificate, after the handshake; nothing where it showed none.
  [[nodiscard]] std::optional<auth::PeerCertificate> peer_certificate() const;

  [[nodiscard]] Moved receive(std::span<char> space);
  /// Bytes have come that the descriptor does not tell of any more: receive again.
  [[nodiscard]] bool buffered() const noexcept;
  /// At most two parts are given. What was refused with kAgain must be offered again before anything else.
  [[nodiscard]] Moved send(std::span<const iovec> parts);

  /// What TLS waits for beside what its owner does: engine::Ready bits. A handshake waits for either direction; after it,
  /// receiving may have to send first, and the other way round.
  [[nodiscard]] std::uint32_t interest() const noexcept;

  /// Tells the client that nothing more comes.
  void finish() noexcept;
  /// A few bytes past TLS, for a client that does not speak it.
  void send_plainly(std::span<const char> bytes) noexcept;
  /// The descriptor is not watched any more.
  void close() noexcept;

 private:
  [[nodiscard]] State judge(int result, std::uint32_t& waits_for) noexcept;

  int fd_;
  std::shared_ptr<const auth::ServerTls> tls_;
  auth::TlsSession session_;
  std::uint32_t handshake_waits_for_ = 0, receive_waits_for_ = 0, send_waits_for_ = 0;
  bool shaken_ = false;         // the handshake is over
  bool broken_ = false;         // nothing may be sent any more, not even an end
  bool spoke_plainly_ = false;
};

}  // namespace sluice::server
