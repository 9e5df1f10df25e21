// The rows of providers without a dialect, case by case (tests/golden/rest): a caller's request, what is sent for it, what is
// answered, and what the caller is told. A case is one file; nothing of it is computed here.

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/dialect/rest_support.hpp"

using namespace sluice;
using chat::Operation;
using json::Value;
using test::canonical;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/rest";

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Value get(const Value& object, std::string_view key) {
  const auto found = object.find(key);
  return found ? *found : Value{};
}
std::string text(const Value& object, std::string_view key) {
  const Value value = get(object, key);
  std::string scratch;
  return value.is(json::Type::kString) ? std::string(value.text(scratch)) : std::string();
}

Operation operation_of(std::string_view name) {
  for (const Operation one : {Operation::kCompletions, Operation::kEmbeddings, Operation::kModerations, Operation::kRerank}) {
    if (to_string(one) == name) return one;
  }
  return Operation::kChat;
}

}  // namespace

TEST_CASE("golden requests are sent to servers without a dialect as golden requests of theirs, and golden answers told") {
  std::size_t seen = 0;
  for (const auto& path : cases()) {
    INFO(path.filename().string());
    const json::Document document = test::parsed(text_of(path));
    const Value root = document.root();
    const Operation operation = operation_of(text(root, "operation"));
    const dialect::Dialect& caller = *dialect::find_dialect(text(root, "caller"));
    const auto to = test::row(text(root, "provider"), text(root, "prompt") == "chatml" ? std::optional(test::chatml()) : std::nullopt);

    const chat::Request request = test::request_of(caller, get(root, "request").raw(), operation);
    chat::LossReport loss;
    const dialect::Sending sending{.operation = operation, .model = request.model, .streaming = request.stream};
    CHECK(to->target_of(sending) == text(root, "target"));
    CHECK(canonical(to->encode_request(request, sending, loss), true) == canonical(get(root, "sent"), true));
    CHECK(test::losses_of(loss) == text(root, "losses"));

    const dialect::Asked asked{.operation = operation, .request = &request};
    const dialect::AnswerForm form{.operation = operation, .model = request.model};
    if (const Value answer = get(root, "answer")) {
      ++seen;
      chat::LossReport lost;
      CHECK(canonical(caller.encode_answer(test::read_answer(*to, answer.raw(), asked), form, lost)) == canonical(get(root, "told")));
    }
    const std::string stream = text(root, "stream");
    if (stream.empty()) continue;
    ++seen;
    for (std::size_t size = 1; size <= stream.size(); ++size) {
      const auto deltas = test::read_stream(*to, stream, *to->stream_framing(operation), size);
      REQUIRE(deltas);
      REQUIRE(test::encoded(caller, *deltas, form) == text(root, "told"));
    }
  }
  CHECK(seen >= 10);
}
