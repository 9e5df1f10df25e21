// A row for every libcurl result that can reach a transfer: see curl_failure.hpp.

#include "engine/curl_failure.hpp"

#include <system_error>

namespace sluice::engine {
namespace {

Code classify(CURLcode result, std::string_view text, const AnswerHead& head) {
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return Code::kUpstreamResolveFailed;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_OPERATION_TIMEDOUT: return Code::kUpstreamConnectFailed;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED: return Code::kUpstreamTlsFailed;
    case CURLE_PARTIAL_FILE: return Code::kUpstreamTruncated;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR: return Code::kUpstreamReset;
    case CURLE_RECV_ERROR:
      if (text.find("chunk") != std::string_view::npos) return Code::kUpstreamProtocolError;
      // libcurl's own cap, 300 KiB for all fields together (or 100 KiB for one), ends in this code.
      if (text.find("header") != std::string_view::npos && !head.whole()) return Code::kUpstreamHeadTooLarge;
      // A proxy that refuses the tunnel: nothing was connected.
      if (text.find("CONNECT") != std::string_view::npos) return Code::kUpstreamConnectFailed;
      return Code::kUpstreamReset;
    case CURLE_OUT_OF_MEMORY:
      // A line of more than 100 KiB looks like this to libcurl; no body has a part in it.
      return head.whole() ? Code::kOutOfMemory : Code::kUpstreamHeadTooLarge;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING: return Code::kUpstreamProtocolError;
    case CURLE_HTTP2_STREAM: return Code::kUpstreamReset;
    default: return Code::kUpstreamError;
  }
}

}  // namespace

Failure explain(CURLcode result, CURL* easy, const char* text, const AnswerHead& head, const Endpoint& endpoint) {
  Failure failure;
  const std::string_view said(text);
  failure.code = classify(result, said, head);
  switch (failure.code) {
    case Code::kUpstreamConnectFailed: {
      long error = 0;
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
      failure.detail = "no connection to " + (endpoint.proxy_host.empty() ? endpoint.authority : endpoint.proxy_host);
      if (error != 0) {
        failure.detail += ": " + std::system_category().message(static_cast<int>(error));
      } else if (!said.empty()) {
        failure.detail += ": " + std::string(said);
      }
      return failure;
    }
    case Code::kUpstreamTruncated:
      failure.detail = "the answer ends before its stated length";
      return failure;
    case Code::kUpstreamHeadTooLarge:
      failure.detail = "the head of the answer is longer than " + std::to_string(endpoint.max_head_bytes) + " bytes";
      return failure;
    case Code::kUpstreamReset:
      failure.detail = head.whole() ? "the connection broke inside the answer" : "the connection was closed without an answer";
      break;
    case Code::kUpstreamTlsFailed: failure.detail = "no TLS with " + endpoint.authority; break;
    default: failure.detail = curl_easy_strerror(result); break;
  }
  if (!said.empty()) failure.detail += ": " + std::string(said);
  return failure;
}

}  // namespace sluice::engine
