#pragma once
/// One client connection: bytes in through the strict parser, one exchange at a time, bytes out. Requests that a client
/// pipelines wait, unparsed, for their turn. Knows sockets and HTTP framing; must not know routes or upstreams.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/loop.hpp"
#include "gateway/exchange.hpp"
#include "http/request_parser.hpp"
#include "server/channel.hpp"
#include "server/responder.hpp"
#include "sluice/config.hpp"

namespace sluice::server {

class Hub;

/// Engine thread only. Owned by its hub; it asks to be let go when it is closed.
class Connection final : public engine::IoHandler,
                         public http::RequestSink,
                         public ExchangeListener,
                         public std::enable_shared_from_this<Connection> {
 public:
  /// `fd` is a connected, non-blocking socket, and becomes the connection's.
  Connection(Hub& hub, int fd, std::string peer);
  ~Connection();

  void open();
  /// Nothing more is taken in; what runs goes on, and its answer is the last.
  void drain();
  /// The drain's deadline: what runs is ended with an error in the caller's dialect.
  void cut();
  /// Closes now; an open exchange is cancelled.
  void close();
  /// A step of the TLS handshake; its hub says when. False where the connection is gone already.
  bool shake_hands();
  [[nodiscard]] bool busy() const noexcept { return exchange_ != nullptr; }
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

 private:
  // engine::IoHandler.
  void on_ready(int fd, std::uint32_t ready) override;
  // http::RequestSink: one request.
  void on_head(http::RequestHead&& head) override;
  void on_body(std::string_view bytes) override;
  void on_complete() override;
  // ExchangeListener: its answer.
  void on_head(const ResponseHead& head) override;
  void on_bytes(std::string_view bytes) override;
  void on_end(const Outcome& outcome) override;

  void shake_hands_later();
  void read();
  void read_later();
  void take(std::string_view bytes);
  void parse(std::string_view bytes);
  void parse_pending();
  [[nodiscard]] static bool skips_too_much(const http::RequestHead& head) noexcept;
  bool answer_browser(http::RequestHead& head);
  bool serve_page(const http::RequestHead& head);
  void answer_itself(const http::RequestHead& head, const ResponseHead& answer, std::string_view body);
  void tell(const ResponseHead& head, bool last);
  void refuse_wire(const Error& error);
  void answer_done();
  void next_request();
  void resume_later();
  void flush_later();
  void on_writable();
  void wrote(Responder::Written written);
  void expect_taking();
  void linger();
  void resume_reading();
  void watch();
  void expect_within(Milliseconds limit);
  void on_timer();
  void gone();

  enum class Phase : std::uint8_t {
    kHandshake,  ///< of TLS; no byte of a request has come
    kIdle,       ///< between requests; nothing of the next one has come
    kHead,       ///< inside a head
    kBody,       ///< inside a body
    kAnswering,  ///< the request is whole, its answer is not
    kLingering,  ///< answered for the last time; what still comes is thrown away until the client closes
    kClosed,
  };

  Hub& hub_;
  Channel channel_;
  const std::string peer_;
  std::unique_ptr<const auth::PeerCertificate> certificate_;  // the client's; null where it showed none
  Phase phase_ = Phase::kIdle;
  http::RequestParser parser_;
  Responder responder_;
  std::string origin_;            // of the page that sent the request at hand, where the listener lets it call
  std::string pending_;           // bytes behind the request that is being answered
  gateway::Exchange* exchange_ = nullptr;
  bool skipping_body_ = false;    // the request was answered before its body was whole
  bool request_whole_ = false;
  bool closing_if_early_ = false; // an answer before the body is whole ends the connection: too much is still to come
  bool last_ = false;             // the connection ends with this answer
  bool draining_ = false;
  bool parsing_ = false;
  bool reading_paused_ = false;   // pending_ is full
  bool upstream_paused_ = false;
  bool read_again_ = false;       // read_later() is under way
  bool shaking_later_ = false;    // the hub has it in its queue
  bool resuming_later_ = false;   // resume_later() is under way
  bool behind_ = false;           // the client has not taken all of its answer that is there
  bool broken_ = false;           // a write failed: the client is gone
  std::uint32_t interest_ = 0;
  std::size_t discarded_ = 0;
  TimePoint deadline_{};
  TimePoint body_since_{};        // the body under way: its head was whole, and
  std::uint64_t body_bytes_ = 0;  // how much of it has come
  engine::Timer timer_;
};

}  // namespace sluice::server
