#include "engine/curl_tls.hpp"

// libcurl would read the bundle once for every CURLM and every 24 hours, 15 ms and some MB each time. So it is told of no
// bundle, and gets our store when it has made its context.

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace sluice::engine {
namespace {

Status readable(const std::string& file, const Endpoint& endpoint, const char* what) {
  if (file.empty() || ::access(file.c_str(), R_OK) == 0) return {};
  return fail(Code::kFileUnreadable, "the " + std::string(what) + " '" + file + "' of upstream '" + endpoint.name + "' cannot be read");
}

/// The system's roots. A directory of hashed names is read one certificate at a time when it is needed; a bundle at once.
bool trust_system(X509_STORE* store) {
  const char* const directory = X509_get_default_cert_dir();
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".0") return X509_STORE_load_path(store, directory) == 1;
  }
  if (X509_STORE_load_file(store, X509_get_default_cert_file()) == 1) return true;
  const char* const bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
  return bundle != nullptr && X509_STORE_load_file(store, bundle) == 1;
}

}  // namespace

Result<std::unique_ptr<CurlTls>> CurlTls::open(const Endpoint& endpoint) {
  std::unique_ptr<CurlTls> tls(new CurlTls());
  for (const Status& status : {readable(endpoint.ca_file, endpoint, "CA file"), readable(endpoint.certificate_file, endpoint, "client certificate"),
                               readable(endpoint.key_file, endpoint, "client key")}) {
    if (!status) return tl::unexpected<Error>(status.error());
  }
  tls->certificate_file_ = endpoint.certificate_file;
  tls->key_file_ = endpoint.key_file;
  tls->store_ = X509_STORE_new();
  tls->sessions_ = curl_share_init();
  if (tls->store_ == nullptr || tls->sessions_ == nullptr) return fail(Code::kOutOfMemory, "no memory for TLS");
  // A pinned intermediate or server certificate is a root as good as any.
  X509_STORE_set_flags(tls->store_, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  if (endpoint.ca_file.empty()) {
    // No roots is no error here: the connection will say so, and only if it comes to one.
    static_cast<void>(trust_system(tls->store_));
  } else if (X509_STORE_load_file(tls->store_, endpoint.ca_file.c_str()) != 1) {
    return fail(Code::kFileUnreadable, "the CA file '" + endpoint.ca_file + "' of upstream '" + endpoint.name + "' holds no PEM certificate");
  }
  curl_share_setopt(tls->sessions_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  return tls;
}

CurlTls::~CurlTls() {
  if (sessions_ != nullptr) curl_share_cleanup(sessions_);
  X509_STORE_free(store_);
}

void CurlTls::apply(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &CurlTls::on_context);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  curl_easy_setopt(easy, CURLOPT_SHARE, sessions_);
  if (!certificate_file_.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, certificate_file_.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, key_file_.empty() ? certificate_file_.c_str() : key_file_.c_str());
  }
}

CURLcode CurlTls::on_context(CURL*, void* context, void* self) {
  return SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<const CurlTls*>(self)->store_), CURLE_OK;
}

}  // namespace sluice::engine
