#pragma once
/// How one endpoint's TLS is verified: its trust store, read once and shared by all its connections, its client
/// certificate, and the sessions its connections resume. Verification cannot be turned off. Knows OpenSSL and libcurl.

#include <curl/curl.h>
#include <openssl/types.h>

#include <memory>

#include "engine/transport.hpp"

namespace sluice::engine {

class CurlTls {
 public:
  /// Errors: kFileUnreadable names the file and the option.
  [[nodiscard]] static Result<std::unique_ptr<CurlTls>> open(const Endpoint& endpoint);
  ~CurlTls();
  CurlTls(const CurlTls&) = delete;
  CurlTls& operator=(const CurlTls&) = delete;

  /// Lifetime: this object, as long as the handle.
  void apply(CURL* easy) const;

 private:
  CurlTls() = default;
  static CURLcode on_context(CURL* easy, void* context, void* self);

  X509_STORE* store_ = nullptr;
  CURLSH* sessions_ = nullptr;   // of this endpoint alone: a resumed session is not verified again
  std::string certificate_file_, key_file_;
};

}  // namespace sluice::engine
