// What the C ABI costs, over a transport that moves nothing and answers at once: sockets and libcurl have no part in it.
//
//   capi_bench    exchanges at 64 in flight and at 1, CPU time of all threads each; deltas a second; the same host-driven; and
//                 beside an engine thread what two threads take that do nothing but wake one another
//
// Linked with the objects of the ABI, not with the library: the transport is handed in beside it, which no C program can.

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "../micro/null_answer.hpp"
#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "gateway.hpp"
#include "sluice.h"

namespace {

using namespace sluice;

using bench::kAnswer, bench::kDelta, bench::kLast;
constexpr std::size_t kPieceBytes = 16 * 1024;  // what one read of a busy socket gives

/// Answers in the turn after the one that asked; of a stream, one piece a turn.
class NullChannel final : public engine::Channel {
 public:
  NullChannel(engine::Loop& loop, const long& pieces) : loop_(loop), pieces_(pieces) {
    while (piece_.size() + kDelta.size() <= kPieceBytes) piece_.append(kDelta);
  }
  std::unique_ptr<engine::Transfer> start(engine::WireRequest request, engine::TransferSink& sink) override {
    auto told = std::make_shared<Told>(Told{&sink, request.streaming ? pieces_ : -1});
    loop_.defer([this, told] { head(*told), tell(told); });
    return std::make_unique<Started>(std::move(told));
  }

 private:
  struct Told {
    engine::TransferSink* sink;  // null: the exchange has let go of its transfer
    long left;                   // pieces; -1: it is no stream
  };
  struct Started final : engine::Transfer {
    explicit Started(std::shared_ptr<Told> told) : told_(std::move(told)) {}
    ~Started() override { told_->sink = nullptr; }
    void pause() override {}
    void resume() override {}
    std::shared_ptr<Told> told_;
  };

  static void head(Told& told) {
    if (told.sink != nullptr) told.sink->on_connected();
    ResponseHead head{200, {}};
    head.headers.add_trusted("Content-Type", told.left >= 0 ? "text/event-stream" : "application/json");
    if (told.left < 0) head.headers.add_trusted("Content-Length", std::to_string(kAnswer.size()));
    head.headers.add_trusted("x-request-id", "req_9f2c61");
    if (told.sink != nullptr) told.sink->on_head(std::move(head));
  }
  void tell(const std::shared_ptr<Told>& told) {
    if (told->sink == nullptr) return;
    if (told->left > 0) {
      --told->left;
      told->sink->on_bytes(piece_);
      loop_.defer([this, told] { tell(told); });
      return;
    }
    told->sink->on_bytes(told->left < 0 ? kAnswer : kLast);
    engine::TransferEnd end;
    end.sends = 1;
    end.reused_connection = true;
    if (told->sink != nullptr) told->sink->on_done(end);
  }

  engine::Loop& loop_;
  const long& pieces_;
  std::string piece_;
};

struct NullTransport final : engine::Transport {
  NullTransport(engine::Loop& at, const long& count) : loop(at), pieces(count) {}
  Result<std::unique_ptr<engine::Channel>> open(const engine::Endpoint&) override { return std::make_unique<NullChannel>(loop, pieces); }
  engine::Loop& loop;
  const long& pieces;
};

struct NullFactory final : TransportFactory {
  Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) override { return std::make_unique<NullTransport>(loop, pieces); }
  long pieces = 0;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void must(sluice_code_t code, sluice_error_t* err) {
  if (code == SLUICE_OK) return;
  std::printf("%s\n", sluice_error_message(err).data);
  std::exit(1);
}

class Bench {
 public:
  explicit Bench(std::uint32_t threads) : host_driven_(threads == 0) {
    OpenOptions options;
    options.transport = &factory_;
    options.seed = 1;
    auto opened = Gateway::open_json(R"({"version":1,"gateway":{"threads":)" + std::to_string(threads) +
                                         R"(},"upstreams":[{"name":"up","provider":"openai-compatible","url":"http://127.0.0.1:9/v1"}],)"
                                         R"("routes":[{"name":"all","upstreams":[{"name":"up"}]}]})",
                                     std::move(options));
    if (!opened) std::printf("%s\n", opened.error().message.c_str()), std::exit(1);
    gateway_ = new sluice_gateway{};
    gateway_->open = std::make_shared<capi::Open>(nullptr, nullptr, std::vector<std::string>{}, std::vector<std::shared_ptr<capi::PendingHooks>>{},
                                                  std::nullopt, host_driven_, std::move(*opened));
    sluice_error_t* err = nullptr;
    must(sluice_queue_new(&queue_, &err), err);
  }
  ~Bench() {
    sluice_gateway_free(gateway_);
    sluice_queue_free(queue_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void exchanges(std::size_t depth, std::size_t count) {
    std::size_t ended = 0, submitted = 0;
    sluice_error_t* err = nullptr;
    while (ended < count) {
      while (submitted < count && submitted - ended < depth) submit(SLUICE_ANSWER_RAW, false), ++submitted;
      if (host_driven_) must(sluice_gateway_drive(gateway_, 0, nullptr, &err), err);
      ended += poll();
    }
  }

  void stream(long pieces, std::int32_t answer) {
    factory_.pieces = pieces;
    submit(answer, true);
    sluice_error_t* err = nullptr;
    for (std::size_t ended = 0; ended == 0; ended += poll()) {
      if (host_driven_) must(sluice_gateway_drive(gateway_, 0, nullptr, &err), err);
    }
  }
  [[nodiscard]] std::uint64_t deltas() const { return deltas_; }
  void forget() { deltas_ = 0; }

 private:
  void submit(std::int32_t answer, bool streaming) {
    sluice_request_t request{};
    request.struct_size = sizeof request;
    request.target = "/v1/chat/completions";
    request.target_size = SLUICE_NUL_TERMINATED;
    const std::string& body = streaming ? streaming_ : whole_;
    request.body = body.data();
    request.body_size = body.size();
    request.answer = answer;
    sluice_error_t* err = nullptr;
    must(sluice_submit(gateway_, queue_, &request, 1, nullptr, &err), err);
  }

  std::size_t poll() {
    sluice_error_t* err = nullptr;
    std::size_t count = 0, ended = 0;
    must(sluice_queue_poll(queue_, events_, sizeof events_[0], 256, host_driven_ ? 0 : -1, &count, &err), err);
    const sluice_bytes_t arena = sluice_queue_arena(queue_);
    for (std::size_t i = 0; i < count; ++i) {
      const sluice_event_t& event = events_[i];
      if (event.kind == SLUICE_EVENT_DELTA) {
        ++deltas_;
        sum_ += static_cast<unsigned char>(arena.data[event.offset]);
      }
      if (event.kind == SLUICE_EVENT_END) {
        if (event.status != 200) std::printf("an exchange failed\n"), std::exit(1);
        ++ended;
      }
    }
    sluice_queue_release(queue_);
    return ended;
  }

  static std::string body_of(bool streaming) {
    return std::string(R"({"model":"bench-7","messages":[{"role":"user","content":")") + std::string(1'800, 'a') +
           R"("}],"temperature":0.7,"max_tokens":256)" + (streaming ? R"(,"stream":true})" : "}");
  }

  const bool host_driven_;
  NullFactory factory_;
  sluice_gateway_t* gateway_ = nullptr;
  sluice_queue_t* queue_ = nullptr;
  const std::string whole_ = body_of(false), streaming_ = body_of(true);
  sluice_event_t events_[256];
  std::uint64_t deltas_ = 0;
  unsigned sum_ = 0;  // so that the text is really read
};

