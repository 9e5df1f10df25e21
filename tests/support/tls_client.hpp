#pragma once
// A client that speaks TLS, by OpenSSL: what it offers and what it shows is the test's to say.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/live.hpp"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace sluice::test {

using TlsTicket = std::shared_ptr<ssl_session_st>;

class TlsClient : public RawClient {
 public:
  struct Options {
    std::string ca_file;                                  ///< whom it trusts
    std::string server_name = "localhost";                ///< asked for (SNI) and verified; empty = neither
    bool verify_name = true;                              ///< the certificate must have it
    std::string certificate = {}, key = {};               ///< shown when asked; empty = none
    int oldest = 0, newest = 0;                           ///< TLS1_2_VERSION and so on; 0 = what OpenSSL has
    std::vector<std::string> protocols = {"http/1.1"};    ///< ALPN; empty = none is offered
    TlsTicket ticket = {};                                ///< of a connection before
    bool corked = false;                                  ///< the end of the handshake leaves with the first bytes sent
    bool later = false;                                   ///< the handshake is shake()'s
    bool byte_by_byte = false;                            ///< every byte of the handshake is a segment of its own
  };
  /// Connects and shakes hands; whether that went well says shaken(). Thread: the test's; what follows may be another's.
  TlsClient(std::uint16_t port, const Options& options);
  ~TlsClient() override;

  bool shake();
  [[nodiscard]] bool shaken() const { return shaken_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] int version() const;
  [[nodiscard]] std::string protocol() const;             ///< ALPN's choice
  [[nodiscard]] std::string server_names() const;         ///< subject alternative names of the certificate shown, `DNS:a, DNS:b`
  [[nodiscard]] bool resumed() const;
  /// What a later connection may resume with; TLS 1.3 sends it behind the handshake: read something first.
  [[nodiscard]] TlsTicket ticket() const { return *ticket_; }
  /// The server said an end of its own (close_notify) before it closed.
  [[nodiscard]] bool ended_in_order() const;

 protected:
  long take(char* space, std::size_t size) override;
  long give(const char* bytes, std::size_t size) override;

 private:
  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<ssl_st> session_;
  std::shared_ptr<TlsTicket> ticket_ = std::make_shared<TlsTicket>();
  bool shaken_ = false;
  std::string failure_;
};

}  // namespace sluice::test
