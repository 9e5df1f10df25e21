// A client that speaks TLS.

#include "support/tls_client.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>

namespace sluice::test {
namespace {

std::string reasons() {
  std::string out;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> text;
    ERR_error_string_n(code, text.data(), text.size());
    out += std::string(out.empty() ? "" : "; ") + text.data();
  }
  return out;
}

/// Sends each byte alone; TCP_NODELAY makes a segment of it.
int write_bytes(BIO* bio, const char* bytes, int size) {
  const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  for (int i = 0; i < size; ++i) {
    if (::send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1) return -1;
  }
  return size;
}
int read_bytes(BIO* bio, char* space, int size) {
  return static_cast<int>(::recv(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), space, static_cast<std::size_t>(size), 0));
}
long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
int write_whole(BIO* bio, const char* bytes, int size) {
  const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  return static_cast<int>(::send(fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL));
}

/// A socket without SIGPIPE: what a test proves about that signal must not be its own client's doing.
BIO* socket_bio(int fd, bool byte_by_byte) {
  const auto make = [](auto* write) {
    BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "test socket");
    BIO_meth_set_write(method, write);
    BIO_meth_set_read(method, &read_bytes);
    BIO_meth_set_ctrl(method, &control);
    return method;
  };
  static const BIO_METHOD* const whole = make(&write_whole);
  static const BIO_METHOD* const bytes = make(&write_bytes);
  BIO* bio = BIO_new(byte_by_byte ? bytes : whole);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

int keep_ticket(SSL* session, SSL_SESSION* fresh) {
  auto* place = static_cast<TlsTicket*>(SSL_get_app_data(session));
  *place = TlsTicket(fresh, &SSL_SESSION_free);
  return 1;  // it is ours now
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const Options& options) : RawClient(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
  SSL_CTX* context = context_.get();
  REQUIRE(SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_security_level(context, 0);  // what is too old is for the server to refuse
  if (options.oldest != 0) SSL_CTX_set_min_proto_version(context, options.oldest);
  if (options.newest != 0) SSL_CTX_set_max_proto_version(context, options.newest);
  if (!options.certificate.empty()) {
    REQUIRE(SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  std::string offered;
  for (const std::string& protocol : options.protocols) offered += std::string(1, static_cast<char>(protocol.size())) + protocol;
  if (!offered.empty()) SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(offered.data()), static_cast<unsigned>(offered.size()));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &keep_ticket);
  session_.reset(SSL_new(context), &SSL_free);
  SSL_set_app_data(session_.get(), ticket_.get());
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(session_.get(), options.server_name.c_str());
    if (options.verify_name) SSL_set1_host(session_.get(), options.server_name.c_str());
  }
  if (options.ticket) SSL_set_session(session_.get(), options.ticket.get());
  BIO* bio = socket_bio(fd(), options.byte_by_byte);
  SSL_set_bio(session_.get(), bio, bio);
  // The hello leaves when the kernel has waited long enough for more (200 ms); what ends the handshake, when give() says so.
  const int cork = options.corked ? 1 : 0;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
  if (!options.later) shake();
}

bool TlsClient::shake() {
  ERR_clear_error();
  shaken_ = SSL_connect(session_.get()) == 1;
  if (!shaken_) failure_ = reasons();
  return shaken_;
}

TlsClient::~TlsClient() {
  // A session that was not ended in order may not be resumed: OpenSSL takes it for attacked.
  if (shaken_ && fd() >= 0) SSL_shutdown(session_.get());
  ERR_clear_error();
}

int TlsClient::version() const { return SSL_version(session_.get()); }

std::string TlsClient::protocol() const {
  const unsigned char* text = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session_.get(), &text, &size);
  return {reinterpret_cast<const char*>(text), size};
}

std::string TlsClient::server_names() const {
  const X509* certificate = SSL_get0_peer_certificate(session_.get());
  if (certificate == nullptr) return {};
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at < 0) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  X509V3_EXT_print(out.get(), X509_get_ext(certificate, at), 0, 0);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

bool TlsClient::resumed() const { return SSL_session_reused(session_.get()) == 1; }
bool TlsClient::ended_in_order() const { return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

long TlsClient::take(char* space, std::size_t size) {
  if (!shaken_) return 0;
  ERR_clear_error();
  const int n = SSL_read(session_.get(), space, static_cast<int>(size));
  if (n <= 0) failure_ = reasons();
  return n > 0 ? n : 0;
}

long TlsClient::give(const char* bytes, std::size_t size) {
  if (!shaken_) return -1;
  ERR_clear_error();
  const int n = SSL_write(session_.get(), bytes, static_cast<int>(size));
  const int off = 0;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_CORK, &off, sizeof off);
  return n;
}

}  // namespace sluice::test
