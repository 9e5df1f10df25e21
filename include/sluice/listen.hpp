#pragma once
/// Where a gateway is reached: an address, what is spoken there, and who may. Plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/clock.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// What a listener proves itself with: two PEM files, read when the gateway opens or reloads.
struct ListenCertificate {
  std::string certificate = {};         ///< path: the certificate, then those between it and its root
  std::string key = {};                 ///< path of its private key, not encrypted
  /// Host names it is shown for when a client asks for one (SNI): `api.example.com`, `*.example.com`. Empty = the names it
  /// states itself.
  std::vector<std::string> names = {};
};

/// Certificates that clients prove themselves with.
struct ClientCertificates {
  std::string ca_file = {};             ///< path, PEM: whoever these sign may connect
  bool required = true;                 ///< false: a client without one may connect and needs a key
};

/// TLS of one listener. TLS 1.2 and later, HTTP/1.1 by ALPN.
struct ListenTls {
  std::vector<ListenCertificate> certificates = {};  ///< at least one; the first is for clients that ask for no name, or another
  std::string min_version = "1.2";      ///< `1.2` or `1.3`
  std::optional<ClientCertificates> clients = {};
  Milliseconds handshake_timeout{10'000};  ///< accept -> the handshake is done
};

/// Which pages of other origins may call from a browser.
struct Cors {
  std::vector<std::string> allow_origins = {};  ///< `https://app.example.com`; `*` = any
  std::vector<std::string> allow_methods = {"GET", "POST"};
  std::vector<std::string> allow_headers = {};  ///< that a page may set; empty = those it asks for
  std::vector<std::string> expose_headers = {}; ///< that a page may read
  bool allow_credentials = false;               ///< cookies and client certificates; not with `*`
  std::uint32_t max_age_seconds = 600;          ///< how long a browser keeps a preflight's answer
};

/// One address the listener binds.
struct Listen {
  std::string address = "127.0.0.1:0";  ///< `host:port`, `[v6]:port`; port 0 = any free one
  bool anonymous = false;               ///< serve callers without a key on an address that is not loopback
  std::string dialect = {};             ///< fixes the dialect of errors; empty = by path and headers
  std::optional<ListenTls> tls = {};    ///< unset = plain
  std::optional<Cors> cors = {};        ///< unset = requests of browsers are requests like any other
  /// Addresses and networks whose `X-Forwarded-For` names the client; judged on the peer of the connection. Of anyone else
  /// the field says nothing: the client is the peer.
  std::vector<std::string> trusted_proxies = {};
  /// Addresses and networks that may connect (`10.0.0.0/8`, `::1`), judged on the peer of the connection: no header field
  /// counts. Empty = everyone who can reach the address.
  std::vector<std::string> allow_addresses = {};
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_connections_per_address = 0;  ///< 0 = no bound
  Milliseconds header_timeout{10'000};            ///< first byte of a request -> its last header byte
  Milliseconds body_timeout{60'000};              ///< the longest silence of a client inside a body: of its request, or taking none of its answer
  Milliseconds idle_timeout{75'000};              ///< between requests
};

}  // namespace sluice
