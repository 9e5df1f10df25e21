#pragma once
/// An upstream: one endpoint that answers, with its dialect, credential, timeouts and caps. A plain value.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/headers.hpp"
#include "sluice/rest.hpp"
#include "sluice/secret.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// Deadlines of one attempt, each independent of the others. 0 = off.
struct Timeouts {
  Milliseconds connect{5'000};       ///< names resolved, TCP and TLS made
  Milliseconds headers{60'000};      ///< request sent -> head of the answer
  Milliseconds first_delta{60'000};  ///< request sent -> first content of a streamed answer (pings do not count)
  Milliseconds idle{60'000};         ///< the longest silence between two reads of an answer
  Milliseconds total{600'000};       ///< the whole exchange
};

/// How TLS towards an upstream is verified. Verification cannot be turned off.
struct UpstreamTls {
  std::string ca_file = {};           ///< PEM bundle; empty = the system's
  std::string certificate_file = {};  ///< PEM, the client's certificate chain
  std::string key_file = {};          ///< PEM, its key
};

/// Bounds of what is open towards an upstream at once, exact over all engine threads. 0 = no bound.
struct UpstreamCaps {
  std::uint32_t connections = 0;    ///< open sockets, idle ones included
  std::uint32_t in_flight = 0;      ///< exchanges
  std::uint32_t queue = 256;        ///< exchanges that may wait for a place; 0 = refuse at once
  Milliseconds queue_wait{10'000};  ///< the longest wait for a place; the exchange's own deadline holds too
};

enum class UpstreamMode : std::uint8_t {
  kEmbedded,  ///< sluice decides: models renamed, options injected
  kSecurity,  ///< the upstream does its own routing: bytes as they are, one attempt
};

/// Which resolved addresses may be connected to.
enum class AddressPolicy : std::uint8_t {
  kAny,
  kPublic,  ///< loopback, private, link-local, unique-local, multicast and unspecified addresses are refused
};

enum class HttpVersion : std::uint8_t { kHttp1, kHttp2 };

struct Upstream {
  std::string name = {};
  /// A provider sluice knows (`openai`, `groq`, `vllm`, `simulator`, ...), or `openai-compatible` with a url.
  std::string provider = "openai-compatible";
  /// http or https, host, optional port and base path: `https://api.openai.com/v1`. Empty = the provider's own.
  std::string url = {};
  /// The wire dialect its servers speak, by name. Empty = the provider's own.
  std::string dialect = {};
  /// Only for provider `custom`, which has nothing else to go by, and the model's chat template (`prompt`) for servers that
  /// take prompts (`tgi-native`, `triton`, `kserve`): how it is spoken to.
  RestOptions rest = {};
  Secret credential = {};
  /// Signs every request (AWS Signature Version 4) instead of sending a credential. Used where `region` is given.
  struct Aws {
    std::string region = {};
    Secret access_key_id = {}, secret_access_key = {};
    Secret session_token = {};             ///< of temporary keys; empty = none
    /// Signs with the temporary keys of a role instead, which the keys above are asked for it with (STS). Used where
    /// `role_arn` is given.
    struct AssumeRole {
      std::string role_arn = {};
      std::string session_name = "sluice";
      std::string external_id = {};        ///< what the role's trust policy may insist on; empty = none
      std::chrono::seconds duration{3'600};
      std::string endpoint = {};           ///< of STS; empty = the region's own
      friend bool operator==(const AssumeRole&, const AssumeRole&) = default;
    } assume_role = {};
    friend bool operator==(const Aws&, const Aws&) = default;
  } aws = {};
  /// Sends a token of Microsoft Entra's instead of a credential: asked for with a client's id and secret, kept, renewed
  /// ahead of its end. Used where `tenant_id` is given.
  struct Entra {
    std::string tenant_id = {}, client_id = {};
    Secret client_secret = {};
    std::string scope = "https://cognitiveservices.azure.com/.default";
    std::string authority = "https://login.microsoftonline.com";
    friend bool operator==(const Entra&, const Entra&) = default;
  } entra = {};
  /// Sends a token of Google's instead of a credential: asked for with a statement that the service account's own key has
  /// signed. Used where `key` is given.
  struct ServiceAccount {
    Secret key = {};                       ///< the JSON document that Google hands out for the account's key
    std::string scope = "https://www.googleapis.com/auth/cloud-platform";
    std::string token_url = {};            ///< empty = the document's own `token_uri`
    friend bool operator==(const ServiceAccount&, const ServiceAccount&) = default;
  } service_account = {};
  /// Sends a credential, or asks for a token, over plain http. Off: such an upstream is refused at load.
  bool allow_plaintext_credential = false;
  /// Models it serves (globs). Empty = any.
  std::vector<std::string> models = {};
  /// The model used where the request leaves the choice to the gateway (`auto`).
  std::string default_model = {};
  UpstreamMode mode = UpstreamMode::kEmbedded;
  Timeouts timeouts = {};
  UpstreamCaps caps = {};
  UpstreamTls tls = {};
  /// HTTP proxy: `http://host:port`. Empty = none; the environment is not asked.
  std::string proxy = {};
  HttpVersion http = HttpVersion::kHttp1;
  AddressPolicy addresses = AddressPolicy::kAny;
  /// Ask for and decode gzip or deflate answers. Off: `Accept-Encoding: identity`.
  bool compressed = false;
  /// The longest answer, in bytes after decoding. 0 = no bound (the answer is never kept whole).
  std::uint64_t max_answer_bytes = 0;
  /// Decoded bytes a compressed answer may grow to.
  std::uint64_t max_decoded_bytes = 32ull << 20;
  /// Non-repeatable: always a fresh connection, so that the library below can never resend a request.
  bool repeatable = true;
  /// Only for provider `simulator`: what the answers look like.
  struct Simulator {
    std::string answer = "Hello from the simulator.";
    Milliseconds first_token{0};
    double tokens_per_second = 0;  ///< 0 = at once
    int status = 200;              ///< other than 200: every request is answered with it
    friend bool operator==(const Simulator&, const Simulator&) = default;
  } simulator = {};
};

}  // namespace sluice
