// The two changes the gateway itself makes to a request: the model's name, and the wish for usage in the stream.
// Both are splices; every other byte stays.

#include "dialect/openai.hpp"
#include "json/splice.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {

Result<bool> ask_for_usage(base::EditedBody& body, const json::Document& document, const chat::RequestView& view) {
  if (!view.stream || view.usage_in_stream) return false;
  if (!view.stream_options) {
    if (auto status = json::set(body, document.root(), "stream_options", R"({"include_usage":true})"); !status) {
      return tl::unexpected(status.error());
    }
    return true;
  }
  if (!view.stream_options.is(json::Type::kObject)) {
    json::replace(body, view.stream_options, R"({"include_usage":true})");
    return true;
  }
  // Replaces false or null, else inserts.
  if (auto status = json::set(body, view.stream_options, "include_usage", "true"); !status) return tl::unexpected(status.error());
  return true;
}

Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view, std::string_view model) {
  if (view.model_value) {
    json::replace(body, view.model_value, json::quoted(model));
    return {};
  }
  if (view.operation == Operation::kListModels || view.operation == Operation::kGetModel || view.operation == Operation::kOpaque ||
      !document.root().is(json::Type::kObject)) {
    return fail(Code::kInvalidModel, "the request has no place for a model; a " + std::string(chat::to_string(view.operation)) +
                " request cannot be sent as '" + std::string(model) + "'", "model");
  }
  return json::set(body, document.root(), "model", json::quoted(model));
}

}  // namespace sluice::dialect::openai_parts
