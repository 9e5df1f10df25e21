// A service account's key document, and the JWTs that are signed with its key.

#include "auth/service_account.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <chrono>
#include <vector>

#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::auth {
namespace {

constexpr std::string_view kGooglesOwn = "https://oauth2.googleapis.com/token";
constexpr std::chrono::seconds kStatementLife{3600};  // the longest that is taken
constexpr int kFewestBits = 2048;

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Code::kInvalidConfiguration, "the service account's key document " + std::string(why));
}

/// RFC 7515, 2: the URL's alphabet, no padding.
std::string base64url(std::string_view bytes) {
  std::vector<unsigned char> text(4 * ((bytes.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  std::string out(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

/// Never asks a terminal: a key behind a passphrase is no service account's.
int no_passphrase(char*, int, int, void*) { return 0; }

std::shared_ptr<evp_pkey_st> read_key(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  std::shared_ptr<evp_pkey_st> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr) : nullptr, &EVP_PKEY_free);
  ERR_clear_error();  // the queue is the thread's: who reads it next must not find ours
  return key;
}

}  // namespace

Result<ServiceAccount> ServiceAccount::parse(std::string_view document) {
  const auto parsed = json::Document::parse(Body::copy(document));
  if (!parsed || !parsed->root().is(json::Type::kObject)) return refuse("is no JSON object");
  const json::Value root = parsed->root();
  const auto text = [&root](std::string_view key, std::string& out) -> Status {
    const auto found = root.find(key);
    if (!found) return refuse("states \"" + std::string(key) + "\" twice");
    if (!*found) return {};
    if (!found->is(json::Type::kString)) return refuse("states \"" + std::string(key) + "\", but not as a text");
    std::string scratch;
    out = found->text(scratch);
    return {};
  };
  ServiceAccount account;
  std::string type, pem;
  for (const auto& [key, out] : {std::pair{"type", &type}, {"client_email", &account.email_}, {"private_key_id", &account.key_id_},
                                 {"token_uri", &account.token_uri_}, {"private_key", &pem}}) {
    if (Status read = text(key, *out); !read) return tl::unexpected(read.error());
  }
  if (type != "service_account") return refuse("is of another \"type\" than \"service_account\"");
  if (account.email_.empty()) return refuse("has no \"client_email\"");
  if (account.token_uri_.empty()) account.token_uri_ = kGooglesOwn;
  if (pem.empty()) return refuse("has no \"private_key\"");
  account.key_ = read_key(pem);
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!account.key_) return refuse("has a \"private_key\" that is no PEM text of a key");
  if (EVP_PKEY_get_base_id(account.key_.get()) != EVP_PKEY_RSA || EVP_PKEY_get_bits(account.key_.get()) < kFewestBits) {
    return refuse("has a \"private_key\" that is no RSA key of 2048 bits or more");
  }
  return account;
}

Result<std::string> ServiceAccount::assertion(std::string_view scope, WallTime now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  std::string head, claims;
  json::Writer writer(head);
  writer.begin_object();
  writer.key("alg"), writer.string("RS256");
  writer.key("typ"), writer.string("JWT");
  if (!key_id_.empty()) writer.key("kid"), writer.string(key_id_);
  writer.end_object();
  json::Writer claim(claims);
  claim.begin_object();
  claim.key("iss"), claim.string(email_);
  claim.key("scope"), claim.string(scope);
  claim.key("aud"), claim.string(token_uri_);
  claim.key("iat"), claim.integer(seconds);
  claim.key("exp"), claim.integer(seconds + kStatementLife.count());
  claim.end_object();
  std::string token = base64url(head) + '.' + base64url(claims);

  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* data = reinterpret_cast<const unsigned char*>(token.data());
  std::size_t size = 0;
  std::string signature;
  bool good = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, data, token.size()) == 1;
  signature.resize(size);
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data, token.size()) == 1;
  if (!good) {
    ERR_clear_error();
    return fail(Code::kInternal, "OpenSSL makes no RS256 signature: memory ran out, or its policy forbids it");
  }
  signature.resize(size);
  return token.append(".").append(base64url(signature));
}

}  // namespace sluice::auth