void report(const char* name, std::uint32_t threads, std::size_t depth) {
  Bench bench(threads);
  bench.exchanges(depth, 2'000);
  std::vector<double> cpu, wall;
  for (int round = 0; round < 7; ++round) {
    constexpr std::size_t kCount = 10'000;
    const double before = cpu_seconds(), began = seconds();
    bench.exchanges(depth, kCount);
    cpu.push_back((cpu_seconds() - before) * 1e6 / kCount);
    wall.push_back((seconds() - began) * 1e6 / kCount);
  }
  std::sort(cpu.begin(), cpu.end());
  std::sort(wall.begin(), wall.end());
  std::printf("%-34s CPU %7.2f us, wall %7.2f us an exchange (medians of %zu)\n", name, cpu[3], wall[3], cpu.size());
}

/// One way of a ping-pong.
class Way {
 public:
  Way() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) std::perror("eventfd"), std::exit(1);
  }
  Way(const Way&) = delete;
  ~Way() { ::close(fd_); }
  void send() { must_be_eight(::write(fd_, &one_, sizeof one_)); }
  void wait() {
    pollfd waiting{fd_, POLLIN, 0};
    while (::poll(&waiting, 1, -1) < 1) {}
    std::uint64_t count = 0;
    must_be_eight(::read(fd_, &count, sizeof count));
  }

 private:
  static void must_be_eight(ssize_t n) {
    if (n != 8) std::perror("eventfd"), std::exit(1);
  }
  const int fd_;
  const std::uint64_t one_ = 1;
};

/// What handing a thing to another thread and back costs where nothing is done to it.
void report_ping_pong() {
  constexpr int kCount = 10'000, kRounds = 7;
  Way there, back;
  std::thread other([&] {
    for (int i = 0; i < kCount * kRounds; ++i) there.wait(), back.send();
  });
  std::vector<double> wall;
  for (int round = 0; round < kRounds; ++round) {
    const double began = seconds();
    for (int i = 0; i < kCount; ++i) there.send(), back.wait();
    wall.push_back((seconds() - began) * 1e6 / kCount);
  }
  other.join();
  std::sort(wall.begin(), wall.end());
  std::printf("%-34s             wall %7.2f us there and back (median of %zu)\n", "two threads and two eventfds", wall[kRounds / 2], wall.size());
}

void report_stream(const char* name, std::uint32_t threads) {
  Bench bench(threads);
  bench.stream(200, SLUICE_ANSWER_DELTAS);
  std::vector<double> rate;
  for (int round = 0; round < 7; ++round) {
    bench.forget();
    const double began = seconds();
    bench.stream(4'000, SLUICE_ANSWER_DELTAS);
    rate.push_back(static_cast<double>(bench.deltas()) / (seconds() - began) / 1e6);
  }
  std::sort(rate.begin(), rate.end());
  std::printf("%-34s %7.2f M deltas/s (median of %zu)\n", name, rate[3], rate.size());
}

}  // namespace

int main() {
  report("exchange, one thread, 64 in flight", 1, 64);
  report("exchange, one thread, 1 in flight", 1, 1);
  report_ping_pong();
  report("exchange, host-driven, 64 in flight", 0, 64);
  report("exchange, host-driven, 1 in flight", 0, 1);
  report_stream("deltas, one thread", 1);
  report_stream("deltas, host-driven", 0);
  return 0;
}
