// Load that does not wait: requests begin at a fixed rate, whatever has become of those before. What a crowd does, and what
// shows an overload; a load whose clients wait for their answers slows down with the program it measures. Every request ends
// in exactly one of five ways, and the sum is checked:
//
//   served    a whole 200, or a stream with its [DONE]
//   refused   429 or 503 with Retry-After
//   failed    another error, whole, in HTTP or as an event of the stream
//   bare      429 or 503 that does not say when to come again
//   lost      no answer, half of one, or none within the patience
//
//   bench_arrivals --port P --rate PER_SECOND --seconds S --body FILE[:WEIGHT] [--body ...] [--connections N] [--patience S]
//
// Prints one line of JSON: counts, quantiles of the time from the request's first byte to its end in us, and `last_refusal_s`:
// how long after the start the last one was refused.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "../rig/socket.hpp"

namespace {

struct Options {
  std::uint16_t port = 0;
  double rate = 0, seconds = 0, patience = 30;
  std::size_t connections = 4000;
  std::vector<std::pair<std::string, std::size_t>> requests;  // whole, with their weights
};

enum Ending : std::size_t { kServed, kRefused, kFailed, kBare, kLost, kEndings };
constexpr const char* kNames[kEndings] = {"served", "refused", "failed", "bare", "lost"};

struct Connection {
  int fd = -1;
  bool busy = false, closing = false, in_body = false, chunked = false, is_stream = false;
  int status = 0;
  bool says_when = false, saw_done = false;
  std::size_t left = 0;      // of the body, or of the chunk with its CRLF
  std::string in;
  std::string tail;          // the end of the payload so far, for a mark that two pieces share
  std::int64_t asked = 0, idle_since = 0;
};

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), epoll_(epoll_create1(EPOLL_CLOEXEC)), connections_(options_.connections) {
    if (epoll_ < 0) rig::die("epoll_create1");
    for (std::size_t i = connections_.size(); i > 0; --i) free_.push_back(i - 1);
    for (std::size_t i = 0; i < options_.requests.size(); ++i) turns_.insert(turns_.end(), options_.requests[i].second, i);
  }

  void run() {
    began_ = rig::now_ns();
    const auto total = static_cast<std::size_t>(options_.rate * options_.seconds);
    std::size_t sent = 0;
    std::vector<epoll_event> events(512);
    while (sent < total || busy_ > 0) {
      const std::int64_t now = rig::now_ns();
      while (sent < total && due(sent) <= now) {
        begin(options_.requests[turns_[random_() % turns_.size()]].first);
        ++sent;
      }
      const std::int64_t wait = sent < total ? std::max<std::int64_t>(0, due(sent) - rig::now_ns()) : 50'000'000;
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(std::min<std::int64_t>(50, (wait + 999'999) / 1'000'000)));
      if (count < 0 && errno != EINTR) rig::die("epoll_wait");
      for (int i = 0; i < count; ++i) receive(events[static_cast<std::size_t>(i)].data.fd);
      if (rig::now_ns() - last_look_ > 500'000'000) give_up();
    }
    report(total);
  }

  [[nodiscard]] bool good() const { return sum_is_right_; }

 private:
  [[nodiscard]] std::int64_t due(std::size_t n) const { return began_ + static_cast<std::int64_t>(static_cast<double>(n) * 1e9 / options_.rate); }

  void begin(const std::string& request) {
    // The one used last; one that has been idle for long may be about to be closed by the other side.
    while (!idle_.empty() && rig::now_ns() - connections_[idle_.back()].idle_since > 20'000'000'000) {
      drop(idle_.back());
      idle_.pop_back();
    }
    std::size_t index = 0;
    if (!idle_.empty()) {
      index = idle_.back();
      idle_.pop_back();
    } else if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
      if (!open(index)) return end_of_none();
    } else {
      return end_of_none();
    }
    Connection& connection = connections_[index];
    connection.busy = true;
    connection.in_body = connection.chunked = connection.is_stream = connection.says_when = connection.saw_done = connection.closing = false;
    connection.status = 0;
    connection.left = 0;
    connection.in.clear();
    connection.tail.clear();
    connection.asked = rig::now_ns();
    ++busy_;
    if (send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      // Sent away before it was asked: there may be an answer all the same.
      connection.closing = true;
    }
  }

  bool open(std::size_t index) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) rig::die("socket");
    const sockaddr_in address = rig::loopback(options_.port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(fd);
      free_.push_back(index);
      return false;
    }
    rig::no_delay(fd);
    if (owner_.size() <= static_cast<std::size_t>(fd)) owner_.resize(static_cast<std::size_t>(fd) + 1);
    owner_[static_cast<std::size_t>(fd)] = index;
    connections_[index] = {};
    connections_[index].fd = fd;
    rig::watch(epoll_, fd, EPOLLIN);
    ++opened_;
    return true;
  }

  void drop(std::size_t index) {
    close(connections_[index].fd);
    connections_[index] = {};
    free_.push_back(index);
  }

  void receive(int fd) {
    const std::size_t index = owner_[static_cast<std::size_t>(fd)];
    Connection& connection = connections_[index];
    if (connection.fd != fd) return;
    char buffer[32 * 1024];
    const ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0 || !connection.busy) {
      // Closed: between two requests that is the other side's right, inside one it is a loss.
      if (connection.busy) return end(index, kLost, true);
      idle_.erase(std::find(idle_.begin(), idle_.end(), index));
      return drop(index);
    }
    connection.in.append(buffer, static_cast<std::size_t>(got));
    if (!connection.in_body && !read_head(connection)) return;
    if (read_body(connection)) end(index, judge(connection), connection.closing);
  }

  static bool read_head(Connection& connection) {
    const std::size_t stop = connection.in.find("\r\n\r\n");
    if (stop == std::string::npos) return false;
    const std::string_view head(connection.in.data(), stop);
    connection.status = std::atoi(connection.in.c_str() + 9);
    connection.says_when = !rig::field(head, "retry-after").empty();
    connection.chunked = rig::field(head, "transfer-encoding") == "chunked";
    connection.is_stream = rig::field(head, "content-type").starts_with("text/event-stream");
    connection.closing = connection.closing || rig::field(head, "connection") == "close";
    for (const char digit : rig::field(head, "content-length")) connection.left = connection.left * 10 + static_cast<std::size_t>(digit - '0');
    connection.in.erase(0, stop + 4);
    return connection.in_body = true;
  }

  // True once the body is whole.
  static bool read_body(Connection& connection) {
    if (!connection.chunked) {
      const std::size_t taken = std::min(connection.left, connection.in.size());
      connection.left -= taken;
      connection.in.erase(0, taken);
      return connection.left == 0;
    }
    std::size_t at = 0;
    bool whole = false;
    while (at < connection.in.size()) {
      if (connection.left > 0) {  // payload and its CRLF
        const std::size_t taken = std::min(connection.left, connection.in.size() - at);
        connection.tail.append(connection.in, at, taken);
        at += taken;
        connection.left -= taken;
        continue;
      }
      const std::size_t stop = connection.in.find("\r\n", at);
      if (stop == std::string::npos) break;
      const std::size_t size = std::strtoul(connection.in.c_str() + at, nullptr, 16);
      if (size == 0) {
        whole = connection.in.size() >= stop + 4;
        break;
      }
      at = stop + 2;
      connection.left = size + 2;
    }
    connection.in.erase(0, at);
    if (connection.tail.find("data: [DONE]") != std::string::npos) connection.saw_done = true;
    if (connection.tail.size() > 16) connection.tail.erase(0, connection.tail.size() - 16);
    return whole;
  }

  static Ending judge(const Connection& connection) {
    if (connection.status == 429 || connection.status == 503) return connection.says_when ? kRefused : kBare;
    if (connection.status != 200) return kFailed;
    return connection.is_stream && !connection.saw_done ? kFailed : kServed;
  }

  void end(std::size_t index, Ending how, bool closed) {
    Connection& connection = connections_[index];
    const std::int64_t now = rig::now_ns();
    took_us_[how].push_back(static_cast<double>(now - connection.asked) / 1e3);
    if (how == kRefused || how == kBare) last_refusal_ = now;
    --busy_;
    connection.busy = false;
    connection.idle_since = now;
    if (closed) return drop(index);
    idle_.push_back(index);
  }

  // Never begun: no connection was to be had.
  void end_of_none() { took_us_[kLost].push_back(0); }

  void give_up() {
    last_look_ = rig::now_ns();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (connections_[i].busy && last_look_ - connections_[i].asked > static_cast<std::int64_t>(options_.patience * 1e9)) end(i, kLost, true);
    }
  }

  void report(std::size_t total) {
    std::size_t sum = 0;
    std::string out = "{\"requests\":" + std::to_string(total);
    for (std::size_t i = 0; i < kEndings; ++i) {
      sum += took_us_[i].size();
      char text[200];
      std::snprintf(text, sizeof text, R"(,"%s":{"count":%zu,"p50":%.1f,"p99":%.1f,"max":%.1f})", kNames[i], took_us_[i].size(), quantile(took_us_[i], 0.5),
                    quantile(took_us_[i], 0.99), quantile(took_us_[i], 1));
      out += text;
    }
    sum_is_right_ = sum == total;
    std::printf("%s,\"connections\":%zu,\"last_refusal_s\":%.3f}\n", out.c_str(), opened_, last_refusal_ == 0 ? 0.0 : static_cast<double>(last_refusal_ - began_) / 1e9);
    if (!sum_is_right_) std::fprintf(stderr, "bench_arrivals: %zu requests and %zu ends\n", total, sum);
  }

  Options options_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> idle_, free_, owner_;  // owner_ by fd
  std::vector<std::size_t> turns_;                // as many places for a request as its weight
  std::minstd_rand random_{11};
  std::vector<double> took_us_[kEndings];
  std::size_t busy_ = 0, opened_ = 0;
  std::int64_t began_ = 0, last_refusal_ = 0, last_look_ = 0;
  bool sum_is_right_ = false;
};

