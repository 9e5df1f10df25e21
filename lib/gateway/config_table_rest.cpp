// The table of custom REST upstreams: templates of requests, places in answers, framings of streams.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

/// Any JSON value; empty = not set.
Codec<std::string> maybe_json() {
  const auto any = json_text();
  return {any.shape, [any](Reader& in, json::Value value, std::string& out) { any.read(in, value, out); },
          [any](json::Writer& out, const std::string& value) { any.write(out, value); },
          [](const std::string& value) { return value.empty(); }};
}

Codec<RestCondition> condition() {
  using C = RestCondition;
  return object<C>("A condition on an answer", "Holds where the pointer leads to something that is not null, or to what `equals` says.",
                   {required(field("pointer", &C::pointer, text(kPointerForm), "Where to look.", "\"/error\"")),
                    field("equals", &C::equals, maybe_json(), "The text, number or boolean that must stand there. Unset: anything but null.",
                          "true")});
}

Codec<RestPrompt::Role> role() {
  using R = RestPrompt::Role;
  return object<R>("A turn in a prompt", "What stands around the text of a turn.",
                   {field("prefix", &R::prefix, any_text(), "Before it.", "\"<|im_start|>user\\n\""),
                    field("suffix", &R::suffix, any_text(), "Behind it.", "\"<|im_end|>\\n\"")});
}

Codec<RestPrompt> prompt() {
  using P = RestPrompt;
  return object<P>("A chat template", "How a conversation becomes one prompt, where the server behind an upstream knows no messages.",
                   {field("begin", &P::begin, any_text(), "Stands before the first turn.", "\"<s>\""),
                    field("system", &P::system, role(), "Around a system text."), field("user", &P::user, role(), "Around what a user says."),
                    field("assistant", &P::assistant, role(), "Around what the model said."),
                    field("answer", &P::answer, any_text(), "Stands behind the last turn: there the model goes on.",
                          "\"<|im_start|>assistant\\n\"")});
}

Codec<RestAnswer> answer() {
  using A = RestAnswer;
  const auto place = [](std::string_view key, std::string A::*at, std::string_view meaning, std::string_view example) {
    return field(key, at, text(kPointerForm), meaning, example);
  };
  return object<A>(
      "Places in an answer", "Where an answer, or an event of a stream, says what. All are JSON Pointers.",
      {place("text", &A::text, "Chats and completions: the text.", "\"/choices/0/text\""),
       place("reasoning", &A::reasoning, "What the model thought.", "\"/thinking\""),
       place("tool_calls", &A::tool_calls, "A list of tool calls in OpenAI's shape.", "\"/message/tool_calls\""),
       place("finish", &A::finish, "The word for why the answer ended; `words` translate it.", "\"/stop_reason\""),
       place("input_tokens", &A::input_tokens, "Tokens read. Unset: the gateway's estimate is told, as one.", "\"/usage/in\""),
       place("output_tokens", &A::output_tokens, "Tokens written.", "\"/usage/out\""),
       place("id", &A::id, "The answer's id.", "\"/id\""), place("model", &A::model, "The model that answered.", "\"/model\""),
       place("list", &A::list, "Embeddings, rankings, moderations: the list. Unset: the answer itself is it.", "\"/data\""),
       place("vector", &A::vector, "In an element of the list: the numbers. Unset: the element itself.", "\"/embedding\""),
       place("index", &A::index, "In an element: the document's number. Unset: its place in the list.", "\"/index\""),
       place("score", &A::score, "In an element: the score. Unset: the element itself.", "\"/score\""),
       place("category", &A::category, "In an element: the category's name; `words` translate it.", "\"/category\""),
       quiet(field("scale", &A::scale, number(1e-9, 1e9), "Moderations: the score that is certain; scores are divided by it.", "6"), &A::scale),
       quiet(field("flagged_from", &A::flagged_from, number(0, 1), "Moderations: the divided score from which on a category is flagged.", "0.5"),
             &A::flagged_from)});
}

Codec<RestStream> stream() {
  using S = RestStream;
  return object<S>(
      "A stream of a custom upstream", "How a streamed answer comes.",
      {field("path", &S::path, text(), "Where it is asked for. Unset: the operation's `path`.", "\"/generate_stream\""),
       field("framing", &S::framing,
             choice<RestFraming>({{"sse", RestFraming::kSse},
                                  {"ndjson", RestFraming::kNdjson},
                                  {"json-array", RestFraming::kJsonArray},
                                  {"raw", RestFraming::kRaw}}),
             "`sse`: server-sent events of JSON. `ndjson`: a JSON text a line. `json-array`: elements of one array. `raw`: the text itself."),
       field("event", &S::event, answer(), "Where an event says what."),
       quiet(field("cumulative", &S::cumulative, boolean(), "Each event has the whole text so far, not what is new."), &S::cumulative),
       field("skip_if", &S::skip_if, condition(), "Events whose text is none of the answer's."),
       field("end_if", &S::end_if, condition(), "The event that is the last. Unset, and no `end_data` and no `finish`: the end of the answer is the stream's."),
       field("end_data", &S::end_data, text(), "An event that is this, to the letter, ends the stream.", "\"[DONE]\"")});
}

Codec<RestOperation> operation() {
  using O = RestOperation;
  return object<O>(
      "An operation of a custom upstream", "One thing a server can be asked for.",
      {required(field("path", &O::path, text(), "Behind the upstream's `url`; `{model}` stands for the model; perhaps with a query.",
                      "\"/v2/models/{model}/generate\"")),
       required(field("request", &O::request, json_text(),
                      "The body. An object `{\"$from\": POINTER}` stands for what the caller said; what they did not say is left out.",
                      "{\"inputs\": {\"$from\": \"/prompt\"}}")),
       field("answer", &O::answer, answer(), "Where an answer says what."),
       field("words", &O::words, map_of(text()),
             "The server's words for why an answer ended, or for categories, and OpenAI's for the same.", "{\"eos_token\": \"stop\"}"),
       maybe("stream", &O::stream, stream(), "How a streamed answer comes. Unset: the server answers whole, also callers who stream.", "{}")});
}

}  // namespace

Codec<RestOptions> rest_options() {
  using R = RestOptions;
  return object<R>(
      "A custom surface", "How a server of no known dialect is spoken to; docs/custom-upstreams.md has it worked out.",
      {maybe("chat", &R::chat, operation(), "Chats."), maybe("completions", &R::completions, operation(), "Completions of a prompt."),
       maybe("embeddings", &R::embeddings, operation(), "Vectors of texts."), maybe("rerank", &R::rerank, operation(), "Rankings of documents."),
       maybe("moderations", &R::moderations, operation(), "Judgements of a text."),
       maybe("prompt", &R::prompt, prompt(), "How a conversation becomes one prompt. Unset: as the provider's own template says, where it brings one; else a single user turn is told as it is, and more is refused.",
             "{\"user\": {\"prefix\": \"Q: \", \"suffix\": \"\\n\"}, \"answer\": \"A:\"}"),
       field("error_if", &R::error_if, condition(), "An answer or event that is an error, whatever its status says."),
       field("error_message", &R::error_message, text(kPointerForm), "Its words. Unset: they are looked for where servers usually have them.",
             "\"/error/message\""),
       field("credential_header", &R::credential_header, text(), "The field the credential is sent in, as it is. Unset: `Authorization: Bearer`.",
             "\"x-api-key\"")});
}

}  // namespace sluice::gateway::config
