// Bytes through a socket, or through TLS on it.

#include "server/channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "engine/loop.hpp"

namespace sluice::server {
namespace {

bool not_now(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// OpenSSL's own way to a socket writes with write(), which raises SIGPIPE in whoever hosts us. The descriptor is the BIO's
// data: its channel outlives it.
int descriptor_of(BIO* bio) noexcept { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && not_now(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* space, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::recv(descriptor_of(bio), space, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (n < 0 && not_now(errno)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

/// One for the process, made when the first TLS connection comes; never freed, as nothing tells when the last one went.
const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_ctrl(made, &bio_control);
    BIO_meth_set_create(made, &bio_create);
    return made;
  }();
  return method;
}

}  // namespace

Channel::Channel(int fd, std::shared_ptr<const auth::ServerTls> tls) : fd_(fd), tls_(std::move(tls)), shaken_(tls_ == nullptr) {
  if (!tls_) return;
  session_ = tls_->open();
  BIO* bio = session_ ? BIO_new(socket_method()) : nullptr;
  if (bio == nullptr) {
    broken_ = true;  // memory is out
    session_.reset();
    return;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  SSL_set_bio(session_.get(), bio, bio);  // takes it
  handshake_waits_for_ = engine::kReadable;
}

Channel::~Channel() { close(); }

/// Reads OpenSSL's answer to a call that moved nothing. `waits_for`: where the direction goes that TLS waits for.
Channel::State Channel::judge(int result, std::uint32_t& waits_for) noexcept {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ: waits_for = engine::kReadable; return State::kAgain;
    case SSL_ERROR_WANT_WRITE: waits_for = engine::kWritable; return State::kAgain;
    case SSL_ERROR_ZERO_RETURN: return State::kClosed;  // an end in order: what we have to say may still be said
    default: break;
  }
  const unsigned long why = ERR_peek_error();
  spoke_plainly_ = !shaken_ && ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == SSL_R_HTTP_REQUEST;
  ERR_clear_error();
  broken_ = true;
  return State::kClosed;
}

Channel::State Channel::handshake() {
  if (shaken_) return State::kDone;
  if (broken_) return State::kClosed;
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result != 1) return judge(result, handshake_waits_for_);
  shaken_ = true;
  handshake_waits_for_ = engine::kNothing;
  if (auth::ServerTls::still_valid(*session_)) return State::kDone;
  broken_ = true;
  return State::kClosed;
}

std::uint32_t Channel::interest() const noexcept {
  // What a direction waits for by itself is its owner's business: he may not want it now.
  return handshake_waits_for_ | (receive_waits_for_ & engine::kWritable) | (send_waits_for_ & engine::kReadable);
}

std::optional<auth::PeerCertificate> Channel::peer_certificate() const {
  return session_ ? auth::ServerTls::peer_of(*session_) : std::nullopt;
}

Channel::Moved Channel::receive(std::span<char> space) {
  if (!tls_) {
    const ssize_t n = ::recv(fd_, space.data(), space.size(), MSG_DONTWAIT);
    if (n > 0) return {State::kDone, static_cast<std::size_t>(n)};
    return {n < 0 && not_now(errno) ? State::kAgain : State::kClosed, 0};
  }
  if (broken_) return {State::kClosed, 0};
  // Records that are here already are taken along; the socket is not asked a second time.
  std::size_t got = 0;
  while (got < space.size()) {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(session_.get(), space.data() + got, space.size() - got, &n);
    if (result != 1) {
      const State state = judge(result, receive_waits_for_);
      return got == 0 ? Moved{state, 0} : Moved{State::kDone, got};  // an end is met again by the next call
    }
    receive_waits_for_ = engine::kNothing;
    got += n;
    if (SSL_has_pending(session_.get()) == 0) break;
  }
  return {State::kDone, got};
}

bool Channel::buffered() const noexcept { return session_ && shaken_ && !broken_ && SSL_has_pending(session_.get()) != 0; }

Channel::Moved Channel::send(std::span<const iovec> parts) {
  if (!tls_) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return {State::kDone, static_cast<std::size_t>(n)};
    return {not_now(errno) ? State::kAgain : State::kClosed, 0};
  }
  if (broken_) return {State::kClosed, 0};
  if (parts.front().iov_len == 0) return {State::kDone, 0};
  std::size_t n = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(session_.get(), parts.front().iov_base, parts.front().iov_len, &n);
  if (result != 1) return {judge(result, send_waits_for_), 0};
  send_waits_for_ = engine::kNothing;
  return {State::kDone, n};
}

void Channel::finish() noexcept {
  if (session_ && shaken_ && !broken_) {
    ERR_clear_error();
    (void)SSL_shutdown(session_.get());  // once: the client's own is not waited for
    ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

void Channel::send_plainly(std::span<const char> bytes) noexcept {
  (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Channel::close() noexcept {
  if (fd_ < 0) return;
  if (session_ && shaken_ && !broken_ && (SSL_get_shutdown(session_.get()) & SSL_SENT_SHUTDOWN) == 0) {
    ERR_clear_error();
    (void)SSL_shutdown(session_.get());
    ERR_clear_error();
  }
  ::close(std::exchange(fd_, -1));
}

}  // namespace sluice::server
