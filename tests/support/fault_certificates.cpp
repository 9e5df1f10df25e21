// A certificate authority that lives for one test: P-256 keys, made in milliseconds.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "support/fault_server.hpp"

namespace sluice::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("test certificates: bad extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, const std::string& names,
                 bool expired = false) {
  static long serial = 1;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), expired ? -7200 : -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expired ? -60 : 24 * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const signer = issuer == nullptr ? certificate.get() : issuer;
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  extend(certificate.get(), signer, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  extend(certificate.get(), signer, NID_subject_key_identifier, "hash");
  if (!names.empty()) extend(certificate.get(), signer, NID_subject_alt_name, names);
  X509_sign(certificate.get(), issuer_key == nullptr ? key : issuer_key, EVP_sha256());
  return certificate;
}

void write(const std::string& file, X509* certificate, EVP_PKEY* key) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  if (out == nullptr) throw std::runtime_error("test certificates: no file " + file);
  if (certificate != nullptr) PEM_write_X509(out, certificate);
  if (key != nullptr) PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
}

}  // namespace

struct TestCertificates::Authority {
  Key key{nullptr, &EVP_PKEY_free};
  Certificate certificate{nullptr, &X509_free};
};

TestCertificates::TestCertificates(const std::string& names) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-certificates-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("test certificates: no temporary directory");
  directory_ = pattern;
  ca_file_ = directory_ + "/ca.pem";
  server_certificate_ = directory_ + "/server.pem";
  server_key_ = directory_ + "/server.key";
  client_certificate_ = directory_ + "/client.pem";
  client_key_ = directory_ + "/client.key";
  auto authority = std::make_shared<Authority>();
  authority->key = make_key();
  authority->certificate = make("sluice test CA", authority->key.get(), nullptr, nullptr, {});
  const Key &ca_key = authority->key, server_key = make_key(), client_key = make_key();
  const Certificate& ca = authority->certificate;
  const Certificate server = make("sluice test server", server_key.get(), ca.get(), ca_key.get(), names);
  const Certificate client = make("sluice test client", client_key.get(), ca.get(), ca_key.get(), {});
  write(ca_file_, ca.get(), nullptr);
  write(server_certificate_, server.get(), nullptr);
  write(server_key_, nullptr, server_key.get());
  write(client_certificate_, client.get(), nullptr);
  write(client_key_, nullptr, client_key.get());
  authority_ = std::move(authority);
}

TestCertificates::Pair TestCertificates::issue(const std::string& file, const Leaf& leaf) const {
  const Key key = make_key();
  const Certificate certificate =
      make("sluice test leaf", key.get(), authority_->certificate.get(), authority_->key.get(), leaf.names, leaf.expired);
  Pair out{directory_ + "/" + file + ".pem", directory_ + "/" + file + ".key", {}};
  write(out.certificate, certificate.get(), nullptr);
  write(out.key, nullptr, key.get());
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size);
  for (const unsigned char byte : digest) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.sha256 += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace sluice::testing
