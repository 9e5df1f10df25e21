// RE2 behind a narrow door: https://github.com/google/re2/wiki/Syntax

#include "policy/regex.hpp"

#include <re2/re2.h>

#include <fmt/format.h>

namespace sluice::policy {
namespace {

Result<std::unique_ptr<const re2::RE2>> compile_capped(std::string_view pattern, bool literal, bool ignore_case) {
  if (pattern.size() > Regex::kMaxPatternBytes) {
    return fail(Code::kInvalidConfiguration, fmt::format("the pattern has {} bytes; at most {} are taken", pattern.size(), Regex::kMaxPatternBytes));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);  // a library prints nothing
  options.set_max_mem(Regex::kMaxMemoryBytes);
  options.set_never_capture(true);
  options.set_literal(literal);
  options.set_case_sensitive(!ignore_case);
  auto compiled = std::make_unique<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) {
    if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge) {
      return fail(Code::kInvalidConfiguration, fmt::format("the pattern compiles to more than {} KiB; repeat less", Regex::kMaxMemoryBytes / 1024));
    }
    return fail(Code::kInvalidConfiguration, fmt::format("the pattern is no RE2 regular expression: {}", compiled->error()));
  }
  return compiled;
}

}  // namespace

Regex::Regex(std::unique_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern, bool ignore_case) {
  return compile_capped(pattern, false, ignore_case).map([](auto compiled) { return Regex(std::move(compiled)); });
}

Result<Regex> Regex::literal(std::string_view text, bool ignore_case) {
  return compile_capped(text, true, ignore_case).map([](auto compiled) { return Regex(std::move(compiled)); });
}

bool Regex::found_in(std::string_view text) const {
  // A view without memory would read as "no text" to RE2's submatches, which are not asked for; the empty text it stays.
  return compiled_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace sluice::policy
