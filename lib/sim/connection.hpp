#pragma once
/// One accepted connection of the simulated server: reads a request, tells the answer at its pace with its fault, reads
/// the next. Knows HTTP and one socket; must not know how connections are accepted or counted.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/loop.hpp"
#include "sim/telling.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {

class Connection;

/// What a connection tells the server it belongs to. Server thread only.
class ConnectionOwner {
 public:
  /// A whole request arrived. Lifetime of what the reader shows: the call.
  virtual std::unique_ptr<Telling> answer(const RequestReader& request) = 0;
  /// The connection is over; `abandoned`: its client left before the end of an answer. The owner takes the object out of
  /// use at once and destroys it later, never inside this call.
  virtual void closed(Connection& connection, bool abandoned) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// Server thread only.
class Connection final : public engine::IoHandler {
 public:
  /// Takes `fd`, which is non-blocking.
  Connection(engine::Loop& loop, ConnectionOwner& owner, int fd);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Between two requests.
  [[nodiscard]] bool idle() const noexcept { return state_ == State::kReading && in_.empty(); }
  /// Ends it, by FIN or by RST.
  void close(bool reset);

  void on_ready(int fd, std::uint32_t ready) override;

 private:
  enum class State : std::uint8_t { kReading, kHead, kBody, kEnding, kDraining, kClosed };
  /// How a body ends on the wire.
  enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose, kNone };
  enum class Flush : std::uint8_t { kDone, kBlocked, kBroken };

  void receive();
  void read_requests();
  bool begin_answer();
  void play();
  void tell();
  bool tell_head();
  bool tell_body();
  bool take_event(bool& ended);
  void frame(std::string_view bytes);
  void end_answer();
  void drain();
  void refuse(int status);
  bool send_out();
  Flush flush();
  void wait_until(Duration at);
  void watch(std::uint32_t interest);
  void leave();

  engine::Loop& loop_;
  ConnectionOwner& owner_;
  int fd_;
  State state_ = State::kReading;
  std::uint32_t interest_ = engine::kNothing;
  engine::Timer timer_;

  std::string in_;
  std::unique_ptr<RequestReader> reader_;

  // The answer that is being told.
  std::unique_ptr<Telling> telling_;
  TimePoint arrived_{};
  Framing framing_ = Framing::kLength;
  bool keep_alive_ = true;
  std::string head_;
  std::size_t head_sent_ = 0;      // of a head that comes byte by byte
  std::string body_;               // due, waiting to be cut in pieces
  std::size_t body_at_ = 0;
  std::string out_;
  std::size_t out_at_ = 0;
};

}  // namespace sluice::sim
