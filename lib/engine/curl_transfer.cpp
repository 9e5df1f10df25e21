#include "engine/curl_transfer.hpp"

// What libcurl is told: once for the endpoint, then for each request only what differs. Header lists are built in one
// buffer of our own, for libcurl only reads them. What libcurl says back is in curl_answer.cpp.

#include <algorithm>
#include <climits>

#include "engine/curl_channel.hpp"
#include "engine/curl_connections.hpp"
#include "engine/curl_failure.hpp"
#include "engine/curl_tls.hpp"

namespace sluice::engine {
namespace {

// libcurl sends head and body in one piece below this (http.c, MAX_INITIAL_POST_SIZE).
constexpr std::size_t kSingleSend = 64 * 1024;
// Above this libcurl would ask for "100 Continue" first.
constexpr std::size_t kExpectsContinue = 1024 * 1024;
constexpr long kBufferBytes = 16 * 1024, kStreamBufferBytes = 2 * 1024;
constexpr long kNoTimeoutMs = INT_MAX;   // 24 days; 0 would mean libcurl's own 300 s
constexpr long kKeepAliveProbeSeconds = 60;

/// Fields that are the transport's own, or belong to one hop.
bool is_ours(std::string_view name) noexcept {
  switch (name.size()) {
    case 2: return same_name(name, "te");
    case 4: return same_name(name, "host");
    case 6: return same_name(name, "expect");
    case 7: return same_name(name, "upgrade") || same_name(name, "trailer");
    case 10: return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14: return same_name(name, "content-length");
    case 15: return same_name(name, "accept-encoding");
    case 16: return same_name(name, "proxy-connection");
    case 17: return same_name(name, "transfer-encoding");
    case 19: return same_name(name, "proxy-authorization");
    default: return false;
  }
}

}  // namespace

std::unique_ptr<CurlTransfer> CurlTransfer::create(CurlChannel& channel) {
  std::unique_ptr<CurlTransfer> transfer(new CurlTransfer(channel));
  transfer->easy_ = curl_easy_init();
  if (transfer->easy_ == nullptr) return nullptr;
  transfer->set_up();
  return transfer;
}

CurlTransfer::~CurlTransfer() {
  channel_.engine().forget(*this);
  if (shard_ != nullptr) shard_->remove(*this);
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
}

void CurlTransfer::set_up() {
  const Endpoint& endpoint = channel_.endpoint();
  set(CURLOPT_CURLU, channel_.url());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // 307 to another host would take x-api-key along
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, kNoTimeoutMs);  // all deadlines are the gateway's
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kKeepAliveProbeSeconds);
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_PRIVATE, this);

  if (endpoint.http2) {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_PIPEWAIT, 1L);
  } else {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  }
  // The environment is not ours to obey: without these, http_proxy and no_proxy would count.
  set(CURLOPT_PROXY, channel_.proxy_url().c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (endpoint.tls) channel_.tls()->apply(easy_);

  set(CURLOPT_PREREQFUNCTION, &CurlTransfer::on_connected);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_READFUNCTION, &CurlTransfer::on_read);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
  set(CURLOPT_SEEKDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &CurlShard::close_socket);
}

void CurlTransfer::begin(WireRequest request, TransferSink& sink, CurlHandle& handle) {
  request_ = std::move(request);
  sink_ = &sink;
  handle_ = &handle;
  started_at_ = channel_.engine().loop().now();
}

void CurlTransfer::prepare(CurlShard& shard, std::shared_ptr<const ResolveEntry> resolve) {
  // A connection outlives the transfer that opened it: it is closed through its shard.
  if (closes_for_ != &shard) set(CURLOPT_CLOSESOCKETDATA, &shard);
  closes_for_ = &shard;
  resolve_ = std::move(resolve);
  if (resolve_ != nullptr && !resolve_->text.empty()) set(CURLOPT_RESOLVE, &resolve_->node);
  if (fresh_connect_ == request_.repeatable) {
    fresh_connect_ = !request_.repeatable;
    set(CURLOPT_FRESH_CONNECT, fresh_connect_ ? 1L : 0L);
  }
  if (forbid_reuse_) set(CURLOPT_FORBID_REUSE, 0L);
  forbid_reuse_ = false;
  if (const long wish = request_.streaming ? kStreamBufferBytes : kBufferBytes; wish != buffer_bytes_) {
    set(CURLOPT_BUFFERSIZE, wish);
    buffer_bytes_ = wish;
  }
  error_text_[0] = '\0';
  head_.start(channel_.endpoint().max_head_bytes);
  write_method();
  write_head();
}

void CurlTransfer::write_method() {
  const std::string& method = request_.method;
  const bool has_body = request_.has_body || method == "POST" || method == "PUT" || method == "PATCH";
  const Shape shape = has_body ? Shape::kPost : method == "HEAD" ? Shape::kHead : Shape::kGet;
  if (shape == Shape::kPost) write_body();
  if (shape != shape_) {
    if (shape == Shape::kPost) set(CURLOPT_POST, 1L);
    if (shape == Shape::kHead) set(CURLOPT_NOBODY, 1L);
    if (shape == Shape::kGet) set(CURLOPT_HTTPGET, 1L);
    shape_ = shape;
  }
  const std::string_view implied = shape == Shape::kPost ? "POST" : shape == Shape::kHead ? "HEAD" : "GET";
  if (method != implied) {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    custom_method_ = true;
  } else if (custom_method_) {
    set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
    custom_method_ = false;
  }
  if (channel_.target_prefix().empty()) {
    set(CURLOPT_REQUEST_TARGET, request_.target.c_str());
  } else {  // a plain proxy wants the whole URL
    target_.assign(channel_.target_prefix()).append(request_.target);
    set(CURLOPT_REQUEST_TARGET, target_.c_str());
  }
}

