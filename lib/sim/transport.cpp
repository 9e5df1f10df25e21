// See transport.hpp.
#include "sim/transport.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice::sim {
namespace {

/// What one call of on_bytes brings at most, and so what may still come after a pause from inside it.
constexpr std::size_t kRead = 16 * 1024;
/// Status line and the empty line, roughly; a slow head takes this many steps more than its fields.
constexpr std::size_t kStatusLine = 32;

class SimTransfer final : public engine::Transfer {
 public:
  SimTransfer(engine::Loop& loop, std::shared_ptr<Stage> stage, std::shared_ptr<const engine::Endpoint> endpoint,
              engine::WireRequest request, engine::TransferSink& sink)
      : loop_(loop), stage_(std::move(stage)), endpoint_(std::move(endpoint)), request_(std::move(request)), sink_(&sink),
        timer_([this] { go_on(); }) {
    started_ = loop_.now();
    loop_.arm(timer_, started_);
  }
  ~SimTransfer() override {
    if (gone_ != nullptr) *gone_ = true;
  }

  void pause() override {
    paused_ = true;
    if (state_ == State::kBody) loop_.disarm(timer_);
  }
  void resume() override {
    if (!paused_) return;
    paused_ = false;
    if (state_ == State::kBody && !in_call_) schedule();
  }

 private:
  enum class State : std::uint8_t { kConnect, kHead, kBody, kOver };

  /// Runs what is due. Every call into the sink may destroy this: `gone` says so.
  void go_on() {
    bool gone = false;
    gone_ = &gone;
    in_call_ = true;
    if (state_ == State::kConnect) connect(gone);
    if (!gone && state_ == State::kHead && due(head_at_)) head();
    if (!gone && state_ == State::kBody) body(gone);
    if (gone) return;
    gone_ = nullptr;
    in_call_ = false;
    schedule();
  }

  void connect(const bool& gone) {
    testing::SeenRequest seen;
    seen.method = std::move(request_.method);
    seen.target = std::move(request_.target);
    seen.headers = std::move(request_.headers);
    if (request_.has_body) seen.body = request_.body.to_string();
    const std::uint64_t sent = seen.body.size();
    arrived_ = loop_.now();
    telling_ = stage_->begin(endpoint_->name, std::move(seen), arrived_, loop_.clock().wall());
    request_ = {};
    if (telling_->opening() == Opening::kRefused) {
      return finish(Code::kUpstreamConnectFailed, "connection refused by the simulated upstream '" + endpoint_->name + "'");
    }
    end_.sends = 1;
    end_.bytes_sent = sent;
    state_ = State::kHead;
    sink_->on_connected();
    if (gone) return;
    if (telling_->opening() == Opening::kHungUp) return finish(Code::kUpstreamReset, "the connection was closed without an answer");
    if (telling_->opening() == Opening::kGarbage) return finish(Code::kUpstreamProtocolError, "the answer is no HTTP");
    head_at_ = telling_->head_at() + telling_->head_step() * static_cast<std::int64_t>(head_bytes());
  }

  [[nodiscard]] std::size_t head_bytes() const {
    return kStatusLine + telling_->headers().bytes() + 4 * telling_->headers().size();
  }

  void head() {
    if (endpoint_->max_head_bytes != 0 && head_bytes() > endpoint_->max_head_bytes) {
      return finish(Code::kUpstreamHeadTooLarge, "the head of the answer is longer than " + std::to_string(endpoint_->max_head_bytes) + " bytes");
    }
    end_.first_byte = loop_.now() - started_;
    state_ = State::kBody;
    sink_->on_head(ResponseHead{telling_->status(), telling_->headers()});
  }

  void body(const bool& gone) {
    while (!paused_) {
      if (told_at_ == bytes_.size()) {
        bytes_.clear();
        told_at_ = 0;
        gather();
        if (bytes_.empty()) break;
      }
      const std::size_t most = telling_->piece_bytes() != 0 ? std::min(telling_->piece_bytes(), kRead) : kRead;
      // Not in here while it is told: the sink may destroy this, and goes on reading.
      std::string bytes = std::move(bytes_);
      const std::string_view piece = std::string_view(bytes).substr(told_at_, most);
      told_at_ += piece.size();
      end_.bytes_received += piece.size();
      if (endpoint_->max_answer_bytes != 0 && end_.bytes_received > endpoint_->max_answer_bytes) {
        return finish(Code::kUpstreamAnswerTooLarge, "the answer is longer than " + std::to_string(endpoint_->max_answer_bytes) + " bytes");
      }
      sink_->on_bytes(piece);
      if (gone) return;
      bytes_ = std::move(bytes);
    }
    if (!paused_ && bytes_.empty() && !telling_->next_at()) close();
  }

