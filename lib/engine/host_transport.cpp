// A network of the host program's as a Transport: see sluice/host_transport.hpp. It keeps to what the network would do: the sink
// hears nothing inside start() or resume(), nothing while it is paused, and nothing after its transfer is gone. The caps on heads
// and answers hold; names, addresses, TLS, proxies and caps of connections are the host's affair.

#include "sluice/host_transport.hpp"

#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/answer_head.hpp"
#include "engine/host_answer.hpp"
#include "engine/transport.hpp"
#include "sluice/fork_mark.hpp"

namespace sluice {
namespace engine {
namespace {

constexpr std::size_t kPiece = 16 * 1024;        // what one on_bytes brings at most, and so what still comes after a pause
constexpr std::size_t kEachTurn = 256 * 1024;    // what one transfer brings before others get their turn

/// What the host and all engines share: who is asked, and which transfers are open.
class HostLink {
 public:
  explicit HostLink(HostTransport& to) noexcept : host(to) {}

  HostTransport& host;
  const ForkMark mark;

  [[nodiscard]] std::uint64_t new_number() noexcept { return last_.fetch_add(1, std::memory_order_relaxed) + 1; }
  void keep(std::uint64_t transfer, std::shared_ptr<HostAnswer> answer) {
    const std::lock_guard lock(mutex_);
    open_.emplace(transfer, std::move(answer));
  }
  void forget(std::uint64_t transfer) noexcept {
    const std::lock_guard lock(mutex_);
    open_.erase(transfer);
  }
  /// Null where it is over, or never was.
  [[nodiscard]] std::shared_ptr<HostAnswer> find(std::uint64_t transfer) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(transfer);
    return found == open_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::vector<std::shared_ptr<HostAnswer>> all() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<HostAnswer>> out;
    for (const auto& [transfer, answer] : open_) out.push_back(answer);
    return out;
  }

 private:
  std::atomic<std::uint64_t> last_{0};
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<HostAnswer>> open_;
};

/// Where a channel leads to, and how it is called to the host.
struct HostPlace {
  Endpoint endpoint;
  std::string origin;
};

/// True for failures of making a connection: the request has not gone out.
bool before_sending(Code code) noexcept {
  return code == Code::kUpstreamResolveFailed || code == Code::kUpstreamConnectFailed || code == Code::kUpstreamTlsFailed ||
         code == Code::kAddressRefused || code == Code::kConnectTimeout;
}

bool may_fail_with(Code code) noexcept {
  return before_sending(code) || code == Code::kUpstreamReset || code == Code::kUpstreamProtocolError || code == Code::kUpstreamTruncated ||
         code == Code::kHeadersTimeout || code == Code::kIdleTimeout;
}

class HostTransfer final : public Transfer, private HostAnswerReader {
 public:
  HostTransfer(Loop& loop, std::shared_ptr<HostLink> link, std::shared_ptr<const HostPlace> place, std::shared_ptr<LatePost> post,
               WireRequest request, TransferSink& sink)
      : loop_(loop), link_(std::move(link)), place_(std::move(place)), id_(link_->new_number()), sink_(&sink),
        bodiless_(request.method == "HEAD"),
        answer_(std::make_shared<HostAnswer>(id_, std::move(post), static_cast<HostAnswerReader&>(*this), bodiless_)) {
    started_ = loop_.now();
    sent_bytes_ = request.body.size();
    link_->keep(id_, answer_);
    const std::string edited = request.body.edited() ? request.body.to_string() : std::string();
    const std::string_view body = request.body.edited() ? std::string_view(edited) : request.body.original().view();
    link_->host.start({.transfer = id_, .upstream = place_->endpoint.name, .origin = place_->origin, .method = request.method,
                       .target = request.target, .headers = request.headers, .body = body, .has_body = request.has_body,
                       .stream = request.streaming});
  }
  ~HostTransfer() override {
    if (gone_ != nullptr) *gone_ = true;
    leave();
  }

  void pause() override {
    paused_ = true;
    answer_->set_paused(true);
  }
  void resume() override {
    if (!std::exchange(paused_, false)) return;
    answer_->set_paused(false);
    answer_->call_reader();
  }

 private:
  /// Every call into the sink may destroy this: `gone` says so.
  void on_news() override {
    bool gone = false;
    gone_ = &gone;
    tell(gone);
    if (!gone) gone_ = nullptr;
  }

