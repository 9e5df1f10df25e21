// Client certificates: whose one is.

#include <catch2/catch.hpp>

#include "auth/certificate_index.hpp"

using namespace sluice;
using namespace sluice::auth;

namespace {

Digest digest_of(std::uint8_t byte) {
  Digest out{};
  out.fill(byte);
  return out;
}

CertificateIndex index() {
  return CertificateIndex(std::vector<CertificateSource>{{.consumer = 0, .san = "app.example.com"},
                                                         {.consumer = 1, .san = "spiffe://example.com/batch"},
                                                         {.consumer = 1, .fingerprint = digest_of(0xab)},
                                                         {.consumer = 2, .san = "ops@example.com"}});
}

std::optional<std::size_t> owner(const PeerCertificate& certificate) {
  const auto found = index().find(certificate);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("a certificate is known by any of its names, or by its fingerprint") {  // SEC-38
  CHECK(owner({.names = {"app.example.com"}}) == 0u);
  CHECK(owner({.names = {"other.example.com", "spiffe://example.com/batch"}}) == 1u);
  CHECK(owner({.names = {"ops@example.com"}}) == 2u);
  CHECK(owner({.sha256 = digest_of(0xab)}) == 1u);
  CHECK(owner({.sha256 = digest_of(0xab), .names = {"spiffe://example.com/batch", "else"}}) == 1u);
}

TEST_CASE("what is nearly a name or a fingerprint is nobody's") {  // SEC-38
  for (const char* name : {"app.example.co", "app.example.com.", "App.example.com", "*.example.com", "", "example.com", "xapp.example.com"}) {
    INFO(name);
    CHECK_FALSE(owner({.names = {name}}));
  }
  Digest other = digest_of(0xab);
  other.back() ^= 1;
  CHECK_FALSE(owner({.sha256 = other}));
  CHECK_FALSE(owner({}));
  CHECK_FALSE(*CertificateIndex().find({.sha256 = digest_of(0xab), .names = {"app.example.com"}}));
}

TEST_CASE("a certificate that stands for two consumers is refused") {  // SEC-38
  for (const PeerCertificate& both : {PeerCertificate{.names = {"app.example.com", "ops@example.com"}},
                                      PeerCertificate{.sha256 = digest_of(0xab), .names = {"app.example.com"}}}) {
    const auto found = index().find(both);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == Code::kAmbiguousCredentials);
    CHECK(found.error().http_status == 400);
  }
}

TEST_CASE("a fingerprint is read as tools print it") {
  const std::string plain(64, 'a');
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "AA" : ":AA";
  CHECK(parse_fingerprint(plain) == digest_of(0xaa));
  CHECK(parse_fingerprint(colons) == digest_of(0xaa));
  CHECK(hex_text(digest_of(0x0f)).substr(0, 4) == "0f0f");
  CHECK(parse_fingerprint(hex_text(digest_of(0x1e))) == digest_of(0x1e));
  std::string wrong = colons;
  wrong[2] = '-';
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(64, 'g'), wrong, colons + ":AA", colons.substr(0, 94)}) {
    INFO(text);
    CHECK_FALSE(parse_fingerprint(text));
  }
}
