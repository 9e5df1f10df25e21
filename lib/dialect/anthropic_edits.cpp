// The changes the gateway itself makes to a request: the model's name, and what a host of Anthropic's models wants in the body.
// All are splices; every other byte stays.

#include "dialect/anthropic.hpp"
#include "dialect/providers.hpp"
#include "json/splice.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::anthropic_parts {

Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view, std::string_view model) {
  if (view.model_value) {
    json::replace(body, view.model_value, json::quoted(model));
    return {};
  }
  if ((view.operation != Operation::kChat && view.operation != Operation::kCountTokens) || !document.root().is(json::Type::kObject)) {
    return fail(Code::kInvalidModel, "the request has no place for a model; a " + std::string(chat::to_string(view.operation)) +
                " request cannot be sent as '" + std::string(model) + "'", "model");
  }
  return json::set(body, document.root(), "model", json::quoted(model));
}

std::string_view version_in_body(std::uint32_t quirks) noexcept {
  if ((quirks & kBodyForVertex) != 0) return "vertex-2023-10-16";
  if ((quirks & kBodyForBedrock) != 0) return "bedrock-2023-05-31";
  return {};
}

Status fit_to_host(base::EditedBody& body, const json::Document& document, std::uint32_t quirks) {
  const std::string_view version = version_in_body(quirks);
  if (version.empty()) return {};
  json::Editor editor;
  const json::Value root = document.root();
  const auto remove = [&](std::string_view key) -> Status {
    const auto found = root.find(key);
    if (!found) return tl::unexpected(found.error());
    if (*found) editor.remove(root, *found);
    return {};
  };
  if (auto status = editor.set(root, "anthropic_version", json::quoted(version)); !status) return status;
  if (auto status = remove("model"); !status) return status;
  if ((quirks & kBodyForBedrock) != 0) {
    if (auto status = remove("stream"); !status) return status;
  }
  editor.apply(body);
  return {};
}

}  // namespace sluice::dialect::anthropic_parts

namespace sluice::dialect {

Result<bool> fit_to_host(base::EditedBody& body, const json::Document& document, const Dialect& dialect, std::uint32_t quirks) {
  if (&dialect != &anthropic() || anthropic_parts::version_in_body(quirks).empty()) return false;
  if (Status fitted = anthropic_parts::fit_to_host(body, document, quirks); !fitted) return tl::unexpected(fitted.error());
  return true;
}

}  // namespace sluice::dialect
