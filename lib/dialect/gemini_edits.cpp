// The one change the gateway makes to a request of this dialect: the model's name, where a body repeats what the path says.
// Usage need not be asked for: every element of a stream states it.

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "json/splice.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

void rename(json::Editor& editor, const Value& object, const std::string& name) {
  if (const Value model = member(object, "model")) editor.replace(model, name);
}

}  // namespace

Status set_model(base::EditedBody& body, const json::Document& document, std::string_view model) {
  const Value root = document.root();
  const std::string name = json::quoted(model.starts_with("tunedModels/") ? std::string(model) : "models/" + std::string(bare_model(model)));
  json::Editor editor;
  rename(editor, root, name);
  rename(editor, member(root, "generateContentRequest"), name);
  const Value requests = member(root, "requests");
  for (Value item = requests.is(Type::kArray) ? requests.first() : Value{}; item; item = item.next()) rename(editor, item, name);
  editor.apply(body);
  return {};
}

}  // namespace sluice::dialect::gemini_parts
