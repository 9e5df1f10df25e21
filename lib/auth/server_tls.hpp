#pragma once
/// The TLS of one listener, compiled: its certificates by name, what is negotiated, whose clients may connect.
/// Knows OpenSSL's contexts and PEM files; must not know sockets or consumers.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/peer_certificate.hpp"
#include "sluice/error.hpp"
#include "sluice/listen.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace sluice::auth {

struct SslFree {
  void operator()(ssl_st* session) const noexcept;
};
/// One connection's state. Thread: the one that has the connection.
using TlsSession = std::unique_ptr<ssl_st, SslFree>;

/// Immutable once loaded. Thread: any, concurrently. Clients resume their sessions (by tickets, within the hour) as long as
/// the object lives: a listener whose files did not change keeps it across a reload.
class ServerTls {
 public:
  /// Reads the files; `before` is given back where they and the options are what it was made of.
  /// Errors: kInvalidConfiguration with every problem, one a line behind its JSON Pointer below `pointer`: a file that cannot
  /// be read, that holds no certificate or key, a key that is encrypted or another certificate's.
  [[nodiscard]] static Result<std::shared_ptr<const ServerTls>> load(const ListenTls& options, const std::string& pointer,
                                                                     const std::shared_ptr<const ServerTls>& before);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  /// A session of the server's side, without a way to its client yet. This object outlives it. Null where memory is out.
  [[nodiscard]] TlsSession open() const noexcept;

  /// The certificate a client was verified with; nothing where it showed none.
  [[nodiscard]] static std::optional<PeerCertificate> peer_of(ssl_st& session);
  /// False where a resumed session rests on a client certificate that has expired since.
  [[nodiscard]] static bool still_valid(ssl_st& session) noexcept;

 private:
  ServerTls() = default;
  static int choose_by_name(ssl_st* session, int* alert, void* self);
  [[nodiscard]] ssl_ctx_st* context_for(std::string_view name) const;

  struct ContextFree {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  std::string made_of_;                                                 // a digest: options and contents of files
  std::vector<std::unique_ptr<ssl_ctx_st, ContextFree>> contexts_;      // one a certificate; the first is the default
  std::unordered_map<std::string, ssl_ctx_st*> by_name_;                // lower case; `.example.com` for a wildcard
};

}  // namespace sluice::auth
