// The table of routes: match, targets, models, rewriting and edits. What belongs together is judged elsewhere
// (config_judge_route.cpp); here stands what each key may hold.

#include <limits>

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

/// One `op` of a rule that keeps its operand in `value`.
template <typename Rule>
Field<Rule> operand(std::string_view key, typename Rule::Op op, std::string_view meaning, std::string_view example) {
  return form<Rule, std::string>(
      key, text(), [op](const Rule& rule) { return rule.op == op ? std::optional(rule.value) : std::nullopt; },
      [op](Rule& rule, std::string value) {
        rule.op = op;
        rule.value = std::move(value);
      },
      meaning, example);
}

Codec<HeaderMatch> header_rule() {
  using Op = HeaderMatch::Op;
  const auto present = form<HeaderMatch, bool>(
      "present", only_true(),
      [](const HeaderMatch& rule) { return rule.op == Op::kPresent ? std::optional(true) : std::nullopt; },
      [](HeaderMatch& rule, bool) { rule.op = Op::kPresent; }, "The field is there, whatever it says.", "true");
  const auto form = object<HeaderMatch>(
      "A header rule", "How one header field is tested. A text alone means: exactly this.",
      {operand<HeaderMatch>("prefix", Op::kPrefix, "The value begins with it.", "\"beta-\""),
       operand<HeaderMatch>("glob", Op::kGlob, "The value fits the glob.", "\"eu-*\""),
       operand<HeaderMatch>("regex", Op::kRegex,
                            "The regular expression (RE2) fits somewhere in the value; `^` and `$` tie it to the ends.",
                            "\"^v[12]$\""),
       present},
      {"prefix", "glob", "regex", "present"});
  const auto exact = any_text();
  auto shape =
      std::make_shared<const Shape>(Shape{.kind = Shape::Kind::kEither, .alternatives = {exact.shape, form.shape}});
  return {shape,
          [shape, form, exact](Reader& in, json::Value value, HeaderMatch& out) {
            if (value.is(json::Type::kObject)) return form.read(in, value, out);
            if (!in.expect(value, json::Type::kString, *shape)) return;
            out.op = Op::kExact;
            exact.read(in, value, out.value);
          },
          [form](json::Writer& out, const HeaderMatch& rule) {
            if (rule.op == Op::kExact)
              out.string(rule.value);
            else
              form.write(out, rule);
          }};
}

/// `{"x-tier": "gold", "x-region": {"prefix": "eu-"}}`: an object in the document, a list of rules in C++.
Codec<std::vector<HeaderMatch>> header_rules() {
  const auto rule = header_rule();
  const auto by_name = map_of(rule);
  return {by_name.shape,
          [by_name](Reader& in, json::Value value, std::vector<HeaderMatch>& out) {
            std::map<std::string, HeaderMatch> read;
            by_name.read(in, value, read);
            out.clear();
            for (auto& [name, one] : read) {
              one.name = name;
              out.push_back(std::move(one));
            }
          },
          [rule](json::Writer& out, const std::vector<HeaderMatch>& rules) {
            out.begin_object();
            for (const HeaderMatch& one : rules) {
              out.key(one.name);
              rule.write(out, one);
            }
            out.end_object();
          },
          [](const std::vector<HeaderMatch>& rules) { return rules.empty(); }};
}

Field<BodyMatch> comparison(std::string_view key, BodyMatch::Op op, std::string_view meaning, std::string_view example,
                            Codec<Scalar> codec = scalar()) {
  return form<BodyMatch, Scalar>(
      key, std::move(codec),
      [op](const BodyMatch& rule) {
        return rule.op == op && rule.values.size() == 1 ? std::optional(rule.values[0]) : std::nullopt;
      },
      [op](BodyMatch& rule, Scalar value) {
        rule.op = op;
        rule.values = {std::move(value)};
      },
      meaning, example);
}

/// A Scalar of one C++ type only, with that type's shape.
template <typename T> Codec<Scalar> scalar_of(Codec<T> inner) {
  const auto any = scalar();
  return {inner.shape,
          [inner](Reader& in, json::Value value, Scalar& out) {
            T read{};
            inner.read(in, value, read);
            out = std::move(read);
          },
          [any](json::Writer& out, const Scalar& value) { any.write(out, value); }};
}

