#pragma once
/// One full libcurl transfer: an easy handle that is used again and again for one endpoint, the request it sends and the
/// answer it reads. Knows HTTP as libcurl shows it; must not know which connection or CURLM it gets.

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer_head.hpp"
#include "engine/connection_budgets.hpp"
#include "engine/inflater.hpp"
#include "engine/transport.hpp"

namespace sluice::engine {

class CurlChannel;
class CurlShard;
class CurlHandle;

/// A CURLOPT_RESOLVE entry; shared by the transfers that carry it.
struct ResolveEntry {
  std::uint64_t generation = 0;
  std::string text;       // host:port:address,address; empty: the host is an address itself
  curl_slist node{};
};

/// Engine thread only.
class CurlTransfer {
 public:
  enum class State : std::uint8_t {
    kFree,       // in the channel's pool
    kResolving,  // its names are being looked up
    kQueued,     // waits for a connection's place
    kStarting,   // on the engine's list of launches
    kRunning,    // in a CURLM
    kDraining,   // libcurl is finished; decoded bytes wait for the sink to resume
    kFailed,     // on the engine's list of reports
  };

  /// nullptr where libcurl gives no handle.
  [[nodiscard]] static std::unique_ptr<CurlTransfer> create(CurlChannel& channel);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // The life of one use.
  void begin(WireRequest request, TransferSink& sink, CurlHandle& handle);
  /// Tells libcurl what to send. `resolve` may be nullptr: the CURLM knows the addresses.
  void prepare(CurlShard& shard, std::shared_ptr<const ResolveEntry> resolve);
  /// The account of how it ended. Then the sink may be told.
  [[nodiscard]] TransferEnd account(CURLcode result);
  /// Forgets request, sink and handle.
  void clear();
  /// Back to where begin() left it: it starved.
  void begin_again();
  /// The sink is not called again.
  void detach() noexcept;
  /// It will end like this, whatever libcurl says.
  void fail_with(Code code, std::string detail);

  void pause() noexcept { paused_ = true; }
  void resume();
  /// Decoded bytes wait for the sink.
  [[nodiscard]] bool holds_bytes() const noexcept { return holding_; }
  /// Gives the sink what was held, then lets libcurl go on. Never inside a callback of libcurl.
  [[nodiscard]] CURLcode go_on();

  [[nodiscard]] CurlChannel& channel() const noexcept { return channel_; }
  [[nodiscard]] CURL* easy() const noexcept { return easy_; }
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }
  [[nodiscard]] bool repeatable() const noexcept { return request_.repeatable; }
  [[nodiscard]] TransferSink* sink() const noexcept { return sink_; }
  [[nodiscard]] CurlHandle* handle() const noexcept { return handle_; }
  [[nodiscard]] const ResolveEntry* resolve_entry() const noexcept { return resolve_.get(); }
  /// It ran out of places for connections before anything was sent: it has to queue, not to fail.
  [[nodiscard]] bool starved() const noexcept { return starved_ && sends_ == 0 && own_code_ == Code::kOk; }
  [[nodiscard]] bool resolved() const noexcept { return resolved_at_ != TimePoint{}; }
  void set_resolved(TimePoint at) noexcept { resolved_at_ = at; }

  // What the connections say.
  [[nodiscard]] CurlShard* shard() const noexcept { return shard_; }
  void set_shard(CurlShard* shard) noexcept { shard_ = shard; }
  [[nodiscard]] int socket() const noexcept { return socket_; }
  void set_socket(int fd) noexcept { socket_ = fd; }
  [[nodiscard]] std::uint32_t sockets_opened() const noexcept { return opened_; }
  [[nodiscard]] bool ever_connected() const noexcept { return sends_ != 0; }
  void opened_socket(int fd) noexcept {
    socket_ = fd;
    ++opened_;
    fresh_ = true;
  }
  void lost_socket() noexcept { socket_ = -1; }
  void refuse_address(std::string address);
  void starve() noexcept { starved_ = true; }
  void reserve(Place place) noexcept { reserved_ = std::move(place); }
  [[nodiscard]] Place take_reserved() noexcept { return std::move(reserved_); }

  State state = State::kFree;
  std::uint64_t ticket = 0;   // in the budget's queue, while kQueued
  TimePoint queued_at{};
  bool hopes = false;         // was sent to a CURLM for its idle connection

 private:
  explicit CurlTransfer(CurlChannel& channel) : channel_(channel) {}
  void set_up();
  void write_head();
  void write_field(std::string_view name, std::string_view value);
  void write_body();
  void write_method();
  template <typename T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }

  static int on_connected(void* self, char* remote, char* local, int remote_port, int local_port);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* out, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  [[nodiscard]] bool take_head_line(std::string_view line);
  [[nodiscard]] bool deliver_head();
  [[nodiscard]] bool deliver(std::string_view bytes);
  [[nodiscard]] bool decode();

  // For as long as the handle lives.
  CurlChannel& channel_;
  CURL* easy_ = nullptr;
  std::uint64_t serial_ = 0;
  enum class Shape : std::uint8_t { kNone, kGet, kHead, kPost } shape_ = Shape::kNone;
  bool custom_method_ = false, fresh_connect_ = false, forbid_reuse_ = false;
  long buffer_bytes_ = 0;
  const CurlShard* closes_for_ = nullptr;
  char error_text_[CURL_ERROR_SIZE] = {};

  // For one use.
  WireRequest request_;
  TransferSink* sink_ = nullptr;
  CurlHandle* handle_ = nullptr;
  std::shared_ptr<const ResolveEntry> resolve_;
  std::string head_text_, target_, flat_body_;
  std::vector<curl_slist> head_nodes_;
  std::size_t read_at_ = 0;

  CurlShard* shard_ = nullptr;
  int socket_ = -1;
  std::uint32_t opened_ = 0;
  bool fresh_ = false;              // a socket was opened since the last send
  Place reserved_;

  AnswerHead head_;
  std::unique_ptr<Inflater> inflater_;
  std::string held_;                // encoded bytes the sink was too slow for
  bool holding_ = false, paused_ = false, curl_paused_ = false, starved_ = false, reused_ = false;
  Code own_code_ = Code::kOk;
  std::string own_detail_, remote_;
  std::uint32_t sends_ = 0;
  std::uint64_t received_ = 0, delivered_ = 0;
  TimePoint started_at_{}, resolved_at_{}, connected_at_{}, first_byte_at_{};
};

}  // namespace sluice::engine
