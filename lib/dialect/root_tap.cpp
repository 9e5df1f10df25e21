// Root members of a whole answer that passes by.

#include "dialect/root_tap.hpp"

#include "dialect/excerpt.hpp"

namespace sluice::dialect {

Status RootTap::on_bytes(std::string_view bytes) {
  const bool began = started_;
  started_ = started_ || bytes.find_first_not_of(" \t\r\n") != std::string_view::npos;
  scanner_.feed(bytes);
  if (began || !scanner_.not_json()) return {};
  return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON; it begins with \"" + excerpt(bytes, 80) +
                                                "\"; check the upstream's url");
}

Status RootTap::on_end() {
  read();
  if (scanner_.complete()) return {};
  return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                 : "the upstream's answer is empty; a JSON answer was due");
}

std::string RootTap::text(std::size_t field) const {
  const std::string_view value = raw(field);
  return value.size() >= 2 && value.front() == '"' ? json::decode_string(value.substr(1, value.size() - 2)) : std::string();
}

}  // namespace sluice::dialect