  void tell(const bool& gone) {
    HostAnswer::News news = answer_->take_news();
    if (news.connected) connect();
    if (gone) return;
    if (news.head) head(std::move(*news.head));
    if (gone || left_) return;
    body(gone);
    if (gone || left_) return;
    if (auto end = paused_ ? std::nullopt : answer_->take_end()) return finish(std::move(*end), gone);
    if (answer_->may_go_on()) link_->host.resume(id_);
  }

  void connect() {
    if (connected_at_) return;
    connected_at_ = loop_.now();
    sink_->on_connected();
  }

  /// Judged as one from the wire is.
  void head(ResponseHead&& given) {
    const std::uint64_t most = place_->endpoint.max_head_bytes;
    AnswerHead judged;
    judged.start(most != 0 ? most : std::numeric_limits<std::uint64_t>::max());
    std::string line;
    const auto take = [&](std::string_view text) {
      line.assign(text).append("\r\n");
      return judged.take(line);
    };
    auto taken = take("HTTP/1.1 " + std::to_string(given.status));
    for (const HeaderField field : given.headers) {
      if (taken) taken = take(std::string(field.name).append(": ").append(field.value));
    }
    if (taken) taken = take("");
    if (!taken) return close(taken.error().code, std::move(taken.error().message));
    first_byte_at_ = loop_.now();
    ResponseHead head = judged.release(false);
    bodiless_ = bodiless_ || head.status == 204 || head.status == 304;
    length_ = judged.content_length();
    sink_->on_head(std::move(head));
  }

  void body(const bool& gone) {
    std::size_t told = 0;
    while (!paused_) {
      if (told_at_ == bytes_.size()) {
        bytes_.clear();
        told_at_ = 0;
        if (!answer_->take_bytes(bytes_)) return;
      }
      if (told >= kEachTurn) return answer_->call_reader();
      const std::string_view piece = std::string_view(bytes_).substr(told_at_, kPiece);
      told_at_ += piece.size();
      told += piece.size();
      received_ += piece.size();
      answer_->given(piece.size());
      if (const std::uint64_t most = place_->endpoint.max_answer_bytes; most != 0 && received_ > most) {
        return close(Code::kUpstreamAnswerTooLarge, "the answer is longer than " + std::to_string(most) + " bytes");
      }
      if (length_ && received_ > *length_) {
        return close(Code::kUpstreamProtocolError, "the answer goes on behind the " + std::to_string(*length_) + " bytes it has announced");
      }
      sink_->on_bytes(piece);
      if (gone) return;
    }
  }

  /// By the host's word.
  void finish(HostAnswer::End end, const bool& gone) {
    if (end.code != Code::kOk && !before_sending(end.code)) connect();
    if (gone) return;
    if (end.code == Code::kOk && length_ && received_ < *length_ && !bodiless_) {
      return close(Code::kUpstreamTruncated, "the answer ended after " + std::to_string(received_) + " of " + std::to_string(*length_) + " bytes");
    }
    close(end.code, std::move(end.detail));
  }

  /// Last words; the sink may destroy this in them.
  void close(Code code, std::string detail) {
    leave();
    TransferEnd end;
    end.code = code;
    end.detail = std::move(detail);
    if (connected_at_) {
      end.sends = 1;
      end.connect = *connected_at_ - started_;
      end.bytes_sent = sent_bytes_;
    }
    if (first_byte_at_) end.first_byte = *first_byte_at_ - started_;
    end.total = loop_.now() - started_;
    end.bytes_received = received_;
    sink_->on_done(end);
  }

  /// Nobody here listens any more; the host hears so where it has not ended the transfer itself.
  void leave() {
    if (std::exchange(left_, true)) return;
    link_->forget(id_);
    if (!answer_->close()) link_->host.cancel(id_);
  }

  Loop& loop_;
  const std::shared_ptr<HostLink> link_;      // and the place: a transfer may outlive its channel
  const std::shared_ptr<const HostPlace> place_;
  const std::uint64_t id_;
  TransferSink* const sink_;
  bool bodiless_;                             // whatever the head has announced
  const std::shared_ptr<HostAnswer> answer_;
  TimePoint started_{};
  std::optional<TimePoint> connected_at_, first_byte_at_;
  std::optional<std::uint64_t> length_;       // that the head has announced
  std::string bytes_;                         // taken, not yet given to the sink from told_at_ on
  std::size_t told_at_ = 0;
  std::uint64_t received_ = 0, sent_bytes_ = 0;
  bool paused_ = false, left_ = false;
  bool* gone_ = nullptr;                      // set by the destructor, read by the call that is under way
};

class HostChannel final : public Channel {
 public:
  HostChannel(Loop& loop, std::shared_ptr<HostLink> link, std::shared_ptr<LatePost> post, const Endpoint& endpoint)
      : loop_(loop), link_(std::move(link)), post_(std::move(post)),
        place_(std::make_shared<const HostPlace>(HostPlace{endpoint, (endpoint.tls ? "https://" : "http://") + endpoint.authority})) {}

