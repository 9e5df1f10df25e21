#pragma once
// What the tests of streams share: a configuration of one upstream, the events of a chat, and a reader of event streams
// that shares no code with the gateway's.

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "support/fault_server.hpp"
#include "support/live.hpp"

namespace sluice::test {

using testing::FaultServer;
using testing::RawRequest;
using testing::Reply;

/// Everything below /v1 goes to `url`, once: what follows a failure is the retry tests' matter. `upstream`, `gateway` and
/// `route`: more members of these objects, as JSON text.
inline std::string config_of(const std::string& url, const std::string& upstream = {}, const std::string& gateway = {},
                             const std::string& route = {}) {
  return R"({"version":1,"gateway":{)" + gateway + R"(},"upstreams":[{"name":"up","url":")" + url + "\"" + (upstream.empty() ? "" : ",") +
         upstream + R"(}],"routes":[{"name":"all","match":{"path_prefix":"/v1"},"upstreams":[{"name":"up"}],"retry":{"attempts":1})" +
         (route.empty() ? "" : ",") + route + "}]}";
}
inline std::string config_of(const FaultServer& server, const std::string& upstream = {}, const std::string& gateway = {}) {
  return config_of("http://" + server.authority() + "/v1", upstream, gateway);
}

inline std::string event_of(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }
inline std::string text_event(std::string_view text) {
  return event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{"content":")" +
                  std::string(text) + R"("},"finish_reason":null}]})");
}
inline const std::string kRole =
    event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})");
inline const std::string kStop =
    event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
inline const std::string kDone = event_of("[DONE]");
inline const std::string kEventStream = "Content-Type: text/event-stream\r\n";

inline Reply open_stream() { return Reply::chunked(kEventStream); }
/// A stream whose end is the end of the connection.
inline Reply open_unframed_stream() { return Reply::raw("HTTP/1.1 200 OK\r\n" + kEventStream + "Connection: close\r\n\r\n"); }
inline Reply whole_stream(std::string_view body) { return open_stream().chunk(body).end_chunks(); }

inline std::string stream_request(std::string_view model = "m") { return post("/v1/chat/completions", chat_body(model, "hello", true)); }
inline std::string plain_request(std::string_view model = "m") { return post("/v1/chat/completions", chat_body(model)); }
inline const std::string kAnswer =
    R"({"id":"c1","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";
inline Reply answer_of(const std::string& body = kAnswer) { return Reply::ok(body, "Content-Type: application/json\r\n"); }

struct ReadEvent {
  std::string name, data;
  friend bool operator==(const ReadEvent&, const ReadEvent&) = default;
};
/// By the book (WHATWG 9.2.6): an event without its blank line is none.
inline std::vector<ReadEvent> read_events(std::string_view stream) {
  std::vector<ReadEvent> all;
  ReadEvent event;
  bool has_data = false;
  if (stream.substr(0, 3) == "\xEF\xBB\xBF") stream.remove_prefix(3);
  while (!stream.empty()) {
    const std::size_t end = stream.find_first_of("\r\n");
    if (end == std::string_view::npos) break;
    std::string_view line = stream.substr(0, end);
    stream.remove_prefix(end + (stream[end] == '\r' && end + 1 < stream.size() && stream[end + 1] == '\n' ? 2 : 1));
    if (line.empty()) {
      if (has_data) all.push_back(event);
      event = {};
      has_data = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "event") event.name = value;
    if (field == "data") {
      if (has_data) event.data += '\n';
      event.data += value;
      has_data = true;
    }
  }
  return all;
}

/// Counts what an in-process caller is told. Waits are bounded as everywhere.
class Counting final : public ExchangeListener {
 public:
  void on_head(const ResponseHead& head) override { note([&] { ++heads_, status_ = head.status; }); }
  void on_bytes(std::string_view bytes) override {
    note([&] {
      body_.append(bytes);
      late_ = late_ || ends_ != 0;
    });
  }
  void on_end(const Outcome& outcome) override { note([&] { ++ends_, outcome_ = outcome; }); }

  [[nodiscard]] bool wait_end() { return wait([this] { return ends_ != 0; }); }
  [[nodiscard]] bool wait_text(std::string_view text) {
    return wait([&] { return body_.find(text) != std::string::npos; });
  }
  [[nodiscard]] bool wait_head() { return wait([this] { return heads_ != 0; }); }
  [[nodiscard]] int ends() const { return copy(ends_); }
  [[nodiscard]] int heads() const { return copy(heads_); }
  [[nodiscard]] bool late() const { return copy(late_); }
  [[nodiscard]] Outcome outcome() const { return copy(outcome_); }
  [[nodiscard]] std::string body() const { return copy(body_); }

 private:
  template <typename Act>
  void note(Act act) {
    {
      const std::lock_guard lock(mutex_);
      act();
    }
    changed_.notify_all();
  }
  template <typename T>
  T copy(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  template <typename Holds>
  bool wait(Holds holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), holds);
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string body_;
  Outcome outcome_;
  int heads_ = 0, ends_ = 0, status_ = 0;
  bool late_ = false;
};

/// What has arrived at a client and was not read yet, without waiting.
inline std::string arrived(RawClient& client) {
  std::string out(65536, '\0');
  const ssize_t n = ::recv(client.fd(), out.data(), out.size(), MSG_DONTWAIT);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

}  // namespace sluice::test