  /// Takes what is due, as one read would find it.
  void gather() {
    while (bytes_.size() < kRead) {
      const auto at = telling_->next_at();
      if (!at || !due(*at)) return;
      telling_->next(bytes_);
    }
  }

  void close() {
    switch (telling_->closing()) {
      case Closing::kComplete: return finish(Code::kOk, {});
      case Closing::kCut: return finish(Code::kUpstreamTruncated, "the connection was closed before the end of the answer");
      case Closing::kReset: return finish(Code::kUpstreamReset, "the connection was reset before the end of the answer");
      case Closing::kSilence: state_ = State::kOver; return;  // nothing more, ever
    }
  }

  /// Last words; the sink may destroy this in them.
  void finish(Code code, std::string detail) {
    state_ = State::kOver;
    end_.code = code;
    end_.detail = std::move(detail);
    end_.remote_address = "simulated";
    end_.total = loop_.now() - started_;
    const engine::TransferEnd end = std::move(end_);
    sink_->on_done(end);
  }

  [[nodiscard]] bool due(Duration at) const { return arrived_ + at <= loop_.now(); }

  void schedule() {
    if (state_ == State::kHead) {
      loop_.arm(timer_, arrived_ + head_at_);
    } else if (state_ == State::kBody && !paused_) {
      const auto at = told_at_ < bytes_.size() ? std::optional(Duration{}) : telling_->next_at();
      // Where nothing is left the end is due now: it waited for a resume.
      loop_.arm(timer_, at ? std::max(arrived_ + *at, loop_.now()) : loop_.now());
    }
  }

  engine::Loop& loop_;
  std::shared_ptr<Stage> stage_;  // and the endpoint: a transfer may outlive its channel
  std::shared_ptr<const engine::Endpoint> endpoint_;
  engine::WireRequest request_;
  engine::TransferSink* sink_;
  engine::Timer timer_;
  TimePoint started_{}, arrived_{};
  State state_ = State::kConnect;
  bool paused_ = false, in_call_ = false;
  bool* gone_ = nullptr;               // set by the destructor, read by the call that is under way
  std::unique_ptr<Telling> telling_;
  Duration head_at_{};
  std::string bytes_;                  // due, not yet given to the sink from told_at_ on
  std::size_t told_at_ = 0;
  engine::TransferEnd end_;
};

class SimChannel final : public engine::Channel {
 public:
  SimChannel(engine::Loop& loop, std::shared_ptr<Stage> stage, const engine::Endpoint& endpoint)
      : loop_(loop), stage_(std::move(stage)), endpoint_(std::make_shared<const engine::Endpoint>(endpoint)) {}

  std::unique_ptr<engine::Transfer> start(engine::WireRequest request, engine::TransferSink& sink) override {
    return std::make_unique<SimTransfer>(loop_, stage_, endpoint_, std::move(request), sink);
  }

 private:
  engine::Loop& loop_;
  std::shared_ptr<Stage> stage_;
  std::shared_ptr<const engine::Endpoint> endpoint_;
};

class SimTransport final : public engine::Transport {
 public:
  SimTransport(engine::Loop& loop, std::shared_ptr<Stage> stage) : loop_(loop), stage_(std::move(stage)) {}

  Result<std::unique_ptr<engine::Channel>> open(const engine::Endpoint& endpoint) override {
    return std::make_unique<SimChannel>(loop_, stage_, endpoint);
  }

 private:
  engine::Loop& loop_;
  std::shared_ptr<Stage> stage_;
};

}  // namespace

std::unique_ptr<engine::Transport> make_transport(engine::Loop& loop, std::shared_ptr<Stage> stage) {
  return std::make_unique<SimTransport>(loop, std::move(stage));
}

}  // namespace sluice::sim