std::string request_with(const std::string& path, std::uint16_t port) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string body = text.str();
  if (body.empty()) rig::die(path.c_str());
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

Options read_options(int argc, char** argv) {
  Options options;
  std::vector<std::string> bodies;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--port") options.port = static_cast<std::uint16_t>(std::atoi(value));
    else if (name == "--rate") options.rate = std::atof(value);
    else if (name == "--seconds") options.seconds = std::atof(value);
    else if (name == "--connections") options.connections = static_cast<std::size_t>(std::atol(value));
    else if (name == "--patience") options.patience = std::atof(value);
    else if (name == "--body") bodies.emplace_back(value);
    else {
      std::fprintf(stderr, "bench_arrivals: unknown option '%s'\n", argv[i]);
      std::exit(2);
    }
  }
  if (options.port == 0 || options.rate <= 0 || options.seconds <= 0 || bodies.empty()) {
    std::fprintf(stderr, "usage: bench_arrivals --port P --rate PER_SECOND --seconds S --body FILE[:WEIGHT] [--connections N] [--patience S]\n");
    std::exit(2);
  }
  for (const std::string& body : bodies) {
    const std::size_t colon = body.rfind(':');
    const std::size_t weight = colon == std::string::npos ? 1 : static_cast<std::size_t>(std::atol(body.c_str() + colon + 1));
    options.requests.emplace_back(request_with(body.substr(0, colon), options.port), weight);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Load load(read_options(argc, argv));
  load.run();
  return load.good() ? 0 : 1;
}