void CurlTransfer::write_body() {
  const base::EditedBody& body = request_.body;
  const char* data = nullptr;
  if (!body.edited()) {
    data = body.original().view().data();
  } else if (body.size() < kSingleSend) {
    flat_body_.resize(body.size());
    body.read(0, flat_body_.data(), flat_body_.size());
    data = flat_body_.data();
  } else {
    read_at_ = 0;  // asked for piece by piece
  }
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  set(CURLOPT_POSTFIELDS, data);
}

void CurlTransfer::write_field(std::string_view name, std::string_view value) {
  head_nodes_.push_back({reinterpret_cast<char*>(head_text_.size()), nullptr});  // an offset until the buffer stands still
  head_text_.append(name);
  if (value.empty()) {
    head_text_ += ';';  // libcurl's way of saying: an empty value
  } else {
    head_text_.append(": ").append(value);
  }
  head_text_ += '\0';
}

void CurlTransfer::write_head() {
  const Endpoint& endpoint = channel_.endpoint();
  head_text_.clear();
  head_nodes_.clear();
  const auto suppress = [&](std::string_view name) {
    head_nodes_.push_back({reinterpret_cast<char*>(head_text_.size()), nullptr});
    head_text_.append(name).append(":").push_back('\0');
  };
  bool accept = false, content_type = false;
  if (!channel_.host_field().empty()) write_field("Host", channel_.host_field());
  for (const HeaderField field : request_.headers) {
    if (is_ours(field.name)) continue;
    accept = accept || same_name(field.name, "accept");
    content_type = content_type || same_name(field.name, "content-type");
    write_field(field.name, field.value);
  }
  write_field("Accept-Encoding", endpoint.compressed ? "gzip, deflate" : "identity");
  if (!accept) suppress("Accept");
  if (shape_ == Shape::kPost && !content_type) suppress("Content-Type");
  if (request_.body.size() >= kExpectsContinue) suppress("Expect");
  for (std::size_t i = 0; i < head_nodes_.size(); ++i) {
    head_nodes_[i].data = head_text_.data() + reinterpret_cast<std::size_t>(head_nodes_[i].data);
    head_nodes_[i].next = i + 1 < head_nodes_.size() ? &head_nodes_[i + 1] : nullptr;
  }
  set(CURLOPT_HTTPHEADER, head_nodes_.data());
}

// --- the end -------------------------------------------------------------------------------------------------------

TransferEnd CurlTransfer::account(CURLcode result) {
  TransferEnd end;
  const TimePoint now = channel_.engine().loop().now();
  end.sends = sends_;
  end.reused_connection = reused_;
  end.remote_address = std::move(remote_);
  if (resolved_at_ != TimePoint{}) end.resolve = resolved_at_ - started_at_;
  if (connected_at_ != TimePoint{}) end.connect = connected_at_ - started_at_;
  if (first_byte_at_ != TimePoint{}) end.first_byte = first_byte_at_ - started_at_;
  end.total = now - started_at_;
  end.bytes_received = received_;
  if (sends_ > 0 && shape_ == Shape::kPost) {
    curl_off_t sent = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
    end.bytes_sent = static_cast<std::uint64_t>(sent);
  }
  if (own_code_ != Code::kOk) {
    end.code = own_code_;
    end.detail = std::move(own_detail_);
  } else if (result != CURLE_OK) {
    Failure failure = explain(result, easy_, error_text_, head_, channel_.endpoint());
    end.code = failure.code;
    end.detail = std::move(failure.detail);
  } else if (!head_.whole()) {
    end.code = Code::kUpstreamProtocolError;
    end.detail = "the answer has no head";
  } else if (inflater_ != nullptr && received_ > 0 && !inflater_->complete()) {
    end.code = Code::kUpstreamTruncated;
    end.detail = "the answer ends inside its content coding";
  }
  return end;
}

void CurlTransfer::clear() {
  ++serial_;
  state = State::kFree;
  ticket = 0;
  detach();
  request_ = WireRequest{};
  resolve_.reset();
  reserved_.release();
  inflater_.reset();
  held_ = std::string();
  own_detail_.clear();
  remote_.clear();
  own_code_ = Code::kOk;
  holding_ = paused_ = curl_paused_ = starved_ = reused_ = fresh_ = false;
  opened_ = sends_ = 0;
  received_ = delivered_ = 0;
  started_at_ = resolved_at_ = connected_at_ = first_byte_at_ = TimePoint{};
}

void CurlTransfer::begin_again() {
  starved_ = fresh_ = false;
  opened_ = 0;
  reserved_.release();
  resolve_.reset();
}

void CurlTransfer::detach() noexcept {
  sink_ = nullptr;
  handle_ = nullptr;
}

void CurlTransfer::fail_with(Code code, std::string detail) {
  if (own_code_ != Code::kOk) return;
  own_code_ = code;
  own_detail_ = std::move(detail);
}

void CurlTransfer::refuse_address(std::string address) {
  fail_with(Code::kAddressRefused, "'" + channel_.endpoint().host + "' leads to " + address +
                                       ", which is not on the public network; such addresses are refused here");
}

}  // namespace sluice::engine
