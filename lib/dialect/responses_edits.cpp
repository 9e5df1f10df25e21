// The change the gateway itself makes to a request: the model's name. A splice; every other byte stays. Usage is part of
// every stream and need not be asked for.

#include "dialect/responses.hpp"
#include "json/splice.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {

Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view, std::string_view model) {
  if (view.model_value) {
    json::replace(body, view.model_value, json::quoted(model));
    return {};
  }
  if (!document.root().is(json::Type::kObject) || !serves(view.operation)) {
    return fail(Code::kInvalidModel, "the request has no place for a model; it cannot be sent as '" + std::string(model) + "'", "model");
  }
  return json::set(body, document.root(), "model", json::quoted(model));
}

}  // namespace sluice::dialect::responses_parts
