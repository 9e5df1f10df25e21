// The table of upstreams: address, credential, deadlines, caps, TLS, and the simulator's answers.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::int64_t kMany = 1'000'000;
constexpr std::int64_t kTebibyte = 1ll << 40;

Codec<Timeouts> timeouts() {
  return object<Timeouts>(
      "Timeouts", "Deadlines of one attempt, each independent of the others. 0 = off.",
      {field("connect_ms", &Timeouts::connect, milliseconds(0), "Name resolved, TCP and TLS made.", "2000"),
       field("headers_ms", &Timeouts::headers, milliseconds(0), "From the request sent to the head of the answer.",
             "30000"),
       field("first_delta_ms", &Timeouts::first_delta, milliseconds(0),
             "From the request sent to the first content of a streamed answer; pings do not count.", "30000"),
       field("idle_ms", &Timeouts::idle, milliseconds(0), "The longest silence between two reads of an answer.",
             "60000"),
       field("total_ms", &Timeouts::total, milliseconds(0), "The whole exchange.", "600000")});
}

Codec<UpstreamTls> tls() {
  return object<UpstreamTls>(
      "TLS", "How TLS towards an upstream is verified. Verification cannot be turned off.",
      {field("ca_file", &UpstreamTls::ca_file, text(), "PEM bundle of the authorities to trust. Unset: the system's.",
             "\"/etc/ssl/private-ca.pem\""),
       field("certificate_file", &UpstreamTls::certificate_file, text(),
             "PEM file of the client's certificate chain; goes with `key_file`.", "\"/etc/sluice/client.pem\""),
       field("key_file", &UpstreamTls::key_file, text(), "PEM file of the client's key.",
             "\"/etc/sluice/client.key\"")});
}

Codec<UpstreamCaps> caps() {
  return object<UpstreamCaps>(
      "Caps", "What may be open towards an upstream at once, exact over all engine threads. 0 = no bound.",
      {field("connections", &UpstreamCaps::connections, integer<std::uint32_t>(0, kMany),
             "Open sockets, idle ones included.", "64"),
       field("in_flight", &UpstreamCaps::in_flight, integer<std::uint32_t>(0, kMany), "Exchanges.", "32"),
       field("queue", &UpstreamCaps::queue, integer<std::uint32_t>(0, kMany),
             "Exchanges that may wait for a place. 0 = refuse at once."),
       field("queue_wait_ms", &UpstreamCaps::queue_wait, milliseconds(0),
             "The longest wait for a place; the exchange's own deadline holds too.")});
}

Codec<std::chrono::seconds> seconds(std::int64_t min, std::int64_t max) {
  const auto inner = integer<std::int64_t>(min, max, "s");
  return {inner.shape,
          [inner](Reader& in, json::Value value, std::chrono::seconds& out) {
            std::int64_t n = out.count();
            inner.read(in, value, n);
            out = std::chrono::seconds(n);
          },
          [](json::Writer& out, const std::chrono::seconds& value) { out.integer(value.count()); }};
}

