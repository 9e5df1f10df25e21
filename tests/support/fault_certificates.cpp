// A certificate authority that lives for one test: P-256 keys, made in milliseconds.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

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

Certificate make(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, const std::string& names) {
  static long serial = 1;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 3600);
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

TestCertificates::TestCertificates(const std::string& names) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-certificates-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("test certificates: no temporary directory");
  directory_ = pattern;
  ca_file_ = directory_ + "/ca.pem";
  server_certificate_ = directory_ + "/server.pem";
  server_key_ = directory_ + "/server.key";
  client_certificate_ = directory_ + "/client.pem";
  client_key_ = directory_ + "/client.key";
  const Key ca_key = make_key(), server_key = make_key(), client_key = make_key();
  const Certificate ca = make("sluice test CA", ca_key.get(), nullptr, nullptr, {});
  const Certificate server = make("sluice test server", server_key.get(), ca.get(), ca_key.get(), names);
  const Certificate client = make("sluice test client", client_key.get(), ca.get(), ca_key.get(), {});
  write(ca_file_, ca.get(), nullptr);
  write(server_certificate_, server.get(), nullptr);
  write(server_key_, nullptr, server_key.get());
  write(client_certificate_, client.get(), nullptr);
  write(client_key_, nullptr, client_key.get());
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace sluice::testing
