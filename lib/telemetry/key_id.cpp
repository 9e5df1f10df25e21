// HMAC-SHA256 by OpenSSL, with one context per thread: looking the algorithm up takes longer than the hash.

#include "telemetry/key_id.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <memory>

namespace sluice::telemetry {
namespace {

struct Freed {
  void operator()(EVP_MAC* algorithm) const noexcept { EVP_MAC_free(algorithm); }
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

struct Hmac {
  std::unique_ptr<EVP_MAC, Freed> algorithm{EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr)};
  std::unique_ptr<EVP_MAC_CTX, Freed> context{algorithm ? EVP_MAC_CTX_new(algorithm.get()) : nullptr};
  Hmac() {
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                               OSSL_PARAM_construct_end()};
    if (context && EVP_MAC_CTX_set_params(context.get(), parameters.data()) != 1) context.reset();
  }
};

}  // namespace

std::string key_id(std::string_view key, std::string_view salt) {
  thread_local const Hmac hmac;
  EVP_MAC_CTX* const context = hmac.context.get();
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());  // null would mean: the last salt
  };
  if (context == nullptr || EVP_MAC_init(context, bytes(salt), salt.size(), nullptr) != 1 ||
      EVP_MAC_update(context, bytes(key), key.size()) != 1 ||
      EVP_MAC_final(context, digest.data(), &size, digest.size()) != 1 || size != digest.size()) {
    return {};
  }
  std::string id;
  for (std::size_t i = 0; i < 4; ++i) {
    id += "0123456789abcdef"[digest[i] >> 4];
    id += "0123456789abcdef"[digest[i] & 15];
  }
  return id;
}

}  // namespace sluice::telemetry
