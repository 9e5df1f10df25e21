#pragma once
/// libcurl multi on epoll, as bare as it goes: one CURLM, sockets registered once and lazily, one timer. Knows transfers
/// only; what they are for is their caller's.

#include <curl/curl.h>

#include <functional>
#include <string>
#include <vector>

#include "../rig/socket.hpp"

namespace floor_bench {

class CurlLoop {
 public:
  explicit CurlLoop(long connections) : epoll_(epoll_create1(EPOLL_CLOEXEC)), events_(512) {
    if (epoll_ < 0) rig::die("epoll_create1");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);  // below the number in flight each transfer connects anew
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~CurlLoop() {
    closing_ = true;
    curl_multi_cleanup(multi_);
    close(epoll_);
  }
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  /// Called once for each transfer that ended, from turn(); the handle is out of the multi and may be added again.
  std::function<void(CURL*, CURLcode)> on_done;
  /// Called for each event of a descriptor that is not libcurl's.
  std::function<void(int, std::uint32_t)> on_event;

  [[nodiscard]] int epoll() const noexcept { return epoll_; }

  /// A handle with what every transfer has in common. Lifetime: the caller's, until destroy().
  CURL* make_handle(const std::string& url, curl_slist* headers) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlLoop::on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    return easy;
  }

  void add(CURL* easy) { curl_multi_add_handle(multi_, easy); }
  void remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }
  void destroy(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
  }

  /// Waits at most `wait_ms`, then handles what happened.
  void turn(int wait_ms) {
    int running = 0;
    if (due_ >= 0) {
      const std::int64_t left = due_ - rig::now_ns();
      if (left <= 0) {
        due_ = -1;
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
        collect();
        wait_ms = due_ >= 0 && due_ <= rig::now_ns() ? 0 : wait_ms;
      } else {
        wait_ms = std::min(wait_ms, static_cast<int>(left / 1'000'000) + 1);
      }
    }
    const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), wait_ms);
    if (count < 0 && errno != EINTR) rig::die("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = events_[static_cast<std::size_t>(i)].data.fd;
      const std::uint32_t what = events_[static_cast<std::size_t>(i)].events;
      if (!is_curls(fd)) {
        on_event(fd, what);
        continue;
      }
      if (sockets_[static_cast<std::size_t>(fd)].wanted == 0) {  // an idle connection its peer closed: nobody reads it
        forget(fd);
        continue;
      }
      const int flags = ((what & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) | ((what & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                        ((what & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi_, fd, flags, &running);
    }
    collect();
  }

 private:
  struct Socket {
    std::uint32_t registered = 0;  // what epoll watches; stays EPOLLIN while libcurl keeps the connection idle
    int wanted = 0;                // what libcurl wants now
  };

  bool is_curls(int fd) const { return static_cast<std::size_t>(fd) < sockets_.size() && sockets_[static_cast<std::size_t>(fd)].registered != 0; }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    auto& loop = *static_cast<CurlLoop*>(self);
    if (loop.closing_) return 0;
    if (loop.sockets_.size() <= static_cast<std::size_t>(fd)) loop.sockets_.resize(static_cast<std::size_t>(fd) + 1);
    Socket& socket = loop.sockets_[static_cast<std::size_t>(fd)];
    socket.wanted = what == CURL_POLL_REMOVE ? 0 : what;
    if (socket.wanted == 0) return 0;  // lazily: the next transfer on it reads again
    const std::uint32_t events = EPOLLIN | ((what & CURL_POLL_OUT) != 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
    if (events == socket.registered) return 0;
    rig::watch(loop.epoll_, fd, events, socket.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
    socket.registered = events;
    return 0;
  }

  static int on_close(void* self, curl_socket_t fd) {
    auto& loop = *static_cast<CurlLoop*>(self);
    if (!loop.closing_ && loop.is_curls(fd)) loop.sockets_[static_cast<std::size_t>(fd)] = {};
    return close(fd);
  }

  static int on_timer(CURLM*, long wait_ms, void* self) {
    static_cast<CurlLoop*>(self)->due_ = wait_ms < 0 ? -1 : rig::now_ns() + wait_ms * 1'000'000ll;
    return 0;
  }

  void forget(int fd) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    sockets_[static_cast<std::size_t>(fd)] = {};
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode result = message->data.result;
      curl_multi_remove_handle(multi_, easy);
      on_done(easy, result);
    }
  }

  int epoll_;
  CURLM* multi_ = nullptr;
  std::vector<epoll_event> events_;
  std::vector<Socket> sockets_;  // by fd
  std::int64_t due_ = -1;
  bool closing_ = false;
};

}  // namespace floor_bench