/// A number keeps its lexeme's kind: 7 is compared as an integer, 7.5 as a double.
Codec<Scalar> number_scalar() {
  const auto any = scalar();
  constexpr double kLargest = std::numeric_limits<double>::max();
  auto shape = std::make_shared<const Shape>(Shape{.kind = Shape::Kind::kNumber, .low = -kLargest, .high = kLargest});
  return {shape,
          [any, shape](Reader& in, json::Value value, Scalar& out) {
            if (in.expect(value, json::Type::kNumber, *shape)) any.read(in, value, out);
          },
          [any](json::Writer& out, const Scalar& value) { any.write(out, value); }};
}

}  // namespace

Codec<BodyMatch> body_rule() {
  using Op = BodyMatch::Op;
  const auto in_list = form<BodyMatch, std::vector<Scalar>>(
      "in", list_of(scalar()),
      [](const BodyMatch& rule) { return rule.op == Op::kIn ? std::optional(rule.values) : std::nullopt; },
      [](BodyMatch& rule, std::vector<Scalar> values) {
        rule.op = Op::kIn;
        rule.values = std::move(values);
      },
      "Equal to one of these.", "[\"low\", \"minimal\"]");
  return object<BodyMatch>(
      "A body rule",
      "A typed test on one field of the JSON body. A field that is missing fits nothing but `\"exists\": false`; "
      "`\"1\"` is not 1.",
      {required(field("pointer", &BodyMatch::pointer, text(kPointerForm), "Where the field is (JSON Pointer).",
                      "\"/metadata/tier\"")),
       comparison("equals", Op::kEquals, "Equal in type and value.", "\"gold\""), in_list,
       comparison("exists", Op::kExists, "Whether the field is there.", "true", scalar_of(boolean())),
       comparison("lt", Op::kLess, "A number less than this.", "0.5", number_scalar()),
       comparison("lte", Op::kLessEqual, "A number at most this.", "1", number_scalar()),
       comparison("gt", Op::kGreater, "A number greater than this.", "1000", number_scalar()),
       comparison("gte", Op::kGreaterEqual, "A number at least this.", "1000", number_scalar()),
       comparison("glob", Op::kGlob, "A text that fits the glob.", "\"eu-*\"", scalar_of(text())),
       comparison("regex", Op::kRegex, "A text in which the regular expression (RE2) fits somewhere.", "\"^v[0-9]+$\"",
                  scalar_of(text()))},
      {"equals", "in", "exists", "lt", "lte", "gt", "gte", "glob", "regex"});
}

