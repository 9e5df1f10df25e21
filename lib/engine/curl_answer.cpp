// What libcurl says while a transfer runs: connected, head, body. Every callback ends the transfer by its return value
// where the sink has gone or the answer is not one to go on with; libcurl then closes the connection by itself.

#include <algorithm>
#include <cstdio>

#include "engine/curl_channel.hpp"
#include "engine/curl_connections.hpp"
#include "engine/curl_transfer.hpp"

namespace sluice::engine {
namespace {

constexpr std::uint64_t kRatioFree = 1024 * 1024;  // decoded bytes before the ratio counts
constexpr std::uint64_t kMaxRatio = 200;           // decoded to encoded

CurlTransfer& self_of(void* self) { return *static_cast<CurlTransfer*>(self); }

}  // namespace

/// Once for each time the request goes out on a connection, so also when libcurl silently sends it again.
int CurlTransfer::on_connected(void* self, char* remote, char*, int remote_port, int local_port) {
  CurlTransfer& transfer = self_of(self);
  if (transfer.sink_ == nullptr) return CURL_PREREQFUNC_ABORT;
  ++transfer.sends_;
  transfer.reused_ = !std::exchange(transfer.fresh_, false);
  transfer.reserved_.release();  // it went to an idle connection after all
  transfer.shard_->hope_ended(transfer);
  transfer.shard_->connected(transfer, transfer.reused_, local_port);
  if (transfer.resolve_ != nullptr) transfer.shard_->addresses_loaded = transfer.resolve_->generation;
  transfer.connected_at_ = transfer.channel_.engine().loop().now();
  const bool v6 = std::string_view(remote).find(':') != std::string_view::npos;
  transfer.remote_.assign(v6 ? "[" : "").append(remote).append(v6 ? "]:" : ":").append(std::to_string(remote_port));
  transfer.sink_->on_connected();
  return transfer.sink_ == nullptr ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

curl_socket_t CurlTransfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  CurlTransfer& transfer = self_of(self);
  return transfer.shard_->open_socket(transfer, *address);
}

// --- the request's body --------------------------------------------------------------------------------------------

std::size_t CurlTransfer::on_read(char* out, std::size_t size, std::size_t count, void* self) {
  CurlTransfer& transfer = self_of(self);
  const std::size_t got = transfer.request_.body.read(transfer.read_at_, out, size * count);
  transfer.read_at_ += got;
  return got;
}

int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  self_of(self).read_at_ = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

// --- the answer's head ---------------------------------------------------------------------------------------------

std::size_t CurlTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  const std::size_t n = size * count;
  CurlTransfer& transfer = self_of(self);
  if (transfer.sink_ == nullptr) return n + 1;
  return transfer.take_head_line({data, n}) ? n : n + 1;
}

bool CurlTransfer::take_head_line(std::string_view line) {
  if (first_byte_at_ == TimePoint{}) first_byte_at_ = channel_.engine().loop().now();
  const Result<AnswerHead::Line> taken = head_.take(line);
  if (!taken) {
    fail_with(taken.error().code, taken.error().message);
    return false;
  }
  return *taken != AnswerHead::Line::kWhole || deliver_head();
}

bool CurlTransfer::deliver_head() {
  const Endpoint& endpoint = channel_.endpoint();
  if (head_.ambiguous()) {
    set(CURLOPT_FORBID_REUSE, 1L);
    forbid_reuse_ = true;
  }
  if (endpoint.compressed && !head_.content_encoding().empty() && shape_ != Shape::kHead) {
    Result<std::unique_ptr<Inflater>> inflater = Inflater::create(head_.content_encoding());
    if (!inflater) {
      fail_with(inflater.error().code, inflater.error().message);
      return false;
    }
    inflater_ = std::move(*inflater);
  }
  if (const auto length = head_.content_length(); length && !head_.ambiguous() && inflater_ == nullptr && shape_ != Shape::kHead &&
                                                  endpoint.max_answer_bytes != 0 && *length > endpoint.max_answer_bytes) {
    fail_with(Code::kUpstreamAnswerTooLarge, "the answer announces " + std::to_string(*length) + " bytes; " +
                                                 std::to_string(endpoint.max_answer_bytes) + " are allowed");
    return false;
  }
  if (request_.streaming) {
    // The request cannot be sent again once its answer began: an idle stream need not keep it.
    head_text_ = std::string();
    head_nodes_ = std::vector<curl_slist>();
    flat_body_ = std::string();
    request_.headers = Headers();
  }
  sink_->on_head(head_.release(inflater_ != nullptr));
  return sink_ != nullptr;
}

// --- the answer's body ---------------------------------------------------------------------------------------------

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  const std::size_t n = size * count;
  CurlTransfer& transfer = self_of(self);
  if (transfer.sink_ == nullptr) return n + 1;
  if (transfer.paused_) {  // before a byte is taken: libcurl brings all of them again
    transfer.curl_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer.received_ += n;
  if (transfer.inflater_ == nullptr) return transfer.deliver({data, n}) ? n : n + 1;
  transfer.inflater_->feed({data, n});
  return transfer.decode() ? n : n + 1;
}

bool CurlTransfer::deliver(std::string_view bytes) {
  const std::uint64_t limit = channel_.endpoint().max_answer_bytes;
  delivered_ += bytes.size();
  if (limit != 0 && delivered_ > limit) {
    fail_with(Code::kUpstreamAnswerTooLarge, "the answer is longer than the " + std::to_string(limit) + " bytes allowed");
    return false;
  }
  sink_->on_bytes(bytes);
  return sink_ != nullptr;
}

bool CurlTransfer::decode() {
  const std::uint64_t limit = channel_.endpoint().max_decoded_bytes;
  holding_ = false;
  for (;;) {
    if (paused_) {  // what was not decoded yet is kept; libcurl's own copy of it is gone when we return
      std::string rest(inflater_->unread());
      held_ = std::move(rest);
      inflater_->feed(held_);
      holding_ = true;
      return true;
    }
    const Result<std::string_view> piece = inflater_->next();
    if (!piece) {
      fail_with(piece.error().code, piece.error().message);
      return false;
    }
    if (piece->empty()) return true;
    const std::uint64_t decoded = delivered_ + piece->size();
    if ((limit != 0 && decoded > limit) || (decoded > kRatioFree && decoded > kMaxRatio * received_)) {
      fail_with(Code::kUpstreamDecodedTooLarge,
                "the answer's " + std::to_string(received_) + " bytes decode to more than " +
                    std::to_string(delivered_) + "; at most " + std::to_string(limit) + " and 200:1 are allowed");
      return false;
    }
    if (!deliver(*piece)) return false;
  }
}

void CurlTransfer::resume() {
  if (!std::exchange(paused_, false)) return;
  if (curl_paused_ || holding_) channel_.engine().resume(*this);
}

CURLcode CurlTransfer::go_on() {
  if (paused_ || sink_ == nullptr) return CURLE_OK;
  if (holding_ && !decode()) return CURLE_WRITE_ERROR;
  if (holding_ || paused_ || !std::exchange(curl_paused_, false)) return CURLE_OK;
  const CurlEngine::Call call(channel_.engine());
  return curl_easy_pause(easy_, CURLPAUSE_CONT);
}

}  // namespace sluice::engine
