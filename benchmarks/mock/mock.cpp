// The upstream of the comparisons: answers chat completions from templates, as fast as one epoll loop can, or paces a
// stream. What it does is asked for in the body's `user` member, so that one process serves every figure and gateways
// pass the wish on unread:
//
//   delay_us=D            a whole answer after D/2 .. 3D/2 us (spread, so that answers do not come in waves)
//   events=N gap_us=G     a stream of N events, G us apart; its first gap is random, so streams are out of step
//   hold=1                a stream that stays open and silent after its first event
//   status=N              an error of that status in place of the answer, or of the stream
//   cut=1                 the connection ends in place of the answer, or in the middle of the stream
//
// Whatever is sent to a path that ends in `/guard` is answered `{"refuse":false}` after 50 ms: a guard that thinks.
//
// Each event carries the monotonic clock in its text; a reader on the same machine sees what the way here has cost.
// `GET /stats` tells what was answered: the figure a device's CPU time is divided by.

#include <sys/timerfd.h>

#include <cstring>
#include <queue>
#include <random>
#include <vector>

#include "../rig/socket.hpp"

namespace {

constexpr std::string_view kAnswer =
    R"({"id":"chatcmpl-9f2c61d0a3b84e7cbe5d1a7f40c2","object":"chat.completion","created":1760000000,"model":"bench-7",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"A gateway sits between programs and the models they )"
    R"(call: it picks the upstream, forwards the request, and hands the answer back byte by byte.","refusal":null},)"
    R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":412,"completion_tokens":31,"total_tokens":443,)"
    R"("prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},)"
    R"("system_fingerprint":"fp_bench0"})";

constexpr std::string_view kGuardAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"refuse\":false}";
constexpr std::int64_t kGuardThinks = 50'000'000;  // ns

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n"
    "x-request-id: req_bench\r\n\r\n";

constexpr std::string_view kChunkHead =
    R"(data: {"id":"chatcmpl-9f2c61d0a3b84e7c","object":"chat.completion.chunk","created":1760000000,"model":"bench-7",)"
    R"("system_fingerprint":"fp_bench0",)";

struct Wish {
  std::int64_t delay_us = 0, events = 20, gap_us = 1000, hold = 0, status = 0, cut = 0;
  bool stream = false, usage = false, guard = false;
};

struct Connection {
  bool open = false, watching_output = false;
  std::uint32_t generation = 0;  // of the fd: a timer of its last owner is stale
  std::string in, out;
  bool busy = false;  // an answer is under way; later requests wait in `in`
  Wish wish;
  std::int64_t sent = 0, due = 0;
};

struct Timer {
  std::int64_t due;
  int fd;
  std::uint32_t generation;
  bool operator<(const Timer& other) const noexcept { return due > other.due; }
};

struct Counts {
  std::uint64_t answers = 0, events = 0, connections = 0;
  std::int64_t in_flight = 0, peak_in_flight = 0;
};

std::int64_t number_after(std::string_view text, std::string_view name, std::int64_t otherwise) noexcept {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return otherwise;
  std::int64_t value = 0;
  for (std::size_t i = at + name.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) value = value * 10 + (text[i] - '0');
  return value;
}

