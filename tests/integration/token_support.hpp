#pragma once
// Upstreams whose credential is a token, and the endpoints that grant one.

#include <atomic>
#include <cstdlib>
#include <string>

#include "integration/rig.hpp"

namespace sluice::test {

inline constexpr std::string_view kClientSecret = "s3cr3t+of/the=client-0123456789";

/// Configurations refer to secrets; they never hold them.
inline const bool kTokenSecrets = [] {
  ::setenv("SLUICE_TEST_ENTRA_SECRET", std::string(kClientSecret).c_str(), 1);
  return true;
}();

/// A token endpoint. The n-th token it grants is `token-n-...`.
class Grantor {
 public:
  explicit Grantor(int expires_in = 3600) : expires_in_(expires_in) {
    server_.on_request([this](const RawRequest&) { return grant(); });
  }
  [[nodiscard]] FaultServer& operator*() { return server_; }
  [[nodiscard]] FaultServer* operator->() { return &server_; }
  [[nodiscard]] Reply grant() { return json_reply(answer(++granted_)); }
  [[nodiscard]] std::string answer(int n) const {
    return R"({"token_type":"Bearer","expires_in":)" + std::to_string(expires_in_) + R"(,"access_token":")" + token(n) + "\"}";
  }
  [[nodiscard]] static std::string token(int n) { return "token-" + std::to_string(n) + "-0123456789abcdef"; }
  [[nodiscard]] static std::string bearer(int n) { return "Bearer " + token(n); }
  /// Members of an upstream's entry, behind a comma.
  [[nodiscard]] std::string entra(const std::string& client = "app") const {
    return R"(,"allow_plaintext_credential":true,"entra":{"tenant_id":"tenant-1","client_id":")" + client +
           R"(","client_secret":{"env":"SLUICE_TEST_ENTRA_SECRET"},"authority":"http://)" + server_.authority() + "\"}";
  }

 private:
  FaultServer server_;
  const int expires_in_;
  std::atomic<int> granted_{0};
};

/// A whole answer as bytes, for what comes behind a gate.
inline std::string json_reply_bytes(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string chat_request() { return post("/v1/chat/completions", chat_body("m")); }

}  // namespace sluice::test
