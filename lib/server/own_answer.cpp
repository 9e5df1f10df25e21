// Refusals without an exchange.

#include "server/own_answer.hpp"

#include "http/target.hpp"

namespace sluice::server {

OwnAnswer refusal(const Error& error, const dialect::Dialect& told_in) {
  Error told = error;
  OwnAnswer out;
  out.head.status = told.http_status;
  out.head.headers.add_trusted("content-type", told_in.error_content_type());
  if (told.code == Code::kMethodNotAllowed && !told.param.empty()) {
    (void)out.head.headers.add("allow", told.param);  // the methods travel in `param`: it is no field of the body
    told.param.clear();
  }
  told_in.add_error_headers(told, out.head.headers);
  out.body = told_in.encode_error(told, {});
  out.head.headers.add_trusted("content-length", std::to_string(out.body.size()));
  return out;
}

const dialect::Dialect& dialect_of(const http::RequestHead& head, std::string_view fixed) {
  if (const dialect::Dialect* named = fixed.empty() ? nullptr : dialect::find_dialect(fixed)) return *named;
  const auto target = http::parse_target(head.target);
  dialect::Recognised recognised;
  const dialect::Dialect* spoken = target ? dialect::recognise(head.method, target->path, target->query, head.headers, recognised) : nullptr;
  return spoken == nullptr ? dialect::openai() : *spoken;
}

}  // namespace sluice::server
