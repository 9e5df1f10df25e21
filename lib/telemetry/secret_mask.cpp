// Many patterns at once, after Wu and Manber (1994): the last two bytes of a window say how far it can be moved.

#include "telemetry/secret_mask.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "http/target.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kPairs = 4096;

std::size_t pair_at(const char* p) noexcept {
  const auto byte = [p](int i) { return static_cast<unsigned>(static_cast<unsigned char>(p[i])); };
  return (byte(0) ^ byte(1) << 4) % kPairs;
}

std::string lower_digits(std::string encoded) {
  for (std::size_t i = 0; i + 2 < encoded.size(); ++i) {
    if (encoded[i] != '%') continue;
    for (const std::size_t at : {i + 1, i + 2}) {
      if (encoded[at] >= 'A' && encoded[at] <= 'F') encoded[at] = static_cast<char>(encoded[at] + ('a' - 'A'));
    }
  }
  return encoded;
}

/// The characters of base64 that `secret` alone decides where `before` bytes (0 to 2 of a group) stand in front of it.
std::string in_base64(std::string_view secret, std::size_t before, std::string_view last_two) {
  const auto bit = [&](std::size_t at) {
    const std::size_t byte = at / 8 - before;
    return static_cast<unsigned char>(secret[byte]) >> (7 - at % 8) & 1;
  };
  std::string out;
  for (std::size_t at = (before * 8 + 5) / 6 * 6; at + 6 <= (before + secret.size()) * 8; at += 6) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 6; ++i) value = value << 1 | static_cast<unsigned>(bit(at + i));
    if (value < 26) out += static_cast<char>('A' + value);
    else if (value < 52) out += static_cast<char>('a' + value - 26);
    else if (value < 62) out += static_cast<char>('0' + value - 52);
    else out += last_two[value - 62];
  }
  return out;
}

}  // namespace

SecretMask::SecretMask(std::span<const std::string> secrets) {
  forms_.reserve(secrets.size() * 9);  // short ones live in the vector itself, and growing it would leave copies behind
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortest) continue;
    add(secret);
    const std::string encoded = http::percent_encode(secret);
    add(encoded);
    add(lower_digits(encoded));
    for (const std::size_t before : {0u, 1u, 2u}) {
      for (const std::string_view last_two : {"+/", "-_"}) add(in_base64(secret, before, last_two));
    }
  }
  prepare();
}

SecretMask::~SecretMask() {
  for (std::string& form : forms_) OPENSSL_cleanse(form.data(), form.size());
}

void SecretMask::add(std::string form) {
  const bool known = std::find(forms_.begin(), forms_.end(), form) != forms_.end();
  if (form.size() >= kShortest && !known) forms_.push_back(std::move(form));
}

void SecretMask::prepare() {
  if (forms_.empty()) return;
  window_ = kTelling;
  for (const std::string& form : forms_) window_ = std::min(window_, form.size());
  step_.assign(kPairs, static_cast<std::uint8_t>(window_ - 1));
  first_.assign(kPairs, 0);
  next_.assign(forms_.size(), 0);
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    for (std::size_t at = 0; at + 2 <= window_; ++at) {
      std::uint8_t& step = step_[pair_at(forms_[i].data() + at)];
      step = std::min(step, static_cast<std::uint8_t>(window_ - 2 - at));
    }
    std::uint32_t& first = first_[pair_at(forms_[i].data() + window_ - 2)];
    next_[i] = first;
    first = static_cast<std::uint32_t>(i + 1);
  }
}

std::size_t SecretMask::run(std::string_view form, std::string_view text) noexcept {
  const auto end = std::mismatch(form.begin(), form.end(), text.begin(), text.end()).first;
  const auto same = static_cast<std::size_t>(end - form.begin());
  return same >= std::min(kTelling, form.size()) ? same : 0;
}

SecretMask::Found SecretMask::find(std::string_view text, std::size_t from) const noexcept {
  for (std::size_t end = from + window_; end <= text.size();) {
    const std::size_t pair = pair_at(text.data() + end - 2);
    if (const std::size_t step = step_[pair]; step != 0) {
      end += step;
      continue;
    }
    Found found{end - window_, 0};
    for (std::uint32_t form = first_[pair]; form != 0; form = next_[form - 1]) {
      found.size = std::max(found.size, run(forms_[form - 1], text.substr(found.at)));
    }
    if (found.size != 0) return found;
    ++end;
  }
  return {};
}

bool SecretMask::apply(std::string& text) const {
  constexpr std::string_view kMask = "***";
  if (text.size() < window_) return false;
  bool any = false;
  for (Found found = find(text, 0); found.size != 0; found = find(text, found.at + kMask.size())) {
    text.replace(found.at, found.size, kMask);
    any = true;
  }
  return any;
}

}  // namespace sluice::telemetry
