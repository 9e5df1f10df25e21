// Load for streams: many chat streams at once, each opened again when it has ended, and what the way cost them. The mock
// puts the monotonic clock into every event, so the delay of an event is this machine's clock at reading minus that; the
// time to the first event counts from the request's first byte.
//
//   bench_streams --port P --body FILE --streams N [--seconds S] [--warm-up S] [--hold]
//
// Prints one line of JSON. With --hold it opens N streams, prints `open N`, keeps them until its input ends, and says nothing more.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "../rig/socket.hpp"

namespace {

struct Options {
  std::uint16_t port = 0;
  std::string body;
  std::size_t streams = 1;
  double seconds = 2, warm_up = 0.5;
  bool hold = false;
};

struct Stream {
  int fd = -1;
  bool open = false;
  std::string in;       // bytes not consumed yet
  std::string payload;  // of the body, after the chunks' framing, not consumed yet
  bool in_body = false, first_seen = false, done = false;
  std::size_t chunk_left = 0;
  std::int64_t asked = 0;
};

struct Figures {
  std::vector<double> ttfd_us, delay_us;
  std::uint64_t streams = 0, events = 0, errors = 0;
};

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), epoll_(epoll_create1(EPOLL_CLOEXEC)), streams_(options_.streams) {
    if (epoll_ < 0) rig::die("epoll_create1");
    request_ = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
               "\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: " + std::to_string(options_.body.size()) +
               "\r\n\r\n" + options_.body;
  }

  void run() {
    const std::int64_t began = rig::now_ns();
    const auto after = [began](double seconds) { return began + static_cast<std::int64_t>(seconds * 1e9); };
    counting_from_ = after(options_.warm_up);
    const std::int64_t until = options_.hold ? 0 : after(options_.warm_up + options_.seconds);
    if (options_.hold) rig::watch(epoll_, STDIN_FILENO, EPOLLIN);
    std::size_t started = 0, announced = 0;
    std::vector<epoll_event> events(512);
    for (;;) {
      // At most 64 streams wait for their first event at once: a start no listen queue overflows from.
      while (started < streams_.size() && started - opened_ < 64) start(started++);
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      if (count < 0 && errno != EINTR) rig::die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == STDIN_FILENO) return;
        receive(owner_[static_cast<std::size_t>(fd)]);
      }
      if (options_.hold && announced == 0 && opened_ == streams_.size()) {
        announced = opened_;
        std::printf("open %zu\n", opened_);
        std::fflush(stdout);
      }
      if (figures_.errors > 100) break;
      if (!options_.hold && rig::now_ns() >= until) break;
    }
    report();
  }

  [[nodiscard]] bool good() const { return figures_.errors == 0; }

 private:
  void start(std::size_t index) {
    Stream& stream = streams_[index];
    stream = {};
    stream.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stream.fd < 0) rig::die("socket");
    const sockaddr_in address = rig::loopback(options_.port);
    if (connect(stream.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) rig::die("connect");
    rig::no_delay(stream.fd);
    if (owner_.size() <= static_cast<std::size_t>(stream.fd)) owner_.resize(static_cast<std::size_t>(stream.fd) + 1);
    owner_[static_cast<std::size_t>(stream.fd)] = index;
    rig::watch(epoll_, stream.fd, EPOLLIN);
    ask(stream);
  }

  void ask(Stream& stream) {
    stream.in_body = stream.first_seen = stream.done = false;
    stream.chunk_left = 0;
    stream.in.clear();
    stream.payload.clear();
    stream.asked = rig::now_ns();
    if (send(stream.fd, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size())) fail(stream, "send");
  }

  // A stream that broke is counted and opened again: an error must not make the load lighter.
  void fail(Stream& stream, const char* what) {
    if (figures_.errors++ == 0) std::fprintf(stderr, "bench_streams: %s: %.300s\n", what, stream.in.c_str());
    const std::size_t index = owner_[static_cast<std::size_t>(stream.fd)];
    close(stream.fd);
    if (!stream.open) ++opened_;
    if (figures_.errors <= 100) start(index);
    streams_[index].open = true;
  }

  void receive(std::size_t index) {
    Stream& stream = streams_[index];
    char buffer[16 * 1024];
    const ssize_t got = recv(stream.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    const std::int64_t now = rig::now_ns();
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return fail(stream, "closed before its end");
    stream.in.append(buffer, static_cast<std::size_t>(got));
    if (!stream.in_body && !read_head(stream)) return;
    if (!unchunk(stream)) return fail(stream, "bad chunk framing");
    read_events(stream, now);
    if (!stream.done) return;
    if (now >= counting_from_) ++figures_.streams;
    ask(stream);
  }

  bool read_head(Stream& stream) {
    const std::size_t end = stream.in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string_view head(stream.in.data(), end);
    if (!head.starts_with("HTTP/1.1 200") || rig::field(head, "transfer-encoding") != "chunked") {
      fail(stream, "not a chunked 200");
      return false;
    }
    stream.in.erase(0, end + 4);
    return stream.in_body = true;
  }

  static bool unchunk(Stream& stream) {
    std::size_t at = 0;
    while (at < stream.in.size() && !stream.done) {
      if (stream.chunk_left > 2) {  // payload and its closing CRLF
        const std::size_t take = std::min(stream.chunk_left - 2, stream.in.size() - at);
        stream.payload.append(stream.in, at, take);
        at += take;
        stream.chunk_left -= take;
        continue;
      }
      if (stream.chunk_left > 0) {
        const std::size_t take = std::min(stream.chunk_left, stream.in.size() - at);
        at += take;
        stream.chunk_left -= take;
        continue;
      }
      const std::size_t end = stream.in.find("\r\n", at);
      if (end == std::string::npos) break;
      char* stop = nullptr;
      const std::size_t size = std::strtoul(stream.in.c_str() + at, &stop, 16);
      if (stop == stream.in.c_str() + at) return false;
      if (size == 0) {
        if (stream.in.size() < end + 4) break;
        at = end + 4;
        stream.done = true;
        break;
      }
      at = end + 2;
      stream.chunk_left = size + 2;
    }
    stream.in.erase(0, at);
    return true;
  }

  void read_events(Stream& stream, std::int64_t now) {
    static constexpr std::string_view kContent = R"("content":")";
    std::size_t consumed = 0;
    for (std::size_t end = stream.payload.find("\n\n"); end != std::string::npos; end = stream.payload.find("\n\n", consumed)) {
      const std::string_view event(stream.payload.data() + consumed, end - consumed);
      consumed = end + 2;
      const std::size_t at = event.find(kContent);
      if (at == std::string_view::npos) continue;
      const std::int64_t stamp = std::strtoll(event.data() + at + kContent.size(), nullptr, 10);
      note(stream, stamp, now);
    }
    stream.payload.erase(0, consumed);
  }

  void note(Stream& stream, std::int64_t stamp, std::int64_t now) {
    const bool counted = now >= counting_from_;
    if (!stream.first_seen) {
      stream.first_seen = true;
      if (!stream.open) ++opened_;
      stream.open = true;
      if (counted) figures_.ttfd_us.push_back(static_cast<double>(now - stream.asked) / 1e3);
    } else if (counted) {
      figures_.delay_us.push_back(static_cast<double>(now - stamp) / 1e3);
    }
    if (counted) ++figures_.events;
  }

  void report() {
    std::printf(R"({"streams":%llu,"events":%llu,"errors":%llu,"ttfd_us":{"p50":%.1f,"p99":%.1f},"delay_us":{"p50":%.1f,"p99":%.1f}})"
                "\n",
                static_cast<unsigned long long>(figures_.streams), static_cast<unsigned long long>(figures_.events),
                static_cast<unsigned long long>(figures_.errors), quantile(figures_.ttfd_us, 0.5), quantile(figures_.ttfd_us, 0.99),
                quantile(figures_.delay_us, 0.5), quantile(figures_.delay_us, 0.99));
  }

  Options options_;
  int epoll_;
  std::string request_;
  std::vector<Stream> streams_;
  std::vector<std::size_t> owner_;  // by fd
  std::size_t opened_ = 0;          // streams that have seen their first event once
  std::int64_t counting_from_ = 0;
  Figures figures_;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--hold") {
      options.hold = true;
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : nullptr;
    if (value == nullptr) rig::die("an option without a value");
    if (name == "--port") options.port = static_cast<std::uint16_t>(std::atoi(value));
    else if (name == "--streams") options.streams = static_cast<std::size_t>(std::atol(value));
    else if (name == "--seconds") options.seconds = std::atof(value);
    else if (name == "--warm-up") options.warm_up = std::atof(value);
    else if (name == "--body") {
      std::ostringstream text;
      text << std::ifstream(value, std::ios::binary).rdbuf();
      options.body = text.str();
    } else {
      std::fprintf(stderr, "bench_streams: unknown option '%s'\n", argv[i - 1]);
      std::exit(2);
    }
  }
  if (options.port == 0 || options.body.empty()) {
    std::fprintf(stderr, "usage: bench_streams --port P --body FILE --streams N [--seconds S] [--warm-up S] [--hold]\n");
    std::exit(2);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Load load(read_options(argc, argv));
  load.run();
  return load.good() ? 0 : 1;
}
