#pragma once
/// What a host program has said of one transfer and the engine has not heard yet. Knows order and bounds; must not know whom
/// it is told to.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/late_post.hpp"
#include "sluice/message.hpp"

namespace sluice::engine {

/// Whoever reads a HostAnswer.
class HostAnswerReader {
 public:
  /// There may be news. Engine thread only.
  virtual void on_news() = 0;

 protected:
  ~HostAnswerReader() = default;
};

class HostAnswer : public std::enable_shared_from_this<HostAnswer> {
 public:
  /// How a transfer ends by the host's word.
  struct End {
    Code code = Code::kOk;
    std::string detail = {};
  };
  struct News {
    bool connected = false;
    std::optional<ResponseHead> head = {};
  };

  /// `bodiless`: whatever the head says, no body follows it (HEAD).
  HostAnswer(std::uint64_t transfer, std::shared_ptr<LatePost> post, HostAnswerReader& reader, bool bodiless)
      : transfer_(transfer), post_(std::move(post)), reader_(&reader), bodiless_(bodiless) {}

  // Any thread. See HostNetwork for what each means.
  void connected();
  [[nodiscard]] Status head(ResponseHead head);
  [[nodiscard]] Result<bool> bytes(std::string_view bytes);
  [[nodiscard]] Status end();
  void fail(Code code, std::string detail);

  // Engine thread only.
  [[nodiscard]] News take_news();
  /// Swaps what has come into `out`, which is empty. False: nothing has.
  [[nodiscard]] bool take_bytes(std::string& out);
  /// So many of them have been given on.
  void given(std::size_t bytes);
  /// How it ends, once all bytes have been given on.
  [[nodiscard]] std::optional<End> take_end();
  void set_paused(bool paused);
  /// True, once, where the host was told to wait and need not any more.
  [[nodiscard]] bool may_go_on();
  /// Calls the reader, soon.
  void call_reader();
  /// Nobody reads any more. False: the host has not ended it, and would go on.
  [[nodiscard]] bool close();

 private:
  // Under mutex_.
  void call_reader_locked();
  [[nodiscard]] bool full() const noexcept;
  [[nodiscard]] tl::unexpected<Error> out_of_order(const char* what) const;

  const std::uint64_t transfer_;
  const std::shared_ptr<LatePost> post_;
  HostAnswerReader* reader_;        // engine thread only; null once nobody reads
  std::mutex mutex_;
  // Under mutex_.
  News news_;
  std::string bytes_;
  std::size_t waiting_ = 0;         // bytes that nobody was given yet, in bytes_ and with the reader
  std::optional<End> end_;
  bool bodiless_;
  bool headed_ = false, over_ = false, posted_ = false;
  bool paused_ = false;             // by the gateway
  bool told_to_wait_ = false;       // the host
};

}  // namespace sluice::engine
