// The floor of a gateway: a reverse proxy of one epoll loop and libcurl transfers, with no JSON, no routes, no limits, no
// timeouts. It forwards method POST, header fields and body, and hands back status, fields and body, streams as they come.
// What it costs is what sluice cannot avoid while it moves bytes with libcurl transfers; what sluice adds is sluice's own.
//
//   bench_bare_proxy UPSTREAM_URL [CONNECTIONS]

#include <deque>
#include <memory>

#include "curl_loop.hpp"

namespace {

class Proxy;

struct Client {
  int fd = -1;
  std::string in, out;
  bool watching_output = false, dirty = false;
  struct Exchange* exchange = nullptr;
};

struct Exchange {
  Proxy* proxy = nullptr;
  Client* client = nullptr;  // null: it went away
  CURL* easy = nullptr;
  std::string body;
  std::string field_text;               // the request's fields, each ended by a zero
  std::vector<curl_slist> field_nodes;  // over it: libcurl only reads them
  std::string head;                     // the answer's fields, as they came
  bool has_length = false, head_sent = false;

  void clear() noexcept {
    client = nullptr;
    head.clear();
    has_length = head_sent = false;
  }
};

bool is_named(std::string_view line, std::string_view lower) noexcept {
  if (line.size() <= lower.size() || line[lower.size()] != ':') return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if ((line[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

class Proxy {
 public:
  Proxy(std::string upstream, long connections) : upstream_(std::move(upstream)), loop_(connections), listener_(rig::listen_anywhere()) {
    rig::watch(loop_.epoll(), listener_, EPOLLIN);
    loop_.on_event = [this](int fd, std::uint32_t what) { on_event(fd, what); };
    loop_.on_done = [this](CURL* easy, CURLcode result) { on_done(easy, result); };
  }

  [[noreturn]] void run() {
    for (;;) {
      loop_.turn(1000);
      for (std::size_t i = 0; i < dirty_.size(); ++i) {  // one write for what one turn brought
        dirty_[i]->dirty = false;
        flush(*dirty_[i]);
      }
      dirty_.clear();
      gone_.clear();
    }
  }

 private:
  void on_event(int fd, std::uint32_t what) {
    if (fd == listener_) {
      for (int next = rig::accept_one(listener_); next >= 0; next = rig::accept_one(listener_)) {
        if (clients_.size() <= static_cast<std::size_t>(next)) clients_.resize(static_cast<std::size_t>(next) + 1);
        clients_[static_cast<std::size_t>(next)] = std::make_unique<Client>();
        clients_[static_cast<std::size_t>(next)]->fd = next;
        rig::watch(loop_.epoll(), next, EPOLLIN);
      }
      return;
    }
    Client* client = static_cast<std::size_t>(fd) < clients_.size() ? clients_[static_cast<std::size_t>(fd)].get() : nullptr;
    if (client == nullptr) return;
    if ((what & EPOLLOUT) != 0) mark(*client);
    if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(*client);
  }

  void receive(Client& client) {
    char buffer[16 * 1024];
    const ssize_t got = recv(client.fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return drop(client);
    client.in.append(buffer, static_cast<std::size_t>(got));
    if (client.exchange == nullptr) begin(client);
  }

  void begin(Client& client) {
    const auto frame = rig::frame_of(client.in);
    if (frame.size == 0) return;
    Exchange* exchange = take();
    exchange->client = &client;
    exchange->body.assign(frame.body);
    write_fields(*exchange, frame.head);
    client.in.erase(0, frame.size);
    client.exchange = exchange;
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, exchange->body.data());
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(exchange->body.size()));
    loop_.add(exchange->easy);
  }

  Exchange* take() {
    if (idle_.empty()) {
      Exchange& made = exchanges_.emplace_back();
      made.proxy = this;
      made.easy = loop_.make_handle(upstream_, nullptr);
      curl_easy_setopt(made.easy, CURLOPT_BUFFERSIZE, 4096L);
      curl_easy_setopt(made.easy, CURLOPT_PRIVATE, &made);
      curl_easy_setopt(made.easy, CURLOPT_HEADERFUNCTION, &Proxy::on_header);
      curl_easy_setopt(made.easy, CURLOPT_HEADERDATA, &made);
      curl_easy_setopt(made.easy, CURLOPT_WRITEFUNCTION, &Proxy::on_body);
      curl_easy_setopt(made.easy, CURLOPT_WRITEDATA, &made);
      return &made;
    }
    Exchange* exchange = idle_.back();
    idle_.pop_back();
    return exchange;
  }

  // What came with the request goes on, but for what libcurl writes itself.
  static void write_fields(Exchange& exchange, std::string_view head) {
    exchange.field_text.clear();
    exchange.field_nodes.clear();
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
      const std::size_t end = head.find("\r\n", at + 2);
      const std::string_view line = head.substr(at + 2, end - at - 2);
      at = end;
      if (is_named(line, "host") || is_named(line, "content-length") || is_named(line, "connection")) continue;
      exchange.field_nodes.push_back({reinterpret_cast<char*>(exchange.field_text.size()), nullptr});  // an offset, for now
      exchange.field_text.append(line).push_back('\0');
    }
    for (std::size_t i = 0; i < exchange.field_nodes.size(); ++i) {
      curl_slist& node = exchange.field_nodes[i];
      node.data = exchange.field_text.data() + reinterpret_cast<std::size_t>(node.data);
      node.next = i + 1 < exchange.field_nodes.size() ? &exchange.field_nodes[i + 1] : nullptr;
    }
    curl_easy_setopt(exchange.easy, CURLOPT_HTTPHEADER, exchange.field_nodes.empty() ? nullptr : exchange.field_nodes.data());
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* to) {
    auto& exchange = *static_cast<Exchange*>(to);
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/") || line == "\r\n" || is_named(line, "connection") || is_named(line, "transfer-encoding")) return size;
    exchange.has_length = exchange.has_length || is_named(line, "content-length");
    exchange.head.append(line);
    return size;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
    auto& exchange = *static_cast<Exchange*>(to);
    if (exchange.client == nullptr) return 0;
    std::string& out = exchange.client->out;
    if (!exchange.head_sent) send_head(exchange);
    if (!exchange.has_length) {
      char frame[16];
      out.append(frame, static_cast<std::size_t>(std::snprintf(frame, sizeof frame, "%zx\r\n", size))).append(data, size).append("\r\n");
    } else {
      out.append(data, size);
    }
    exchange.proxy->mark(*exchange.client);
    return size;
  }

  static void send_head(Exchange& exchange) {
    long status = 0;
    curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
    exchange.head_sent = true;
    exchange.client->out.append("HTTP/1.1 ").append(std::to_string(status)).append(" -\r\n").append(exchange.head);
    exchange.client->out.append(exchange.has_length ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
  }

  void on_done(CURL* easy, CURLcode result) {
    char* pointer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
    auto* exchange = reinterpret_cast<Exchange*>(pointer);
    Client* client = exchange->client;
    if (client != nullptr) {
      client->exchange = nullptr;
      if (result != CURLE_OK) {
        std::fprintf(stderr, "bench_bare_proxy: %s\n", curl_easy_strerror(result));
        drop(*client);
      } else {
        if (!exchange->head_sent) send_head(*exchange);
        if (!exchange->has_length) client->out.append("0\r\n\r\n");
        mark(*client);
        if (!client->in.empty()) begin(*client);
      }
    }
    exchange->clear();
    idle_.push_back(exchange);
  }

  void mark(Client& client) {
    if (client.dirty) return;
    client.dirty = true;
    dirty_.push_back(&client);
  }

  void flush(Client& client) {
    if (client.out.empty() || client.fd < 0) return;
    const ssize_t sent = send(client.fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(client);
    if (sent > 0) client.out.erase(0, static_cast<std::size_t>(sent));
    const bool more = !client.out.empty();
    if (more == client.watching_output) return;
    client.watching_output = more;
    rig::watch(loop_.epoll(), client.fd, more ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  // The client stays in memory until the turn's end: it may still stand among the dirty ones.
  void drop(Client& client) {
    if (client.fd < 0) return;
    if (Exchange* exchange = client.exchange) {
      loop_.remove(exchange->easy);
      exchange->clear();
      idle_.push_back(exchange);
    }
    close(client.fd);
    gone_.push_back(std::move(clients_[static_cast<std::size_t>(client.fd)]));
    client.fd = -1;
  }

  std::string upstream_;
  floor_bench::CurlLoop loop_;
  int listener_;
  std::vector<std::unique_ptr<Client>> clients_;  // by fd
  std::vector<std::unique_ptr<Client>> gone_;
  std::vector<Client*> dirty_;
  std::deque<Exchange> exchanges_;
  std::vector<Exchange*> idle_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_bare_proxy UPSTREAM_URL [CONNECTIONS]\n");
    return 2;
  }
  Proxy(argv[1], argc > 2 ? std::atol(argv[2]) : 8192).run();
}