  std::unique_ptr<Transfer> start(WireRequest request, TransferSink& sink) override {
    return std::make_unique<HostTransfer>(loop_, link_, place_, post_, std::move(request), sink);
  }

 private:
  Loop& loop_;
  const std::shared_ptr<HostLink> link_;
  const std::shared_ptr<LatePost> post_;
  const std::shared_ptr<const HostPlace> place_;
};

class HostEngine final : public Transport {
 public:
  HostEngine(Loop& loop, std::shared_ptr<HostLink> link) : loop_(loop), link_(std::move(link)), post_(std::make_shared<LatePost>(loop)) {}
  ~HostEngine() override { post_->close(); }

  Result<std::unique_ptr<Channel>> open(const Endpoint& endpoint) override {
    return std::make_unique<HostChannel>(loop_, link_, post_, endpoint);
  }

 private:
  Loop& loop_;
  const std::shared_ptr<HostLink> link_;
  const std::shared_ptr<LatePost> post_;
};

class HostFactory final : public TransportFactory {
 public:
  explicit HostFactory(std::shared_ptr<HostLink> link) : link_(std::move(link)) {}
  Result<std::unique_ptr<Transport>> create(Loop& loop) override { return std::make_unique<HostEngine>(loop, link_); }
  [[nodiscard]] bool simulated() const noexcept override { return true; }

 private:
  const std::shared_ptr<HostLink> link_;
};

}  // namespace
}  // namespace engine

struct HostNetwork::Impl {
  explicit Impl(HostTransport& host) : link(std::make_shared<engine::HostLink>(host)), factory(link) {}

  /// Tells an open transfer something by `say`; `idle` is what one gets who speaks of another.
  template <typename Said, typename Say>
  Said tell(std::uint64_t transfer, Said idle, Say&& say) {
    if (link->mark.in_child()) return sluice::fail(Code::kForked, "this network was made in a parent process; make one after the fork");
    const auto answer = link->find(transfer);
    return answer ? say(*answer) : idle;
  }

  const std::shared_ptr<engine::HostLink> link;
  engine::HostFactory factory;
};

HostNetwork::HostNetwork(HostTransport& host) : impl_(std::make_unique<Impl>(host)) {}
HostNetwork::~HostNetwork() = default;

TransportFactory* HostNetwork::transport() { return &impl_->factory; }

Status HostNetwork::connected(std::uint64_t transfer) {
  return impl_->tell(transfer, Status(), [](engine::HostAnswer& answer) { return answer.connected(), Status(); });
}

Status HostNetwork::head(std::uint64_t transfer, ResponseHead head) {
  if (head.status < 200 || head.status > 599) {
    return sluice::fail(Code::kInvalidParameter, "status " + std::to_string(head.status) + " is none from 200 to 599", "status");
  }
  return impl_->tell(transfer, Status(), [&](engine::HostAnswer& answer) { return answer.head(std::move(head)); });
}

Result<bool> HostNetwork::bytes(std::uint64_t transfer, std::string_view bytes) {
  return impl_->tell(transfer, Result<bool>(false), [&](engine::HostAnswer& answer) { return answer.bytes(bytes); });
}

Status HostNetwork::end(std::uint64_t transfer) {
  return impl_->tell(transfer, Status(), [](engine::HostAnswer& answer) { return answer.end(); });
}

Status HostNetwork::fail(std::uint64_t transfer, Code code, std::string detail) {
  if (!engine::may_fail_with(code)) {
    return sluice::fail(Code::kInvalidParameter, std::string(to_string(code)) + " is no failure of a transport", "code");
  }
  return impl_->tell(transfer, Status(), [&](engine::HostAnswer& answer) { return answer.fail(code, std::move(detail)), Status(); });
}

Status HostNetwork::fail_all(Code code, const std::string& detail) {
  if (impl_->link->mark.in_child()) return sluice::fail(Code::kForked, "this network was made in a parent process; make one after the fork");
  for (const auto& answer : impl_->link->all()) answer->fail(code, detail);
  return {};
}

}  // namespace sluice
