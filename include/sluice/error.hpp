#pragma once
/// What goes wrong, who caused it, and how to answer. Every fallible function of sluice returns a Result or a Status;
/// no exception leaves a public function.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace [[gnu::visibility("default")]] sluice {

/// What happened. Numbers are append-only and the same in C and C++; `docs/errors.md` lists each with its remedy.
enum class Code : std::int32_t {
  kOk = 0,

  // The request is not one sluice can serve: the caller changes it.
  kInvalidRequest = 1,
  kInvalidHeader = 2,
  kInvalidJson = 3,
  kDuplicateKey = 4,
  kInvalidModel = 5,
  kJsonTooDeep = 6,
  kUnauthorized = 7,
  kConsumerNotAllowed = 8,
  kModelNotAllowed = 9,
  kRouteNotFound = 10,
  kMethodNotAllowed = 11,
  kRequestTimeout = 12,
  kLengthRequired = 13,
  kBodyTooLarge = 14,
  kUnsupportedMediaType = 15,
  kUnsupportedEncoding = 16,
  kHeaderTooLarge = 17,
  kAmbiguousCredentials = 18,
  kExpectationFailed = 19,
  kUnsupportedProtocol = 20,
  kJsonTooLarge = 21,
  kUnsupportedParameter = 22,
  kInvalidParameter = 23,
  kInvalidUrl = 24,
  kAddressNotAllowed = 25,
  kUnsupportedOperation = 26,
  kOriginNotAllowed = 27,

  // The gateway will not or cannot take it now.
  kNoBackendAvailable = 40,
  kOverloaded = 41,
  kShuttingDown = 42,
  kQueueFull = 43,
  kQueueTimeout = 44,
  kTooManyConnections = 45,

  // The upstream, or the way to it.
  kUpstreamResolveFailed = 60,
  kUpstreamConnectFailed = 61,
  kUpstreamTlsFailed = 62,
  kUpstreamReset = 63,
  kUpstreamProtocolError = 64,
  kUpstreamRedirect = 65,
  kUpstreamStatus = 66,
  kUpstreamTruncated = 67,
  kUpstreamHeadTooLarge = 68,
  kUpstreamAnswerTooLarge = 69,
  kUpstreamDecodedTooLarge = 70,
  kUpstreamInvalidAnswer = 71,
  kUpstreamEventTooLarge = 72,
  kUpstreamError = 73,
  kUpstreamCredential = 74,
  kAddressRefused = 75,
  kConnectTimeout = 76,
  kHeadersTimeout = 77,
  kFirstDeltaTimeout = 78,
  kIdleTimeout = 79,
  kTotalTimeout = 80,

  // The life of the gateway and of one exchange.
  kCancelled = 100,
  kClosed = 101,
  kWouldDeadlock = 102,
  kForked = 103,
  kOutOfMemory = 104,
  kInternal = 105,

  // Loading a configuration and opening things.
  kInvalidConfiguration = 120,
  kSecretMissing = 121,
  kFileUnreadable = 122,
  kAddressInUse = 123,
  kSystem = 124,

  // Plugins.
  kPluginError = 140,
  kPluginTimeout = 141,

  // What the built-in plugin `limits` finds too large.
  kPromptTooLarge = 150,
  kTooManyMessages = 151,
  kTooManyParts = 152,
  kTooManyTools = 153,
  kTooManyAttachments = 154,
  kAttachmentTooLarge = 155,
  kAttachmentTypeNotAllowed = 156,
  kTooManyInputs = 157,
  kInputTooLarge = 158,
  kTooManyDimensions = 159,
  kAnswerTooLarge = 160,
};

/// Who caused it, which decides who must act.
enum class Origin : std::uint8_t { kCaller, kGateway, kPlugin, kUpstream };

/// One failure: what, who, and what next.
struct Error {
  Code code = Code::kInternal;
  Origin origin = Origin::kGateway;
  /// The status a wire caller gets; 0 where no HTTP answer makes sense (a configuration error).
  int http_status = 500;
  /// The soonest moment a retry makes sense, counted from now.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  /// One sentence for a person: what, who, what next. Never holds a secret or content.
  std::string message = {};
  /// The request field or JSON Pointer that is wrong, where there is one.
  std::string param = {};
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// One row of the catalogue of codes.
struct CodeInfo {
  Code code;
  std::string_view name;    ///< snake_case, as it stands in answers: `route_not_found`
  Origin origin;
  int http_status;          ///< what a wire caller gets by default
  std::string_view cause;   ///< one sentence
  std::string_view remedy;  ///< one sentence
};

/// The row of `code`. Lifetime: static.
[[nodiscard]] const CodeInfo& info(Code code) noexcept;

/// All rows, ordered by number. Lifetime: static.
[[nodiscard]] std::span<const CodeInfo> all_codes() noexcept;

/// The snake_case name of `code`. Lifetime: static.
[[nodiscard]] std::string_view to_string(Code code) noexcept;
[[nodiscard]] std::string_view to_string(Origin origin) noexcept;

/// An Error with the origin and status of its code's row.
[[nodiscard, gnu::cold]] Error make_error(Code code, std::string message, std::string param = {});

/// The same, ready to be returned from a function that gives a Result.
[[nodiscard, gnu::cold]] tl::unexpected<Error> fail(Code code, std::string message, std::string param = {});

}  // namespace sluice