namespace {

Codec<PromptMatch> prompt_rule() {
  using Op = PromptMatch::Op;
  using Where = PromptMatch::Where;
  return object<PromptMatch>(
      "A prompt rule", "A test on the decoded text of the prompt, whether it is sent as one text or in parts.",
      {field("where", &PromptMatch::where,
             choice<Where>({{"any", Where::kAny}, {"last_user", Where::kLastUser}, {"system", Where::kSystem}}),
             "Which part of the prompt: all messages, the last of the user, or the system's."),
       operand<PromptMatch>("contains", Op::kContains, "The text stands in it.", "\"translate\""),
       operand<PromptMatch>("regex", Op::kRegex, "The regular expression (RE2) fits somewhere in it.",
                            "\"(?s)SELECT .* FROM\""),
       field("ignore_case", &PromptMatch::ignore_case, boolean(), "Upper and lower case are the same.")},
      {"contains", "regex"});
}

Codec<ToolMatch> tool_rules() {
  return object<ToolMatch>(
      "Tool rules", "Each list that is set must hold: one of its globs fits the name of a tool.",
      {field("offered", &ToolMatch::offered, texts_or_one(), "A tool the request offers.", "[\"search_*\"]"),
       field("forced", &ToolMatch::forced, texts_or_one(), "The tool `tool_choice` forces.", "[\"get_weather\"]"),
       field("last_called", &ToolMatch::last_called, texts_or_one(), "A tool the last assistant message called.",
             "[\"run_sql\"]")});
}

Codec<Target> target() {
  return object<Target>(
      "An upstream of a route", "One place the route may send a request to.",
      {required(field("name", &Target::upstream, text(), "The upstream's name.", "\"openai\"")),
       field("model", &Target::model, text(), "The model name sent there. Unset: as asked for.", "\"gpt-4o-mini\""),
       field("pools", &Target::pools, list_of(text(kNameForm), {.unique = true}),
             "Aliases a caller may ask for: `pool:fast`. Case does not count.", "[\"fast\"]"),
       field("weight", &Target::weight, integer<std::uint32_t>(0, 1000),
             "Its share under the strategies `weighted` and `random`, and how often `power_of_two` and "
             "`least_latency` draw it. 0: never chosen, "
             "under any strategy.", "3"),
       field("tier", &Target::tier, integer<std::uint32_t>(0, 16),
             "It serves only while no member of a lower tier is left that can.", "1")});
}

Codec<ModelPolicy> model_policy() {
  return object<ModelPolicy>(
      "Model policy", "What the route does with the model a request asks for.",
      {field("allow", &ModelPolicy::allow, texts(), "Models that may be asked for; globs. Unset: any.",
             "[\"gpt-4o*\"]"),
       field("default", &ModelPolicy::default_model, text(), "Used where the request names none.", "\"gpt-4o-mini\""),
       field("substitute", &ModelPolicy::substitute, boolean(),
             "A model that is not allowed is replaced by the default, and reported, instead of refused."),
       field("intents", &ModelPolicy::intents, boolean(),
             "`@provider/model`, `pool:alias` and `auto` are understood.")});
}

Codec<PathRewrite> rewrite() {
  return object<PathRewrite>(
      "Path rewrite", "How the path changes on the way; the query stays as it is. At most one of the three forms.",
      {field("strip_prefix", &PathRewrite::strip_prefix, text(), "Takes this off the front.", "\"/team-a\""),
       field("path", &PathRewrite::path, text(),
             "The new path; `{name}` stands for what the match captured, percent-encoded.", "\"/v2/{tail}\""),
       field("regex", &PathRewrite::regex, text(),
             "Replaces the first place where this regular expression (RE2) fits ...", "\"^/old/(.*)\""),
       field("replacement", &PathRewrite::replacement, any_text(),
             "... by this; `\\1` is the first group. Unset: by nothing.", "\"/new/\\\\1\"")});
}

}  // namespace

Codec<HeaderEdits> header_edits() {
  return object<HeaderEdits>(
      "Header edits", "First `remove`, then `set`, then `add`.",
      {field("set", &HeaderEdits::set, map_of(any_text()), "Fields that replace all of their name.",
             "{\"x-team\": \"a\"}"),
       field("add", &HeaderEdits::add, map_of(any_text()), "Fields put beside those that are there.",
             "{\"x-tag\": \"sluice\"}"),
       field("remove", &HeaderEdits::remove, texts(), "Names of fields taken out.", "[\"x-debug\"]")});
}

Codec<BodyEdits> body_edits() {
  return object<BodyEdits>(
      "Body edits", "Changes to the JSON body; every other byte stays as it is.",
      {field("set", &BodyEdits::set, map_of(json_text()),
             "JSON Pointer -> the new value; what is missing on the way is made.", "{\"/temperature\": 0}"),
       field("remove", &BodyEdits::remove, list_of(text(kPointerForm), {.unique = true}),
             "JSON Pointers of members taken out.", "[\"/user\"]")});
}

Codec<Match> match() {
  return object<Match>(
      "Match", "All that is set must hold; a list holds where one of its elements does. Nothing set: every request.",
      {field("path", &Match::path, text(),
             "Exact, or a pattern: `*` within one segment, `**` any rest, `{name}` one segment, captured.",
             "\"/v1/chat/completions\""),
       field("path_prefix", &Match::path_prefix, text(),
             "Everything at or below this path; it ends on a segment boundary.", "\"/v1\""),
       field("host", &Match::hosts, texts_or_one(),
             "Host names, without port; `*.example.com` is exactly one label more.", "[\"api.example.com\"]"),
       field("method", &Match::methods, texts_or_one(), "Methods, in capitals.", "[\"POST\"]"),
       field("headers", &Match::headers, header_rules(), "Header field -> what it must say.", "{\"x-tier\": \"gold\"}"),
       field("model", &Match::models, texts_or_one(),
             "Globs on the model asked for. An absent model counts as the route's default.", "[\"gpt-*\"]"),
       field("body", &Match::body, list_of(body_rule()), "Tests on fields of the JSON body."),
       field("prompt", &Match::prompt, list_of(prompt_rule()), "Tests on the text of the prompt."),
       field("tools", &Match::tools, tool_rules(), "Tests on tools."),
       field("stream", &Match::stream, maybe_boolean(), "Whether a streamed answer is asked for.", "true"),
       field("consumer", &Match::consumers, texts_or_one(), "Names of consumers.", "[\"app\"]")});
}