Codec<Upstream::Aws::AssumeRole> assume_role() {
  using R = Upstream::Aws::AssumeRole;
  return object<R>("A role of AWS", "Its temporary keys sign in place of the upstream's own, which it is asked for with (STS).",
                   {required(field("role_arn", &R::role_arn, text(), "The role.", "\"arn:aws:iam::123456789012:role/gateway\"")),
                    field("session_name", &R::session_name, text(), "Names the gateway in AWS' own logs."),
                    field("external_id", &R::external_id, text(), "What the role's trust policy insists on, where it does.", "\"tenant-7\""),
                    field("duration_s", &R::duration, seconds(900, 43'200), "How long the keys are asked to be good. The role sets a bound, too."),
                    field("endpoint", &R::endpoint, text(), "Of STS. Unset: the region's own.", "\"https://sts.us-east-1.amazonaws.com\"")});
}

Codec<Upstream::Entra> entra() {
  using E = Upstream::Entra;
  return object<E>("A client of Entra", "A token is asked for with its secret, kept, and renewed ahead of its end; it is what the upstream gets.",
                   {required(field("tenant_id", &E::tenant_id, text(), "The directory.", "\"3b2c5d1e-0000-4f6a-9c1b-5d2e8f7a6b90\"")),
                    required(field("client_id", &E::client_id, text(), "The application.", "\"8a1f4c22-0000-4b7d-8e3f-1c9d0a5b6e77\"")),
                    required(field("client_secret", &E::client_secret, secret(), "Its secret. Sent to the authority alone.",
                                   "{\"env\": \"AZURE_CLIENT_SECRET\"}")),
                    field("scope", &E::scope, text(), "What the token is for."),
                    field("authority", &E::authority, text(), "Who grants it; sovereign clouds have their own.", "\"https://login.microsoftonline.us\"")});
}

Codec<Upstream::ServiceAccount> service_account() {
  using S = Upstream::ServiceAccount;
  return object<S>("A service account of Google's", "A token is asked for with a statement its key has signed, kept, and renewed ahead of its end; it is what the upstream gets.",
                   {required(field("key", &S::key, secret(), "The account's key: the JSON document as Google hands it out. Never sent.",
                                   "{\"file\": \"/run/secrets/vertex.json\"}")),
                    field("scope", &S::scope, text(), "What the token is for."),
                    field("token_url", &S::token_url, text(), "Who grants it. Unset: the document's `token_uri`.", "\"https://oauth2.googleapis.com/token\"")});
}

Codec<Upstream::Aws> aws() {
  using A = Upstream::Aws;
  return object<A>("Keys of AWS", "Requests are signed with them (Signature Version 4); they are never sent.",
                   {required(field("region", &A::region, text(), "The region that is called and signed for.", "\"us-east-1\"")),
                    required(field("access_key_id", &A::access_key_id, secret(), "Which key signs.", "{\"env\": \"AWS_ACCESS_KEY_ID\"}")),
                    required(field("secret_access_key", &A::secret_access_key, secret(), "What it signs with.",
                                   "{\"env\": \"AWS_SECRET_ACCESS_KEY\"}")),
                    field("session_token", &A::session_token, secret(), "Goes with temporary keys.", "{\"env\": \"AWS_SESSION_TOKEN\"}"),
                    quiet(field("assume_role", &A::assume_role, assume_role(), "A role to sign as instead."), &A::assume_role)});
}

Codec<Upstream::Simulator> simulator() {
  using S = Upstream::Simulator;
  return object<S>(
      "The simulator", "What an upstream of provider `simulator` answers. It needs no network and no key.",
      {field("answer", &S::answer, any_text(), "The text of every answer."),
       field("first_token_ms", &S::first_token, milliseconds(0), "From the request to the first token.", "200"),
       field("tokens_per_second", &S::tokens_per_second, number(0, 1e6, "tokens/s"),
             "How fast a streamed answer comes. 0 = at once.", "40"),
       field("status", &S::status, integer<int>(200, 599),
             "Other than 200: every request is answered with an error of this status.", "503")});
}

}  // namespace

Codec<Upstream> upstream() {
  return object<Upstream>(
      "An upstream", "One endpoint that answers, with its credential, deadlines and caps.",
      {required(field("name", &Upstream::name, text(kNameForm), "The name routes refer to.", "\"openai\"")),
       field("provider", &Upstream::provider, text(),
             "Who is behind it, which fixes dialect, address and kind of credential; `openai-compatible` for any "
             "other, with a `url`.",
             "\"openai\""),
       field("url", &Upstream::url, text(),
             "http or https, host, optional port and base path. Unset: the provider's own.",
             "\"http://127.0.0.1:8000/v1\""),
       field("dialect", &Upstream::dialect, text(),
             "The wire dialect its servers speak, where it is not the provider's own: many serve a second one beside.",
             "\"anthropic\""),
       quiet(field("rest", &Upstream::rest, rest_options(),
                   "How a server of no known dialect is spoken to (provider `custom`), or the chat template of the model behind "
                   "one that takes prompts (`tgi-native`, `triton`, `kserve`)."),
             &Upstream::rest),
       field("credential", &Upstream::credential, secret(),
             "The key that is sent there. Bound to this upstream's origin.", "{\"env\": \"OPENAI_API_KEY\"}"),
       quiet(field("aws", &Upstream::aws, aws(), "Keys of AWS, where requests are to be signed instead of carrying a `credential`."),
             &Upstream::aws),
       quiet(field("entra", &Upstream::entra, entra(), "Who asks Microsoft Entra for tokens, where these are sent instead of a `credential`."),
             &Upstream::entra),
       quiet(field("service_account", &Upstream::service_account, service_account(),
                   "Who asks Google for tokens, where these are sent instead of a `credential`."),
             &Upstream::service_account),
       field("allow_plaintext_credential", &Upstream::allow_plaintext_credential, boolean(),
             "Sends the credential, or asks for a token, over plain http, which is refused otherwise."),
       field("models", &Upstream::models, texts(), "Models it serves; globs. Unset: any.", "[\"gpt-*\", \"o*\"]"),
       field("default_model", &Upstream::default_model, text(),
             "The model used where a request leaves the choice to the gateway (`auto`).", "\"gpt-4o-mini\""),
       field("mode", &Upstream::mode,
             choice<UpstreamMode>({{"embedded", UpstreamMode::kEmbedded}, {"security", UpstreamMode::kSecurity}}),
             "`embedded`: sluice decides, renames models, injects options. `security`: the upstream does its own "
             "routing; bytes pass as they are, one attempt."),
       field("timeouts", &Upstream::timeouts, timeouts(), "Deadlines of one attempt."),
       field("caps", &Upstream::caps, caps(), "Bounds of what is open at once."),
       field("tls", &Upstream::tls, tls(), "Authorities and client certificate."),
       field("proxy", &Upstream::proxy, text(), "HTTP proxy to go through. Unset: none; the environment is not asked.",
             "\"http://proxy.internal:3128\""),
       field("http", &Upstream::http, choice<HttpVersion>({{"1.1", HttpVersion::kHttp1}, {"2", HttpVersion::kHttp2}}),
             "The HTTP version spoken. `2` needs https; a paused stream can hold up to 32 MiB there."),
       field("addresses", &Upstream::addresses,
             choice<AddressPolicy>({{"any", AddressPolicy::kAny}, {"public", AddressPolicy::kPublic}}),
             "`public` refuses names that resolve to loopback, private, link-local, unique-local, multicast or "
             "unspecified addresses."),
       field("compressed", &Upstream::compressed, boolean(),
             "Asks for gzip or deflate answers and decodes them. Off: `Accept-Encoding: identity`."),
       field("max_answer_bytes", &Upstream::max_answer_bytes, integer<std::uint64_t>(0, kTebibyte, "bytes"),
             "The longest answer, after decoding. 0 = no bound; an answer is never kept whole."),
       field("max_decoded_bytes", &Upstream::max_decoded_bytes, integer<std::uint64_t>(1, kTebibyte, "bytes"),
             "What a compressed answer may grow to; goes with `compressed`."),
       field("repeatable", &Upstream::repeatable, boolean(),
             "Off: every request takes a fresh connection, so that it can never reach the upstream twice."),
       quiet(field("simulator", &Upstream::simulator, simulator(), "Only for provider `simulator`: what it answers."),
             &Upstream::simulator)});
}

}  // namespace sluice::gateway::config
