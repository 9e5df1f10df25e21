// The catalogue of codes: one row each, the single source of docs/errors.md and of default statuses.

#include "sluice/error.hpp"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr Origin kCaller = Origin::kCaller, kGate = Origin::kGateway, kUp = Origin::kUpstream, kPlug = Origin::kPlugin;

constexpr std::array kCatalogue = {
    CodeInfo{Code::kOk, "ok", kGate, 200, "Nothing went wrong.", "Nothing to do."},
    CodeInfo{Code::kInvalidRequest, "invalid_request", kCaller, 400, "The request breaks HTTP/1.1 framing or grammar, or a field has an impossible value.", "Send a well-formed request; the message names the place."},
    CodeInfo{Code::kInvalidHeader, "invalid_header", kCaller, 400, "A header field has an invalid name, or CR, LF, NUL or another control character in its value.", "Remove the character; nothing was sent."},
    CodeInfo{Code::kInvalidJson, "invalid_json", kCaller, 400, "The body is not one valid JSON text (RFC 8259), or holds invalid UTF-8, a lone surrogate or a number out of range.", "Send exactly one valid JSON document; the message gives the byte offset."},
    CodeInfo{Code::kDuplicateKey, "duplicate_key", kCaller, 400, "A field that policy looks at stands twice in one object, so parsers would disagree on it.", "Send the field once."},
    CodeInfo{Code::kInvalidModel, "invalid_model", kCaller, 400, "The model is no string, is named twice, or is a malformed routing intent.", "Send one model name, `@provider/model`, `pool:alias` or `auto`."},
    CodeInfo{Code::kJsonTooDeep, "json_too_deep", kCaller, 400, "The body nests arrays or objects deeper than the limit.", "Flatten the body, or raise gateway.limits.json_depth."},
    CodeInfo{Code::kUnauthorized, "unauthorized", kCaller, 401, "No valid key or known certificate came with the request, and the gateway has consumers.", "Send a key as `Authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key` or the password of `Authorization: Basic`, or a client certificate the gateway knows."},
    CodeInfo{Code::kConsumerNotAllowed, "consumer_not_allowed", kCaller, 403, "The route does not admit this consumer, nor any of its groups.", "Use another key, or add the consumer or its group to the route's `admit`."},
    CodeInfo{Code::kModelNotAllowed, "model_not_allowed", kCaller, 403, "A rule of the route or of the consumer's groups does not allow the model, or no upstream of the route serves it.", "Ask for a model the named rule lists."},
    CodeInfo{Code::kRouteNotFound, "route_not_found", kCaller, 404, "No route takes the request.", "Compare the message, which says what was looked at, with `sluiced CONFIG --explain REQUEST`."},
    CodeInfo{Code::kMethodNotAllowed, "method_not_allowed", kCaller, 405, "The path is known, but not with this method.", "Use a method of the Allow header."},
    CodeInfo{Code::kRequestTimeout, "request_timeout", kCaller, 408, "The request's head or body came too slowly.", "Send it faster, or raise the listener's timeouts."},
    CodeInfo{Code::kLengthRequired, "length_required", kCaller, 411, "The request has a body without a stated length where one is required.", "Send Content-Length."},
    CodeInfo{Code::kBodyTooLarge, "body_too_large", kCaller, 413, "The body, as sent or decoded, is over the byte limit.", "Send less, or raise gateway.limits.body_bytes."},
    CodeInfo{Code::kUnsupportedMediaType, "unsupported_media_type", kCaller, 415, "The operation does not take this content type (gRPC is not served).", "Send application/json."},
    CodeInfo{Code::kUnsupportedEncoding, "unsupported_encoding", kCaller, 415, "The body's content coding is not gzip, deflate or identity, or its data is damaged.", "Send the body plain, or as gzip or deflate."},
    CodeInfo{Code::kHeaderTooLarge, "header_too_large", kCaller, 431, "Request line and header fields together, or their number, are over the limit.", "Send fewer or shorter fields, or raise gateway.limits.header_bytes or .headers."},
    CodeInfo{Code::kAmbiguousCredentials, "ambiguous_credentials", kCaller, 400, "Two different keys came in one request, or a key and a client certificate of two consumers.", "Send one of them."},
    CodeInfo{Code::kExpectationFailed, "expectation_failed", kCaller, 417, "The Expect header asks for something else than 100-continue.", "Remove the Expect header."},
    CodeInfo{Code::kUnsupportedProtocol, "unsupported_protocol", kCaller, 501, "A protocol is asked for that this listener does not serve: WebSocket, h2c, CONNECT, another HTTP version.", "Use plain HTTP/1.1."},
    CodeInfo{Code::kJsonTooLarge, "json_too_large", kCaller, 413, "The body holds more JSON values than the limit.", "Send less, or raise gateway.limits.json_values."},
    CodeInfo{Code::kUnsupportedParameter, "unsupported_parameter", kCaller, 400, "The field is known, but cannot be carried to the chosen upstream.", "Leave the field out, or route to an upstream that takes it."},
    CodeInfo{Code::kInvalidParameter, "invalid_parameter", kCaller, 400, "A field that policy looks at has the wrong type or is out of range.", "Correct the field named in `param`."},
    CodeInfo{Code::kInvalidUrl, "invalid_url", kCaller, 400, "A URL is malformed, or its scheme is not http or https.", "Correct the URL."},
    CodeInfo{Code::kAddressNotAllowed, "address_not_allowed", kCaller, 403, "The listener does not take connections from this address.", "Connect from an address the listener's allow_addresses lists."},
    CodeInfo{Code::kUnsupportedOperation, "unsupported_operation", kCaller, 400, "No upstream of the route speaks a dialect that has the operation.", "Ask another model, or route the operation to an upstream that has it."},
    CodeInfo{Code::kOriginNotAllowed, "origin_not_allowed", kCaller, 403, "The page that sent the request comes from an origin the listener does not list.", "Add the page's origin to the listener's cors.allow_origins."},

    CodeInfo{Code::kNoBackendAvailable, "no_backend_available", kGate, 503, "No upstream of the route can take the request now.", "Try again after Retry-After."},
    CodeInfo{Code::kOverloaded, "overloaded", kGate, 503, "The gateway holds as many exchanges or body bytes as it may.", "Try again after Retry-After, or raise gateway.max_exchanges or limits.body_budget_bytes."},
    CodeInfo{Code::kShuttingDown, "shutting_down", kGate, 503, "The gateway is draining or closed.", "Try another instance."},
    CodeInfo{Code::kQueueFull, "queue_full", kGate, 503, "The upstream is at its in-flight cap and its queue is full.", "Try again after Retry-After, or raise the upstream's caps."},
    CodeInfo{Code::kQueueTimeout, "queue_timeout", kGate, 503, "No place at the upstream came free in time.", "Try again after Retry-After, or raise the upstream's caps."},
    CodeInfo{Code::kTooManyConnections, "too_many_connections", kGate, 503, "The listener is at its connection cap, in all or for this address.", "Reuse connections, or raise the listener's caps."},

    CodeInfo{Code::kUpstreamResolveFailed, "upstream_resolve_failed", kUp, 502, "The upstream's host name has no address.", "Check the upstream's url and the machine's resolver."},
    CodeInfo{Code::kUpstreamConnectFailed, "upstream_connect_failed", kUp, 502, "The upstream, or the proxy in front of it, refused or dropped the connection while it was made.", "Check that the upstream listens where its url says."},
    CodeInfo{Code::kUpstreamTlsFailed, "upstream_tls_failed", kUp, 502, "TLS towards the upstream failed: certificate, name or protocol.", "Check the certificate, `tls.ca_file` and the host name of the url."},
    CodeInfo{Code::kUpstreamReset, "upstream_reset", kUp, 502, "The upstream ended the connection before it had answered.", "Look into the upstream's log; a retry is safe where the request is."},
    CodeInfo{Code::kUpstreamProtocolError, "upstream_protocol_error", kUp, 502, "The upstream's answer is not valid HTTP.", "Check that the url names an HTTP endpoint."},
    CodeInfo{Code::kUpstreamRedirect, "upstream_redirect", kUp, 502, "The upstream answered with a redirect, which is never followed: it would carry the credential elsewhere.", "Put the final URL into the upstream's url."},
    CodeInfo{Code::kUpstreamStatus, "upstream_status", kUp, 502, "The upstream answered with an error status; its status and text are passed on.", "See the provider's message."},
    CodeInfo{Code::kUpstreamTruncated, "upstream_truncated", kUp, 502, "The answer ended before it was whole.", "Try again; the answer so far is not the whole one."},
    CodeInfo{Code::kUpstreamHeadTooLarge, "upstream_head_too_large", kUp, 502, "The answer's header fields are over the limit.", "Look into the upstream; its head is abnormal."},
    CodeInfo{Code::kUpstreamAnswerTooLarge, "upstream_answer_too_large", kUp, 502, "The answer is longer than the upstream's max_answer_bytes.", "Ask for less, or raise max_answer_bytes."},
    CodeInfo{Code::kUpstreamDecodedTooLarge, "upstream_decoded_too_large", kUp, 502, "A compressed answer grew over max_decoded_bytes, or over 200 times its size.", "Look into the upstream; this is how a decompression bomb looks."},
    CodeInfo{Code::kUpstreamInvalidAnswer, "upstream_invalid_answer", kUp, 502, "The upstream sent something else than the JSON or the events its dialect has.", "Check the upstream's url; a proxy or a web page may answer there."},
    CodeInfo{Code::kUpstreamEventTooLarge, "upstream_event_too_large", kUp, 502, "One event of the stream is over gateway.limits.event_bytes.", "Raise the limit if such events are meant."},
    CodeInfo{Code::kUpstreamError, "upstream_error", kUp, 502, "The upstream reported an error inside its stream.", "See the provider's message."},
    CodeInfo{Code::kUpstreamCredential, "provider_credential_error", kUp, 502, "The upstream refuses the gateway's own credential, or no token is granted for it.", "Replace the upstream's credential; see the message."},
    CodeInfo{Code::kAddressRefused, "address_refused", kUp, 502, "The upstream's name leads to an address that its address policy refuses.", "Use a public address, or set `addresses` to `any`."},
    CodeInfo{Code::kConnectTimeout, "connect_timeout", kUp, 504, "The connection to the upstream was not made in time.", "Check the network, or raise timeouts.connect_ms."},
    CodeInfo{Code::kHeadersTimeout, "headers_timeout", kUp, 504, "The head of the answer did not come in time.", "Raise timeouts.headers_ms if the upstream is this slow."},
    CodeInfo{Code::kFirstDeltaTimeout, "first_delta_timeout", kUp, 504, "No content came in time, pings aside.", "Raise timeouts.first_delta_ms if the model thinks this long."},
    CodeInfo{Code::kIdleTimeout, "idle_timeout", kUp, 504, "The answer fell silent.", "Raise timeouts.idle_ms if such pauses are meant."},
    CodeInfo{Code::kTotalTimeout, "total_timeout", kGate, 504, "The exchange's deadline passed.", "Raise timeouts.total_ms, or the caller's deadline."},

    CodeInfo{Code::kCancelled, "cancelled", kCaller, 499, "The caller left or cancelled.", "Nothing to do."},
    CodeInfo{Code::kClosed, "closed", kGate, 503, "The gateway or the call is closed.", "Open a new one."},
    CodeInfo{Code::kWouldDeadlock, "would_deadlock", kCaller, 0, "A blocking call was made on an engine thread.", "Make it from another thread."},
    CodeInfo{Code::kForked, "forked", kCaller, 0, "The gateway was opened in a parent process.", "Open the gateway after the fork."},
    CodeInfo{Code::kOutOfMemory, "out_of_memory", kGate, 503, "An allocation failed.", "Give the process more memory, or lower its limits."},
    CodeInfo{Code::kInternal, "internal", kGate, 500, "sluice broke a rule of its own.", "Report it, with the log line."},

    CodeInfo{Code::kInvalidConfiguration, "invalid_configuration", kCaller, 0, "The configuration has mistakes; the message lists all of them.", "Correct what each JSON Pointer names."},
    CodeInfo{Code::kSecretMissing, "secret_missing", kCaller, 0, "The environment variable or file a secret refers to is missing or empty.", "Set the variable or write the file."},
    CodeInfo{Code::kFileUnreadable, "file_unreadable", kCaller, 0, "A file cannot be read.", "Check path and permissions."},
    CodeInfo{Code::kAddressInUse, "address_in_use", kCaller, 0, "Another program listens on the address.", "End it, or use another port."},
    CodeInfo{Code::kSystem, "system", kGate, 0, "A system call failed; the message says which and why.", "See the message."},

    CodeInfo{Code::kPluginError, "plugin_error", kPlug, 500, "A plugin failed.", "See the plugin's log."},
    CodeInfo{Code::kPluginTimeout, "plugin_timeout", kPlug, 500, "A plugin did not answer in time.", "See the plugin's log."},

    CodeInfo{Code::kPromptTooLarge, "prompt_too_large", kCaller, 413, "The texts of the prompt have more characters than a `limits` plugin allows.", "Send a shorter prompt, or raise the plugin's `characters`."},
    CodeInfo{Code::kTooManyMessages, "too_many_messages", kCaller, 400, "The request has more messages than a `limits` plugin allows.", "Send fewer messages, or raise the plugin's `messages`."},
    CodeInfo{Code::kTooManyParts, "too_many_parts", kCaller, 400, "The messages have more content parts than a `limits` plugin allows.", "Send fewer parts, or raise the plugin's `parts`."},
    CodeInfo{Code::kTooManyTools, "too_many_tools", kCaller, 400, "The request offers more tools than a `limits` plugin allows.", "Offer fewer tools, or raise the plugin's `tools`."},
    CodeInfo{Code::kTooManyAttachments, "too_many_attachments", kCaller, 400, "The request has more images, sounds and files than a `limits` plugin allows.", "Send fewer of them, or raise the plugin's `attachments`."},
    CodeInfo{Code::kAttachmentTooLarge, "attachment_too_large", kCaller, 413, "An image, sound or file is larger, decoded, than a `limits` plugin allows.", "Send a smaller one, or raise the plugin's `attachment_bytes`."},
    CodeInfo{Code::kAttachmentTypeNotAllowed, "attachment_type_not_allowed", kCaller, 400, "An image, sound or file is of a media type, or of none, that a `limits` plugin does not list.", "Send one of the types listed, or add to the plugin's `attachment_types`."},
    CodeInfo{Code::kTooManyInputs, "too_many_inputs", kCaller, 400, "The request has more inputs than a `limits` plugin allows.", "Send them in several requests, or raise the plugin's `inputs`."},
    CodeInfo{Code::kInputTooLarge, "input_too_large", kCaller, 413, "One input has more characters or tokens than a `limits` plugin allows.", "Send a shorter input, or raise the plugin's `input_characters` or `input_tokens`."},
    CodeInfo{Code::kTooManyDimensions, "too_many_dimensions", kCaller, 400, "More dimensions are asked for than a `limits` plugin allows.", "Ask for fewer, or raise the plugin's `dimensions`."},
    CodeInfo{Code::kAnswerTooLarge, "answer_too_large", kCaller, 403, "The text of the answer is longer than a `limits` plugin allows.", "Ask for a shorter answer (`max_tokens`), or raise the plugin's `response_bytes`."},
};

}  // namespace

const CodeInfo& info(Code code) noexcept {
  const auto* row = std::lower_bound(kCatalogue.begin(), kCatalogue.end(), code,
                                     [](const CodeInfo& a, Code b) { return a.code < b; });
  if (row != kCatalogue.end() && row->code == code) return *row;
  return *std::find_if(kCatalogue.begin(), kCatalogue.end(), [](const CodeInfo& a) { return a.code == Code::kInternal; });
}

std::span<const CodeInfo> all_codes() noexcept { return kCatalogue; }

std::string_view to_string(Code code) noexcept { return info(code).name; }

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::kCaller: return "caller";
    case Origin::kGateway: return "gateway";
    case Origin::kPlugin: return "plugin";
    case Origin::kUpstream: return "upstream";
  }
  return "gateway";
}

Error make_error(Code code, std::string message, std::string param) {
  const CodeInfo& row = info(code);
  return Error{code, row.origin, row.http_status, std::nullopt, std::move(message), std::move(param)};
}

tl::unexpected<Error> fail(Code code, std::string message, std::string param) {
  return tl::unexpected<Error>(make_error(code, std::move(message), std::move(param)));
}

}  // namespace sluice