Codec<Route> route() {
  return object<Route>(
      "A route", "Which requests it takes, where they go, and what is changed on the way.",
      {required(field("name", &Route::name, text(kNameForm), "The name in logs, errors and `--explain`.", "\"chat\"")),
       field("match", &Route::match, match(), "Which requests it takes."),
       required(field("upstreams", &Route::upstreams, list_of(target()), "Where they may go, in order.")),
       field("admit", &Route::admit, texts(), "Consumers or groups it admits. Unset: everyone the gateway knows.",
             "[\"research\"]"),
       field("models", &Route::models, model_policy(), "What is done with the model asked for."),
       field("strategy", &Route::strategy, strategy(),
             "Which of the upstreams that may serve a request does: `ordered`: the first listed; `round_robin`: each in "
             "turn; `weighted`: in turn by weight, smoothly; `random`: by chance and weight; `least_in_flight`: the one "
             "with the fewest exchanges under way; `power_of_two`: of two drawn by chance and weight the one with fewer; "
             "`least_latency`: of two drawn likewise the one that takes less, times what is under way there and one."),
       field("latency", &Route::latency, latency(), "How `least_latency` learns; no other strategy does."),
       field("retry", &Route::retry, retry(), "Whether and when a failed attempt is followed by another."),
       field("failover", &Route::failover, failover(), "Which failures another upstream is tried for."),
       field("operation", &Route::operation,
             choice<RouteOperation>({{"auto", RouteOperation::kAuto}, {"opaque", RouteOperation::kOpaque}}),
             "`auto`: by path, method and headers. `opaque`: byte for byte, whatever it is."),
       field("rewrite", &Route::rewrite, rewrite(), "How the path changes."),
       field("request_headers", &Route::request_headers, header_edits(),
             "Changes to the header fields sent to the upstream."),
       field("response_headers", &Route::response_headers, header_edits(),
             "Changes to the header fields sent to the caller."),
       field("forward_headers", &Route::forward_headers, texts(),
             "Client header fields that go upstream beside the usual ones; globs. Credentials and cookies only by "
             "their exact name.",
             "[\"x-trace-*\"]"),
       field("body", &Route::body, body_edits(), "Changes to the JSON body."),
       field("plugins", &Route::plugins, plugin_list(),
             "Run behind the gateway's own within each phase; one with a name of the gateway's list takes its place here.",
             "[{\"name\": \"request_log\"}]"),
       field("expose_target", &Route::expose_target, boolean(),
             "Names provider and model in the answer's headers `x-sluice-provider` and `x-sluice-model`."),
       field("fidelity", &Route::fidelity, choice<Fidelity>({{"lenient", Fidelity::kLenient}, {"strict", Fidelity::kStrict}}),
             "Where the upstream speaks another dialect than the caller and cannot carry a field: `lenient`: a field that "
             "changes no meaning (a seed, a penalty, a user tag) is dropped and reported, any other refuses the upstream "
             "with 400 `unsupported_parameter`, unless another can take the request. `strict`: nothing is dropped."),
       field("expose_losses", &Route::expose_losses, boolean(),
             "Names what could not be carried in the answer's header `x-sluice-losses`."),
       field("stream_keep_alive_ms", &Route::stream_keep_alive, milliseconds(0),
             "In every silence this long of a streamed answer the caller is sent a ping (a comment line for OpenAI's "
             "clients), so that no proxy or client between gives the connection up. It begins with the upstream's "
             "head, and an upstream's own timeouts run all the same. 0 = off.",
             "15000")});
}

}  // namespace sluice::gateway::config
