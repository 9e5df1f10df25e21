// Service accounts: their key document, and statements whose signature a stranger can verify.

#include "auth/service_account.hpp"

#include <catch2/catch.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "json/document.hpp"
#include "json/writer.hpp"

using namespace sluice;
using namespace sluice::auth;
using Catch::Matchers::Contains;

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string pem_of(EVP_PKEY* key, bool sealed = false) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  char word[] = "sesame";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, sealed ? EVP_aes_128_cbc() : nullptr, sealed ? word : nullptr, sealed ? 6 : 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

/// Made once: a key of 2048 bits takes some 100 ms.
EVP_PKEY* key() {
  static const Key made(EVP_RSA_gen(2048), &EVP_PKEY_free);
  REQUIRE(made);
  return made.get();
}

std::string document(const std::string& pem, const std::string& more = R"(,"token_uri":"https://oauth2.example/token")") {
  std::string quoted;
  json::Writer(quoted).string(pem);
  return R"({"type":"service_account","project_id":"p","private_key_id":"kid-1","client_email":"a@p.iam.example","private_key":)" + quoted + more + "}";
}

std::string from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  REQUIRE(size >= 0);
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

bool verifies(EVP_PKEY* by, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, by) == 1);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

std::string why(const std::string& text) {
  const auto account = ServiceAccount::parse(text);
  REQUIRE_FALSE(account);
  CHECK(account.error().code == Code::kInvalidConfiguration);
  CHECK_THAT(account.error().message, !Contains("PRIVATE KEY"));
  return account.error().message;
}

}  // namespace

TEST_CASE("a service account's statement says who asks whom for what, and its public key verifies it") {
  const auto account = ServiceAccount::parse(document(pem_of(key())));
  REQUIRE(account);
  CHECK(account->email() == "a@p.iam.example");
  CHECK(account->token_uri() == "https://oauth2.example/token");
  const WallTime now{std::chrono::milliseconds(1'700'000'000'999)};
  const auto token = account->assertion("scope-a scope-b", now);
  REQUIRE(token);
  const std::size_t first = token->find('.'), second = token->rfind('.');
  REQUIRE(first < second);
  CHECK(token->find_first_of("+/=\n") == std::string::npos);
  CHECK(from_base64url(token->substr(0, first)) == R"({"alg":"RS256","typ":"JWT","kid":"kid-1"})");
  CHECK(from_base64url(token->substr(first + 1, second - first - 1)) ==
        R"({"iss":"a@p.iam.example","scope":"scope-a scope-b","aud":"https://oauth2.example/token","iat":1700000000,"exp":1700003600})");
  const std::string signature = from_base64url(token->substr(second + 1));
  CHECK(verifies(key(), token->substr(0, second), signature));
  CHECK_FALSE(verifies(key(), token->substr(0, second) + "x", signature));
  CHECK_FALSE(verifies(key(), token->substr(0, second - 1), signature));
}

TEST_CASE("a key document without a token_uri means Google's own") {
  CHECK(ServiceAccount::parse(document(pem_of(key()), ""))->token_uri() == "https://oauth2.googleapis.com/token");
}

TEST_CASE("a key document that is none says what is missing, and nothing of the key") {
  const std::string pem = pem_of(key());
  CHECK_THAT(why(""), Contains("is no JSON object"));
  CHECK_THAT(why("[]"), Contains("is no JSON object"));
  CHECK_THAT(why("{}"), Contains("\"type\""));
  CHECK_THAT(why(R"({"type":"authorized_user"})"), Contains("another \"type\""));
  CHECK_THAT(why(R"({"type":"service_account"})"), Contains("has no \"client_email\""));
  CHECK_THAT(why(R"({"type":"service_account","client_email":"a"})"), Contains("has no \"private_key\""));
  CHECK_THAT(why(R"({"type":"service_account","client_email":7})"), Contains("\"client_email\", but not as a text"));
  CHECK_THAT(why(document(pem, R"(,"client_email":"b")")), Contains("\"client_email\" twice"));
  CHECK_THAT(why(document("")), Contains("has no \"private_key\""));
  CHECK_THAT(why(document("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), Contains("no PEM text of a key"));
  CHECK_THAT(why(document(pem.substr(0, pem.size() / 2))), Contains("no PEM text of a key"));
}

TEST_CASE("a key behind a passphrase, of another kind or too short is refused, and no terminal is asked") {
  CHECK_THAT(why(document(pem_of(key(), true))), Contains("no PEM text of a key"));
  const Key short_key(EVP_RSA_gen(1024), &EVP_PKEY_free);
  CHECK_THAT(why(document(pem_of(short_key.get()))), Contains("no RSA key of 2048 bits or more"));
  const Key curve(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  CHECK_THAT(why(document(pem_of(curve.get()))), Contains("no RSA key of 2048 bits or more"));
}
