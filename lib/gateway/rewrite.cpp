// Path rewriting: strip a prefix, fill a template, or replace by a regular expression.

#include "gateway/rewrite.hpp"

#include <re2/re2.h>

#include "http/target.hpp"

namespace sluice::gateway {

Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;
Rewrite::~Rewrite() = default;

Result<Rewrite> Rewrite::compile(const PathRewrite& config) {
  Rewrite out;
  if (!config.strip_prefix.empty()) {
    out.prefix_ = config.strip_prefix;
    while (out.prefix_.size() > 1 && out.prefix_.back() == '/') out.prefix_.pop_back();
    return out;
  }
  if (!config.path.empty()) {
    std::string_view rest = config.path;
    for (;;) {
      const std::size_t open = rest.find('{');
      if (open == std::string_view::npos) break;
      const std::size_t close = rest.find('}', open);
      if (close == std::string_view::npos) {
        return fail(Code::kInvalidConfiguration, "path template '" + config.path + "' has a '{' without '}'");
      }
      out.pieces_.push_back({std::string(rest.substr(0, open)), std::string(rest.substr(open + 1, close - open - 1))});
      rest.remove_prefix(close + 1);
    }
    out.pieces_.push_back({std::string(rest), {}});
    return out;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  out.regex_ = std::make_unique<re2::RE2>(config.regex, options);
  out.replacement_ = config.replacement;
  std::string problem;
  if (!out.regex_->ok()) {
    return fail(Code::kInvalidConfiguration, "regex '" + config.regex + "' does not compile: " + out.regex_->error());
  }
  if (!out.regex_->CheckRewriteString(out.replacement_, &problem)) {
    return fail(Code::kInvalidConfiguration, "replacement '" + config.replacement + "' does not fit its regex: " + problem);
  }
  return out;
}

std::string Rewrite::apply(std::string_view path, const policy::Captures& captures) const {
  if (regex_) {
    std::string out(path);
    re2::RE2::Replace(&out, *regex_, replacement_);
    return out;
  }
  if (!pieces_.empty()) {
    std::string out;
    for (const Piece& piece : pieces_) {
      out += piece.literal;
      if (piece.name.empty()) continue;
      if (const std::string* value = captures.find(piece.name)) out += http::percent_encode(*value);
    }
    return out;
  }
  if (path.substr(0, prefix_.size()) == prefix_ && (path.size() == prefix_.size() || path[prefix_.size()] == '/')) {
    path.remove_prefix(prefix_.size());
  }
  return path.empty() ? "/" : std::string(path);
}

std::string join_paths(std::string_view base, std::string_view path) {
  if (base.empty()) return std::string(path);
  if (path.substr(0, base.size()) == base && (path.size() == base.size() || path[base.size()] == '/')) return std::string(path);
  std::string out;
  out.reserve(base.size() + path.size());
  out += base;
  out += path;
  return out;
}

}  // namespace sluice::gateway