bool has(std::string_view text, std::string_view part) noexcept {
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

Wish read_wish(std::string_view body) noexcept {
  Wish wish;
  wish.stream = has(body, R"("stream":true)");
  wish.usage = wish.stream && has(body, R"("include_usage":true)");
  const std::size_t at = body.find(R"("user":")");
  if (at == std::string_view::npos) return wish;
  const std::string_view user = body.substr(at + 8, body.find('"', at + 8) - at - 8);
  wish.delay_us = number_after(user, "delay_us=", wish.delay_us);
  wish.events = number_after(user, "events=", wish.events);
  wish.gap_us = number_after(user, "gap_us=", wish.gap_us);
  wish.hold = number_after(user, "hold=", wish.hold);
  wish.status = number_after(user, "status=", wish.status);
  wish.cut = number_after(user, "cut=", wish.cut);
  return wish;
}

class Mock {
 public:
  Mock()
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
        listener_(rig::listen_anywhere()) {
    if (epoll_ < 0 || timer_ < 0) rig::die("epoll_create1 or timerfd_create");
    rig::watch(epoll_, timer_, EPOLLIN);
    rig::watch(epoll_, listener_, EPOLLIN);
    answer_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\nContent-Length: " +
              std::to_string(kAnswer.size()) + "\r\n\r\n" + std::string(kAnswer);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) rig::die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
        if (fd == listener_) {
          accept_all();
        } else if (fd == timer_) {
          fire_timers();
        } else {
          if ((what & EPOLLOUT) != 0 && of(fd).open) flush(fd);
          if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && of(fd).open) receive(fd);
        }
      }
    }
  }

 private:
  Connection& of(int fd) { return connections_[static_cast<std::size_t>(fd)]; }

  void accept_all() {
    for (int fd = rig::accept_one(listener_); fd >= 0; fd = rig::accept_one(listener_)) {
      if (connections_.size() <= static_cast<std::size_t>(fd)) connections_.resize(static_cast<std::size_t>(fd) + 1);
      of(fd).open = true;
      ++counts_.connections;
      rig::watch(epoll_, fd, EPOLLIN);
    }
  }

  void close_connection(int fd) {
    Connection& connection = of(fd);
    if (connection.busy) --counts_.in_flight;
    const std::uint32_t next = connection.generation + 1;
    connection = {};
    connection.generation = next;
    close(fd);
  }

  void receive(int fd) {
    char buffer[16 * 1024];
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close_connection(fd);
    of(fd).in.append(buffer, static_cast<std::size_t>(got));
    serve(fd);
  }

  // Answers what is complete in the input, one request after the other.
  void serve(int fd) {
    while (of(fd).open && !of(fd).busy) {
      Connection& connection = of(fd);
      const auto frame = rig::frame_of(connection.in);
      if (frame.size == 0) return;
      const bool stats = frame.head.starts_with("GET /stats");
      connection.wish = read_wish(frame.body);
      connection.wish.guard = has(frame.head, "/guard HTTP/1.1");
      connection.in.erase(0, frame.size);
      if (stats) {
        send_text(fd, stats_text());
        continue;
      }
      connection.busy = true;
      if (++counts_.in_flight > counts_.peak_in_flight) counts_.peak_in_flight = counts_.in_flight;
      begin(fd);
    }
  }

  void begin(int fd) {
    Connection& connection = of(fd);
    const Wish& wish = connection.wish;
    if (wish.guard) return set_timer(fd, rig::now_ns() + kGuardThinks);
    if (!wish.stream || wish.status != 0) {
      if (wish.delay_us == 0) return finish_whole(fd);
      return set_timer(fd, rig::now_ns() + wish.delay_us * 500 + below(wish.delay_us * 1000));
    }
    connection.sent = 0;
    connection.due = rig::now_ns() + below(wish.gap_us * 1000);
    text_.assign(kStreamHead);
    append_event(wish.usage);
    send_stream(fd);
  }

  // A timer is due: the answer, or the stream's next event or its end.
  void resume(int fd) {
    Connection& connection = of(fd);
    if (connection.wish.guard) return finish(fd, kGuardAnswer);
    if (!connection.wish.stream || connection.wish.status != 0) return finish_whole(fd);
    if (connection.wish.cut != 0 && connection.sent * 2 >= connection.wish.events) return close_connection(fd);
    if (connection.sent < connection.wish.events) {
      text_.clear();
      append_event(connection.wish.usage);
      return send_stream(fd);
    }
    text_.clear();
    const char* usage_null = connection.wish.usage ? R"(,"usage":null)" : "";
    append_chunk(std::string(kChunkHead) + R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}])" + usage_null + "}\n\n");
    if (connection.wish.usage) {
      append_chunk(std::string(kChunkHead) + R"("choices":[],"usage":{"prompt_tokens":412,"completion_tokens":)" +
                   std::to_string(connection.sent) + R"(,"total_tokens":)" + std::to_string(412 + connection.sent) + "}}\n\n");
    }
    append_chunk("data: [DONE]\n\n");
    text_ += "0\r\n\r\n";
    finish(fd, text_);
  }

  void finish_whole(int fd) {
    const Wish& wish = of(fd).wish;
    if (wish.cut != 0) return close_connection(fd);
    if (wish.status == 0) return finish(fd, answer_);
    constexpr std::string_view kError = R"({"error":{"message":"as asked for","type":"server_error","param":null,"code":null}})";
    finish(fd, "HTTP/1.1 " + std::to_string(wish.status) + " As Asked\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(kError.size()) + "\r\n\r\n" + std::string(kError));
  }

  void append_event(bool usage) {
    char event[400];
    const int size = std::snprintf(event, sizeof event,
                                   R"(%.*s"choices":[{"index":0,"delta":{"content":"%019lld"},"logprobs":null,"finish_reason":null}]%s})"
                                   "\n\n",
                                   static_cast<int>(kChunkHead.size()), kChunkHead.data(), static_cast<long long>(rig::now_ns()),
                                   usage ? R"(,"usage":null)" : "");
    append_chunk({event, static_cast<std::size_t>(size)});
  }

  void append_chunk(std::string_view event) {
    char length[16];
    text_.append(length, static_cast<std::size_t>(std::snprintf(length, sizeof length, "%zx\r\n", event.size())));
    text_.append(event).append("\r\n");
  }

  void send_stream(int fd) {
    Connection& connection = of(fd);
    ++connection.sent;
    ++counts_.events;
    const std::int64_t due = connection.due;
    connection.due += connection.wish.gap_us * 1000;
    if (connection.wish.hold == 0) set_timer(fd, due);
    send_text(fd, text_);
  }

  void finish(int fd, std::string_view text) {
    of(fd).busy = false;
    ++counts_.answers;
    --counts_.in_flight;
    send_text(fd, text);
  }

  void send_text(int fd, std::string_view text) {
    Connection& connection = of(fd);
    if (connection.out.empty()) {
      const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return close_connection(fd);
      text.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    }
    if (text.empty()) return;
    connection.out.append(text);
    if (!connection.watching_output) rig::watch(epoll_, fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    connection.watching_output = true;
  }

  void flush(int fd) {
    Connection& connection = of(fd);
    const ssize_t sent = send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return close_connection(fd);
    connection.out.erase(0, static_cast<std::size_t>(sent));
    if (!connection.out.empty()) return;
    connection.watching_output = false;
    rig::watch(epoll_, fd, EPOLLIN, EPOLL_CTL_MOD);
  }

  void set_timer(int fd, std::int64_t due) {
    timers_.push({due, fd, of(fd).generation});
    if (armed_ == 0 || due < armed_) arm(due);
  }

  void arm(std::int64_t due) {
    itimerspec when{};
    when.it_value = {due / 1'000'000'000, due % 1'000'000'000};
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
    armed_ = due;
  }

  void fire_timers() {
    std::uint64_t expired = 0;
    if (read(timer_, &expired, sizeof expired) < 0 && errno != EAGAIN) rig::die("read timer");
    armed_ = 0;
    const std::int64_t now = rig::now_ns();
    while (!timers_.empty() && timers_.top().due <= now) {
      const Timer timer = timers_.top();
      timers_.pop();
      const Connection& connection = of(timer.fd);
      if (!connection.open || connection.generation != timer.generation || !connection.busy) continue;
      resume(timer.fd);
      if (of(timer.fd).open && !of(timer.fd).in.empty()) serve(timer.fd);
    }
    if (!timers_.empty() && (armed_ == 0 || timers_.top().due < armed_)) arm(timers_.top().due);
  }

  std::int64_t below(std::int64_t bound) { return bound <= 0 ? 0 : static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound)); }

  std::string stats_text() {
    const std::string body = R"({"answers":)" + std::to_string(counts_.answers) + R"(,"events":)" + std::to_string(counts_.events) +
                             R"(,"connections":)" + std::to_string(counts_.connections) + R"(,"in_flight":)" + std::to_string(counts_.in_flight) +
                             R"(,"peak_in_flight":)" + std::to_string(counts_.peak_in_flight) + "}";
    counts_.peak_in_flight = counts_.in_flight;
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  int epoll_, timer_, listener_;
  std::string answer_, text_;
  std::vector<Connection> connections_;
  std::priority_queue<Timer> timers_;
  std::int64_t armed_ = 0;  // the absolute time the timer stands at, 0 = not set
  std::minstd_rand random_{7};
  Counts counts_;
};

}  // namespace

int main() { Mock().run(); }
