// The table's top: the document, the gateway, its listeners and limits, groups and consumers.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kMany = 1'000'000;  // connections, exchanges: above it a number is a mistake
constexpr std::int64_t kTebibyte = 1ll << 40;

Codec<Cors> cors() {
  return object<Cors>(
      "Pages of other origins", "Which pages may call from a browser, and how (CORS).",
      {required(field("allow_origins", &Cors::allow_origins, texts(),
                      "Origins of pages that may call, as browsers state them: scheme, host, and the port unless it is the "
                      "scheme's own. `*`: any. A request that states another one gets a 403.",
                      "[\"https://app.example.com\", \"http://localhost:3000\"]")),
       field("allow_methods", &Cors::allow_methods, texts(), "Methods a preflight may ask for."),
       field("allow_headers", &Cors::allow_headers, texts(), "Header fields a page may set. Unset: those it asks for.",
             "[\"authorization\", \"content-type\"]"),
       field("expose_headers", &Cors::expose_headers, texts(),
             "Header fields of answers that a page may read, beside those every page may.", "[\"x-request-id\"]"),
       field("allow_credentials", &Cors::allow_credentials, boolean(),
             "Lets a page call with cookies, client certificates or what the browser keeps of HTTP Basic. Not with `*`."),
       field("max_age_seconds", &Cors::max_age_seconds, integer<std::uint32_t>(0, 86'400, "seconds"),
             "How long a browser may keep a preflight's answer. 0: not at all.")});
}

Codec<Listen> listen() {
  return object<Listen>(
      "A listener", "One address the daemon serves.",
      {required(field("address", &Listen::address, text(),
                      "`host:port` or `[v6]:port`; port 0 takes any free one and prints it.", "\"127.0.0.1:8080\"")),
       field("anonymous", &Listen::anonymous, boolean(),
             "Serves callers without a key on an address that is not loopback. Without it such a listener needs "
             "consumers."),
       field("dialect", &Listen::dialect, text(), "Fixes the dialect errors are told in. Unset: by path and headers.",
             "\"openai\""),
       maybe("tls", &Listen::tls, listen_tls(), "Speaks TLS on this address. Unset: plain HTTP."),
       field("allow_addresses", &Listen::allow_addresses, texts(),
             "Addresses and networks that may connect. The peer of the connection counts, never a header field; anyone "
             "else gets a 403 and the end of the connection. Unset: everyone who can reach the address.",
             "[\"10.0.0.0/8\", \"::1\"]"),
       maybe("cors", &Listen::cors, cors(),
             "Which pages of other origins may call from a browser. Unset: `Origin` means nothing here, and `OPTIONS` is a "
             "request like any other."),
       field("trusted_proxies", &Listen::trusted_proxies, texts(),
             "Addresses and networks of proxies in front of the listener. Where the peer of a connection is one of them, the "
             "client is the right-most address of `X-Forwarded-For` that is none; otherwise the client is the peer. No other "
             "field names a client.",
             "[\"10.0.0.0/8\", \"fd00::/8\"]"),
       field("max_connections", &Listen::max_connections, integer<std::uint32_t>(1, kMany),
             "Open connections; more are turned away."),
       field("max_connections_per_address", &Listen::max_connections_per_address, integer<std::uint32_t>(0, kMany),
             "Open connections of one client address. 0 = no bound."),
       field("header_timeout_ms", &Listen::header_timeout, milliseconds(1),
             "From the first byte of a request to its last header byte."),
       field("body_timeout_ms", &Listen::body_timeout, milliseconds(1), "The longest silence of a client inside a body: of its request, or taking none of its answer."),
       field("idle_timeout_ms", &Listen::idle_timeout, milliseconds(1),
             "The longest silence between two requests of a connection.")});
}

Codec<RequestLimits> request_limits() {
  return object<RequestLimits>(
      "Limits",
      "What one request may cost before any upstream is involved. What is over a limit is refused with an error that "
      "names it.",
      {field("header_bytes", &RequestLimits::header_bytes, integer<std::uint32_t>(1024, 16 << 20, "bytes"),
             "Request line and header fields together."),
       field("headers", &RequestLimits::headers, integer<std::uint32_t>(1, 10'000), "Header fields of one request."),
       field("body_bytes", &RequestLimits::body_bytes, integer<std::uint64_t>(1, kTebibyte, "bytes"),
             "One body, as sent and after decoding."),
       field("require_length", &RequestLimits::require_length, boolean(),
             "Refuses a body that comes without `Content-Length` (chunked), before any of it is read."),
       field("body_budget_bytes", &RequestLimits::body_budget_bytes, integer<std::uint64_t>(1, kTebibyte, "bytes"),
             "All request bodies the gateway holds at once; at least `body_bytes`."),
       field("json_depth", &RequestLimits::json_depth, integer<std::uint32_t>(1, 100'000), "Nesting of a JSON body."),
       field("json_values", &RequestLimits::json_values, integer<std::uint32_t>(1, 100'000'000),
             "Values of a JSON body."),
       field("event_bytes", &RequestLimits::event_bytes, integer<std::uint32_t>(1024, 1 << 30, "bytes"),
             "One event of a streamed answer.")});
}

/// The reference of a key, if that is where it comes from.
Field<ConsumerKey> key_reference(std::string_view name, Secret::Source source, Secret (*make)(std::string),
                                 std::string_view meaning, std::string_view example) {
  return form<ConsumerKey, std::string>(
      name, text(),
      [source](const ConsumerKey& key) {
        return key.value.source() == source ? std::optional(std::string(key.value.reference())) : std::nullopt;
      },
      [make](ConsumerKey& key, std::string reference) { key.value = make(std::move(reference)); }, meaning, example);
}

Codec<ConsumerKey> consumer_key() {
  const auto key = object<ConsumerKey>(
      "A key", "One key of a consumer: its SHA-256, or a reference to the key itself.",
      {field("sha256", &ConsumerKey::sha256, text(kSha256Form), "The SHA-256 of the key: `printf %s KEY | sha256sum`.",
             "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\""),
       key_reference("env", Secret::Source::kEnvironment, Secret::env,
                     "The environment variable that holds the key, read at load and at reload.", "\"APP_KEY\""),
       key_reference("file", Secret::Source::kFile, Secret::file,
                     "The file that holds the key; one newline at its end is cut off.", "\"/run/secrets/app\""),
       field("expires", &ConsumerKey::expires, text(),
             "From when on the key is refused: a date, a time and an offset (RFC 3339). Unset: never.", "\"2027-01-31T00:00:00Z\"")},
      {"sha256", "env", "file"});
  return {key.shape,
          [key](Reader& in, json::Value value, ConsumerKey& out) {
            if (value.is(json::Type::kObject)) return key.read(in, value, out);
            // The text may be the key itself: it is not repeated.
            if (in.source() == Source::kProgram && is_masked(value))
              return void(out.value = Secret::literal(std::string(kMasked)));
            in.report("must be " + describe(*key.shape) + "; a configuration never holds the key itself");
          },
          [key](json::Writer& out, const ConsumerKey& value) {
            if (value.sha256.empty() && value.value.source() == Secret::Source::kLiteral)
              out.string(kMasked);
            else
              key.write(out, value);
          }};
}

Codec<AwsKey> aws_key() {
  return object<AwsKey>("A key pair of AWS", "What a consumer's AWS clients sign their requests with (Signature Version 4).",
                        {required(field("access_key_id", &AwsKey::access_key_id, text(), "Names the pair in each request.", "\"AKIDEXAMPLE\"")),
                         required(field("secret_access_key", &AwsKey::secret_access_key, secret(), "What it signs with.",
                                        "{\"env\": \"APP_AWS_SECRET\"}"))});
}

Codec<ConsumerCertificate> consumer_certificate() {
  return object<ConsumerCertificate>(
      "A client certificate", "One certificate of a consumer: by a name it states, or by its fingerprint.",
      {field("san", &ConsumerCertificate::san, text(),
             "A DNS name, URI or e-mail address among its subject alternative names, letter by letter.",
             "\"spiffe://example.com/app\""),
       field("sha256", &ConsumerCertificate::sha256, text(kFingerprintForm),
             "Its SHA-256 fingerprint: `openssl x509 -in app.pem -noout -fingerprint -sha256`.",
             "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"")},
      {"san", "sha256"});
}

Codec<TokenOptions> token_options() {
  return object<TokenOptions>(
      "Tokens", "How tokens are counted where no provider has counted them.",
      {field("ranks", &TokenOptions::ranks,
             list_of(object<TokenRanks>(
                 "A vocabulary", "One vocabulary, and the models whose texts are counted with it.",
                 {required(field("encoding", &TokenRanks::encoding,
                                 choice<TokenEncoding>({{"o200k_base", TokenEncoding::kO200kBase}, {"cl100k_base", TokenEncoding::kCl100kBase}}),
                                 "How it cuts text.", "\"o200k_base\"")),
                  required(field("file", &TokenRanks::file, text(),
                                 "Its ranks: a line for each token, base64, a space, the rank. Read at load and at reload.",
                                 "\"/etc/sluice/o200k_base.tiktoken\"")),
                  field("models", &TokenRanks::models, texts(),
                        "Models, as they are named to upstreams; globs. Unset: those known to use the encoding.",
                        "[\"gpt-4o*\", \"my-deployment\"]")})),
             "Vocabularies; the first that has the model counts. A model of none is estimated from what its text is made of."),
       field("learn", &TokenOptions::learn, boolean(),
             "Corrects estimates by what upstreams reported before, for each upstream and model.")});
}

}  // namespace

Codec<GatewayOptions> gateway_options() {
  return object<GatewayOptions>(
      "The gateway", "What holds for the whole process.",
      {field("name", &GatewayOptions::name, text(kNameForm), "Names this gateway in logs and events.", "\"edge\""),
       field("threads", &GatewayOptions::threads, integer<std::uint32_t>(0, 256),
             "Engine threads. 0: none is made and the host program drives the gateway; `sluiced` refuses that.", "4"),
       field("listen", &GatewayOptions::listen, list_of(listen(), {.min_items = 0}), "The addresses to serve."),
       field("statistics_address", &GatewayOptions::statistics_address, text(),
             "`host:port` on loopback where `GET /statistics` tells in JSON what the gateway has done, to whoever may connect "
             "from this machine; port 0 takes any free one. Unset: nowhere.",
             "\"127.0.0.1:9090\""),
       field("plugins", &GatewayOptions::plugins, plugin_list(),
             "Plugins of every route. Those that authenticate stand here: they run before a route is known."),
       field("limits", &GatewayOptions::limits, request_limits(), "Bounds of one request."),
       field("tokens", &GatewayOptions::tokens, token_options(), "How tokens are counted where no provider has."),
       field("max_exchanges", &GatewayOptions::max_exchanges, integer<std::uint32_t>(0, kMany * 10),
             "Exchanges open at once; more are refused. 0 = no bound."),
       field("drain_timeout_ms", &GatewayOptions::drain_timeout, milliseconds(0),
             "How long running exchanges may go on once the daemon is told to end.")});
}

Codec<Group> group() {
  return object<Group>("A group", "Sorts consumers. What a consumer may ask for is the union over its groups.",
                       {required(field("name", &Group::name, text(kNameForm), "The name consumers and routes refer to.",
                                       "\"research\"")),
                        field("models", &Group::models, texts(), "Models its members may ask for; globs. Unset: any.",
                              "[\"gpt-4o*\", \"llama-*\"]")});
}

Codec<Consumer> consumer() {
  return object<Consumer>(
      "A consumer", "Who calls, and the keys that prove it.",
      {required(field("name", &Consumer::name, text(kNameForm), "The name routes, logs and accounts use.", "\"app\"")),
       field("tenant", &Consumer::tenant, text(kNameForm), "Whom the consumer belongs to.", "\"acme\""),
       field("groups", &Consumer::groups, texts(), "The groups it is a member of.", "[\"research\"]"),
       field("keys", &Consumer::keys, list_of(consumer_key()),
             "The keys it may show; several, while one takes another's place. Unset, and no `aws_keys` and `certificates`: "
             "in-process callers may name it, nobody else can be it."),
       field("aws_keys", &Consumer::aws_keys, list_of(aws_key()), "Key pairs its AWS clients may sign with."),
       field("certificates", &Consumer::certificates, list_of(consumer_certificate()),
             "Client certificates that stand for it, on listeners that ask for them.")});
}

const Codec<Config>& table() {
  static const Codec<Config> whole = [] {
    const auto version = integer<std::int64_t>(kVersion, kVersion);
    return object<Config>(
        "The document",
        "One JSON object. `$schema` and `$comment` may stand in every object; any other key that is not listed is "
        "refused.",
        {required(form<Config, std::int64_t>(
             "version", version, [](const Config&) { return std::optional(kVersion); }, [](Config&, std::int64_t) {},
             "The version of this format.", "1")),
         field("gateway", &Config::gateway, gateway_options(), "What holds for the whole process."),
         field("groups", &Config::groups, list_of(group(), {.min_items = 0}), "Groups of consumers."),
         field("consumers", &Config::consumers, list_of(consumer(), {.min_items = 0}),
               "Who may call. Unset: keys are not asked for."),
         field("upstreams", &Config::upstreams, list_of(upstream(), {.min_items = 0}), "Where requests can go."),
         field("routes", &Config::routes, list_of(route(), {.min_items = 0}),
               "Which requests go where: from the top down, the first match serves."),
         field("telemetry", &Config::telemetry, telemetry(), "What is told of each exchange, and to which files.")});
  }();
  return whole;
}

const Shape& document_shape() { return *table().shape; }

std::string written(const Config& config) {
  std::string out;
  json::Writer writer(out);
  table().write(writer, config);
  return out;
}

Config read(json::Value root, Source source, std::vector<Problem>& problems) {
  Config config;
  Reader reader(problems, source);
  table().read(reader, root, config);
  return config;
}

}  // namespace sluice::gateway::config
