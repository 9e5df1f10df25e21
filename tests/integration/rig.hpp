#pragma once
// What the tests of whole gateways share: scripted OpenAI-compatible upstreams, the documents that name them, and hashes of
// what went over the wire.

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/fault_server.hpp"
#include "support/live.hpp"

namespace sluice::test {

using testing::FaultServer;
using testing::RawRequest;
using testing::Reply;

inline std::string chat_answer(std::string_view model) {
  return R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":")" + std::string(model) +
         R"(","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],)"
         R"("usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})";
}

inline Reply json_reply(std::string body, int status = 200, const std::string& fields = {}) {
  return Reply::status(status, std::move(body), "Content-Type: application/json\r\n" + fields);
}

/// An upstream that answers every request with its own name as the model that served.
class Backend {
 public:
  explicit Backend(std::string name, FaultServer::Options options = {}) : name_(std::move(name)), server_(options) {
    server_.on_request([name = name_](const RawRequest&) { return json_reply(chat_answer(name)); });
  }
  [[nodiscard]] FaultServer& operator*() { return server_; }
  [[nodiscard]] FaultServer* operator->() { return &server_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Its entry of a document; `more` begins with a comma.
  [[nodiscard]] std::string entry(const std::string& more = {}) const {
    return R"({"name":")" + name_ + R"(","url":"http://)" + server_.authority() + R"(/v1")" + more + "}";
  }

 private:
  std::string name_;
  FaultServer server_;
};

/// A document of upstream entries and routes; `more` begins with a comma and adds members to the root.
inline std::string document(const std::string& upstreams, const std::string& routes, const std::string& more = {}) {
  return R"({"version":1,"upstreams":[)" + upstreams + R"(],"routes":[)" + routes + "]" + more + "}";
}

/// One route that takes everything, to one upstream; `more` begins with a comma.
inline std::string route_to(const std::string& upstream, const std::string& more = {}) {
  return R"({"name":"r","upstreams":[{"name":")" + upstream + "\"}]" + more + "}";
}

/// One request on a connection of its own.
inline WireAnswer ask(Live& live, std::string_view bytes) {
  RawClient client(live.port());
  client.send(bytes);
  return client.answer();
}

/// The model that an answer says has served: with Backend, the upstream's name.
inline std::string served_by(const WireAnswer& answer) {
  const std::size_t at = answer.body.find(R"("model":")");
  if (at == std::string::npos) return {};
  return answer.body.substr(at + 9, answer.body.find('"', at + 9) - at - 9);
}

/// The code in an error body of OpenAI's shape.
inline std::string error_code(std::string_view body) {
  const std::size_t at = body.find(R"("code":")");
  if (at == std::string_view::npos) return {};
  return std::string(body.substr(at + 8, body.find('"', at + 8) - at - 8));
}

inline std::string sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  std::size_t size = digest.size();
  EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), digest.data(), &size);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

/// What the mistakes of a document say; empty where it is good.
inline std::string problems(const std::string& text) { return to_string(validate_json(text)); }

}  // namespace sluice::test
