// Secrets: references that are resolved when a gateway opens, and wiped when they go.

#include "sluice/secret.hpp"

#include <openssl/crypto.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace sluice {

Secret Secret::literal(std::string value) {
  Secret secret;
  secret.source_ = Source::kLiteral;
  secret.text_ = std::move(value);
  return secret;
}

Secret Secret::env(std::string name) {
  Secret secret;
  secret.source_ = Source::kEnvironment;
  secret.text_ = std::move(name);
  return secret;
}

Secret Secret::file(std::string path) {
  Secret secret;
  secret.source_ = Source::kFile;
  secret.text_ = std::move(path);
  return secret;
}

Secret::~Secret() {
  if (source_ == Source::kLiteral) OPENSSL_cleanse(text_.data(), text_.size());
}

std::string_view Secret::reference() const noexcept {
  return source_ == Source::kEnvironment || source_ == Source::kFile ? std::string_view(text_) : std::string_view();
}

Result<std::string> Secret::resolve() const {
  switch (source_) {
    case Source::kNone: return fail(Code::kSecretMissing, "no secret is configured here");
    case Source::kLiteral: return text_;
    case Source::kEnvironment: {
      const char* value = std::getenv(text_.c_str());
      if (value == nullptr || *value == '\0') {
        return fail(Code::kSecretMissing, "environment variable '" + text_ + "' is not set or empty; set it and try again");
      }
      return std::string(value);
    }
    case Source::kFile: {
      errno = 0;
      std::ifstream in(text_, std::ios::binary);
      std::ostringstream text;
      if ((!in || !(text << in.rdbuf())) && errno != 0) {
        return fail(Code::kSecretMissing,
                    "secret file '" + text_ + "' cannot be read: " + std::generic_category().message(errno) + "; check path and permissions");
      }
      std::string value = std::move(text).str();
      if (!value.empty() && value.back() == '\n') value.pop_back();
      if (!value.empty() && value.back() == '\r') value.pop_back();
      if (value.empty()) return fail(Code::kSecretMissing, "secret file '" + text_ + "' is empty; write the secret into it");
      return value;
    }
  }
  return fail(Code::kInternal, "a secret has no source");
}

std::string to_string(const Secret& secret) {
  switch (secret.source()) {
    case Secret::Source::kNone: return "";
    case Secret::Source::kLiteral: return "***";
    case Secret::Source::kEnvironment: return "env " + std::string(secret.reference());
    case Secret::Source::kFile: return "file " + std::string(secret.reference());
  }
  return "***";
}

}  // namespace sluice
