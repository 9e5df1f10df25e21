#pragma once
/// An HTTP server that does exactly what a test says, byte for byte, and sees exactly what it was sent. It speaks over raw
/// sockets on a thread of its own, parses as little as it can, and waits for events, not for time.
///
///   FaultServer server;
///   server.on_request([](const RawRequest&) { return Reply::raw("HTTP/1.1 200 OK\r\n...").then_close(); });
///   ... server.port() ...
///   REQUIRE(server.wait_for([&] { return server.requests().size() == 2; }));

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::testing {

/// One request as it came.
struct RawRequest {
  std::string head;                  ///< request line and fields, with the blank line
  std::string body;                  ///< as framed by Content-Length or chunked (then decoded)
  std::string method, target;
  std::size_t number = 0;            ///< 1, 2, ... over all connections
  std::size_t connection = 0;        ///< 1, 2, ... in the order of accept
  std::size_t on_connection = 0;     ///< 1, 2, ... on this connection
  std::string peer_certificate;      ///< subject of the client's certificate, over TLS
  /// Takes one request off the front of `input`. False: more bytes are needed.
  static bool take(std::string& input, RawRequest& request);
  /// The first value of a field, trimmed; nothing where there is none.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

/// What is done about a request, step by step. Unless a step ends it, the connection is kept for the next request.
class Reply {
 public:
  /// These bytes, as they are.
  [[nodiscard]] static Reply raw(std::string bytes);
  /// A whole answer with Content-Length.
  [[nodiscard]] static Reply ok(std::string body = "ok", std::string extra_fields = {});
  [[nodiscard]] static Reply status(int status, std::string body = {}, std::string extra_fields = {});
  /// The head of a chunked answer; add chunks, then end_chunks().
  [[nodiscard]] static Reply chunked(std::string extra_fields = {});
  /// Not a byte.
  [[nodiscard]] static Reply nothing() { return {}; }

  Reply& then(std::string bytes);               ///< more bytes
  Reply& chunk(std::string_view data);          ///< framed
  Reply& end_chunks() { return then("0\r\n\r\n"); }
  Reply& in_pieces(std::size_t bytes);          ///< everything after this is written in pieces of so many bytes
  Reply& repeat(std::string bytes, std::size_t times);  ///< the same bytes so often, without holding them all
  Reply& then_wait(std::string gate);           ///< goes on when FaultServer::open(gate) was called
  Reply& then_stall();                          ///< never goes on
  Reply& then_close();                          ///< FIN
  Reply& then_reset();                          ///< RST
  Reply& then_half_close();                     ///< FIN, but goes on reading
  Reply& then_tunnel(std::uint16_t port);       ///< what a CONNECT proxy does: bytes to and from 127.0.0.1:port

 private:
  friend class FaultServer;
  struct Step {
    enum class Kind { kBytes, kRepeat, kWait, kStall, kClose, kReset, kHalfClose, kTunnel } kind;
    std::string bytes;
    std::size_t count = 0;
  };
  std::vector<Step> steps_;
  std::size_t piece_ = 0;
};

/// Certificates made for this run, in memory and as PEM files in a private directory.
class TestCertificates {
 public:
  /// `names`: subject alternative names of the server, "DNS:..." or "IP:...".
  explicit TestCertificates(const std::string& names = "IP:127.0.0.1,DNS:localhost");
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;
  [[nodiscard]] const std::string& ca_file() const { return ca_file_; }
  [[nodiscard]] const std::string& server_certificate() const { return server_certificate_; }
  [[nodiscard]] const std::string& server_key() const { return server_key_; }
  [[nodiscard]] const std::string& client_certificate() const { return client_certificate_; }
  [[nodiscard]] const std::string& client_key() const { return client_key_; }

  struct Pair {
    std::string certificate, key;  ///< paths
    std::string sha256;            ///< of the certificate's DER form, hex
  };
  struct Leaf {
    std::string names = {};        ///< subject alternative names: "DNS:...", "URI:...", "email:..."
    bool expired = false;
  };
  /// One more certificate of the same authority; `file` names its two files.
  [[nodiscard]] Pair issue(const std::string& file, const Leaf& leaf) const;
  /// Where the files are; whatever else a test puts there goes with them.
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  struct Authority;
  std::shared_ptr<const Authority> authority_;
  std::string directory_, ca_file_, server_certificate_, server_key_, client_certificate_, client_key_;
};

/// Thread: any, but for the handlers: these run on the server's thread and may call any method but wait_for().
class FaultServer {
 public:
  struct Options {
    const TestCertificates* tls = nullptr;       ///< speak TLS
    bool ask_client_certificate = false;         ///< require one signed by the same CA
    std::string address = "127.0.0.1";
    int receive_buffer = 0;                      ///< SO_RCVBUF of accepted sockets; 0 = the system's
    bool record = true;                          ///< keep requests for requests()
    std::size_t reset_after = 0;                 ///< a request longer than this is cut by a reset; 0 = never
  };
  using Handler = std::function<Reply(const RawRequest&)>;

  FaultServer() : FaultServer(Options{}) {}
  explicit FaultServer(Options options);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  /// Without a handler every request gets Reply::ok().
  void on_request(Handler handler);
  /// Asked for each connection; what it gives is done before a byte is read: Reply::nothing().then_reset() refuses.
  void on_connect(std::function<std::optional<Reply>(std::size_t connection)> handler);
  /// Lets every reply that waits, or will wait, for `gate` go on.
  void open(const std::string& gate);
  /// Closes all connections that are between two requests.
  void close_idle();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string authority() const;       ///< 127.0.0.1:port
  [[nodiscard]] std::vector<RawRequest> requests() const;
  [[nodiscard]] std::size_t request_count() const;
  [[nodiscard]] std::size_t opened() const;          ///< connections accepted
  [[nodiscard]] std::size_t closed() const;          ///< of these, gone
  [[nodiscard]] std::size_t peak() const;            ///< the most that were open at once
  [[nodiscard]] std::size_t reads_closed() const;    ///< connections whose peer closed or reset its side

  /// Waits until `done` holds; asks again whenever anything happens. False after `limit`.
  bool wait_for(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::testing
