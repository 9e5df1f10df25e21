// What a hook of a plugin in C can read, change and decide.

#include "hook.hpp"

namespace sluice::capi {
namespace {

tl::unexpected<Error> not_here(const char* what) {
  return fail(Code::kUnsupportedOperation, std::string("this hook has no ") + what);
}

std::string_view header_of(const Headers& headers, std::string_view name) { return headers.get(name).value_or(std::string_view()); }

/// The edits of a ruling, with bytes of their own: they are made on another thread, later.
struct Edits {
  std::uint32_t which = 0;
  std::string text = {}, body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

  void make(const HookTargets& targets) const {
    if ((which & SLUICE_EDIT_TEXT) != 0) {
      if (targets.delta != nullptr) targets.delta->text = text;
      if (targets.end != nullptr) {
        Delta delta;
        delta.text = text;
        targets.end->emit(std::move(delta));
      }
    }
    if ((which & SLUICE_EDIT_BODY) != 0 && targets.request != nullptr) (void)targets.request->set_body(body);
    for (const auto& [name, value] : headers) {
      if (targets.request != nullptr) (void)targets.request->set_header(name, value);
      if (targets.attempt != nullptr) (void)targets.attempt->set_header(name, value);
      if (targets.head != nullptr) (void)targets.head->set_header(name, value);
    }
  }
};

Result<Edits> edits_in(const sluice_ruling_t& table, std::string_view text) {
  Edits out;
  out.which = table.edits;
  if ((table.edits & SLUICE_EDIT_TEXT) != 0) out.text = text;
  if ((table.edits & SLUICE_EDIT_BODY) != 0) {
    const auto body = bytes_in(table.body, table.body_size, "body");
    if (!body) return tl::unexpected(body.error());
    out.body = *body;
  }
  if ((table.edits & SLUICE_EDIT_HEADERS) != 0) {
    if (table.headers == nullptr && table.header_count != 0) return null_argument("headers");
    for (std::size_t i = 0; i < table.header_count; ++i) {
      const auto name = bytes_in(table.headers[i].name, table.headers[i].name_size, "headers");
      const auto value = bytes_in(table.headers[i].value, table.headers[i].value_size, "headers");
      if (!name) return tl::unexpected(name.error());
      if (!value) return tl::unexpected(value.error());
      if (!is_header_name(*name) || !is_header_value(*value)) return fail(Code::kInvalidHeader, "a header field of the ruling is none", "headers");
      out.headers.emplace_back(*name, *value);
    }
  }
  return out;
}

}  // namespace

Error hook_error(sluice_code_t code, std::int32_t status, std::string_view message) {
  Code known = Code::kPluginError;
  for (const CodeInfo& row : all_codes()) {
    if (static_cast<sluice_code_t>(row.code) == code && row.code != Code::kOk) known = row.code;
  }
  Error error = make_error(known, std::string(message));
  error.origin = Origin::kPlugin;
  if (status != 0) error.http_status = status;
  return error;
}

Result<ReadRuling> ruling_in(const sluice_ruling_t* ruling, const HookTargets& targets) {
  const auto table = table_in(ruling, "ruling");
  if (!table) return tl::unexpected(table.error());
  const auto text = text_in(table->text, table->text_size, "text");
  if (!text) return tl::unexpected(text.error());
  ReadRuling out;
  switch (table->verdict) {
    case SLUICE_CONTINUE: {
      auto edits = edits_in(*table, *text);
      if (!edits) return tl::unexpected(edits.error());
      if (edits->which != 0) out.edits = [edits = std::move(*edits), targets] { edits.make(targets); };
      return out;
    }
    case SLUICE_REPLY:
      out.verdict = Verdict::reply({table->status != 0 ? table->status : 200, std::string(*text), {}});
      return out;
    case SLUICE_FAIL:
      out.verdict = Verdict::fail(hook_error(table->code, table->status, *text));
      return out;
    default:
      return fail(Code::kInvalidParameter, "verdict " + std::to_string(table->verdict) + " ends no suspension", "verdict");
  }
}

}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

extern "C" {

sluice_code_t sluice_hook_info(const sluice_hook_t* hook, sluice_hook_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const ExchangeView& view = *hook->view;
    sluice_hook_info_t out{};
    out.hook = hook->kind;
    out.stream = view.stream() ? 1 : 0;
    out.id = borrow(view.id());
    out.operation = borrow(view.operation());
    out.dialect = borrow(view.dialect());
    out.consumer = borrow(view.consumer());
    out.tenant = borrow(view.tenant());
    out.route = borrow(view.route());
    out.method = borrow(view.method());
    out.path = borrow(view.path());
    out.model = borrow(view.model());
    out.body = borrow(view.body());
    if (const AttemptContext* attempt = hook->targets.attempt) {
      out.upstream = borrow(attempt->upstream());
      out.upstream_model = borrow(attempt->model());
      out.attempt = attempt->number();
    }
    if (const Delta* delta = hook->targets.delta) {
      out.text = borrow(delta->text);
      out.tool_name = borrow(delta->tool_name);
      out.choice = delta->choice;
      out.channel = static_cast<std::int32_t>(delta->channel);
      out.tool_index = delta->tool_index;
    }
    if (const HeadContext* head = hook->targets.head) out.status = head->status();
    if (hook->targets.request != nullptr) out.prompt_count = static_cast<std::uint32_t>(view.prompt().size());
    return info_out(info, out, "info");
  });
}

sluice_bytes_t sluice_hook_header(const sluice_hook_t* hook, const char* name, size_t size) {
  sluice_bytes_t found{};
  (void)guard(nullptr, [&]() -> Status {
    if (hook == nullptr) return {};
    const auto wanted = bytes_in(name, size, "name");
    if (wanted) found = borrow(header_of(hook->targets.head != nullptr ? hook->targets.head->headers() : hook->view->headers(), *wanted));
    return {};
  });
  return found;
}

sluice_code_t sluice_hook_prompt(const sluice_hook_t* hook, size_t index, int32_t* role, sluice_bytes_t* text, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    if (hook->targets.request == nullptr) return not_here("prompt");
    const auto parts = hook->view->prompt();
    if (index >= parts.size()) {
      return fail(Code::kInvalidParameter, "part " + std::to_string(index) + " is beyond the last of " + std::to_string(parts.size()), "index");
    }
    if (role != nullptr) *role = static_cast<std::int32_t>(parts[index].role);
    if (text != nullptr) *text = borrow(parts[index].text);
    return {};
  });
}

uint64_t sluice_hook_estimated_input_tokens(const sluice_hook_t* hook) {
  std::uint64_t tokens = 0;
  (void)guard(nullptr, [&]() -> Status {
    if (hook != nullptr) tokens = hook->view->estimated_input_tokens();
    return {};
  });
  return tokens;
}

sluice_code_t sluice_hook_set_header(sluice_hook_t* hook, const char* name, size_t name_size, const char* value, size_t value_size,
                                     sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto field = bytes_in(name, name_size, "name");
    const auto text = bytes_in(value, value_size, "value");
    if (!field) return tl::unexpected(field.error());
    if (!text) return tl::unexpected(text.error());
    const HookTargets& at = hook->targets;
    if (at.request != nullptr) return at.request->set_header(*field, *text);
    if (at.attempt != nullptr) return at.attempt->set_header(*field, *text);
    if (at.head != nullptr) return at.head->set_header(*field, *text);
    return not_here("header fields to set");
  });
}

sluice_code_t sluice_hook_remove_header(sluice_hook_t* hook, const char* name, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto field = bytes_in(name, size, "name");
    if (!field) return tl::unexpected(field.error());
    if (hook->targets.request != nullptr) return hook->targets.request->remove_header(*field), Status{};
    if (hook->targets.head != nullptr) return hook->targets.head->remove_header(*field), Status{};
    return not_here("header fields to remove");
  });
}

sluice_code_t sluice_hook_set_body(sluice_hook_t* hook, const char* body, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto bytes = bytes_in(body, size, "body");
    if (!bytes) return tl::unexpected(bytes.error());
    if (hook->targets.request == nullptr) return not_here("body");
    return hook->targets.request->set_body(std::string(*bytes));
  });
}

sluice_code_t sluice_hook_set_json(sluice_hook_t* hook, const char* pointer, size_t pointer_size, const char* json, size_t json_size,
                                   sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto where = text_in(pointer, pointer_size, "pointer");
    const auto value = text_in(json, json_size, "json");
    if (!where) return tl::unexpected(where.error());
    if (!value) return tl::unexpected(value.error());
    if (hook->targets.request == nullptr) return not_here("body");
    return hook->targets.request->set_json(*where, *value);
  });
}

sluice_code_t sluice_hook_set_prompt(sluice_hook_t* hook, size_t index, const char* text, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    if (hook->targets.request == nullptr) return not_here("prompt");
    return hook->targets.request->set_prompt_text(index, *words);
  });
}

sluice_code_t sluice_hook_choose(sluice_hook_t* hook, const char* upstream, size_t upstream_size, const char* model, size_t model_size,
                                 sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto name = text_in(upstream, upstream_size, "upstream");
    const auto wanted = text_in(model, model_size, "model");
    if (!name) return tl::unexpected(name.error());
    if (!wanted) return tl::unexpected(wanted.error());
    if (hook->targets.request == nullptr) return not_here("upstreams to choose from");
    hook->choices.push_back({std::string(*name), std::string(*wanted)});
    return hook->targets.request->choose(hook->choices);
  });
}

sluice_code_t sluice_hook_set_text(sluice_hook_t* hook, const char* text, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    if (hook->targets.delta == nullptr) return not_here("text");
    hook->targets.delta->text = *words;
    return {};
  });
}

sluice_code_t sluice_hook_emit(sluice_hook_t* hook, uint32_t choice, const char* text, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    if (hook->targets.end == nullptr) return not_here("end to add text to");
    Delta delta;
    delta.choice = choice;
    delta.text = *words;
    hook->targets.end->emit(std::move(delta));
    return {};
  });
}

sluice_code_t sluice_hook_report(sluice_hook_t* hook, const char* kind, size_t kind_size, const char* where, size_t where_size,
                                 double score, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (hook == nullptr) return null_argument("hook");
    const auto what = text_in(kind, kind_size, "kind");
    const auto place = text_in(where, where_size, "where");
    if (!what) return tl::unexpected(what.error());
    if (!place) return tl::unexpected(place.error());
    if (hook->context == nullptr) return not_here("account");
    hook->context->report({std::string(*what), std::string(*place), score});
    return {};
  });
}

int32_t sluice_hook_reply(sluice_hook_t* hook, int32_t status, const char* text, size_t size) {
  if (hook == nullptr) return SLUICE_FAIL;
  const auto said = guard(nullptr, [&]() -> Status {
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    hook->said = Verdict::reply({status != 0 ? status : 200, std::string(*words), {}});
    return {};
  });
  return said == SLUICE_OK ? SLUICE_REPLY : SLUICE_FAIL;
}

int32_t sluice_hook_fail(sluice_hook_t* hook, sluice_code_t code, int32_t status, const char* message, size_t size) {
  if (hook == nullptr) return SLUICE_FAIL;
  (void)guard(nullptr, [&]() -> Status {
    const auto words = text_in(message, size, "message");
    hook->said = Verdict::fail(hook_error(code, status, words ? *words : std::string_view("the plugin's message is no UTF-8")));
    return {};
  });
  return SLUICE_FAIL;
}

int32_t sluice_hook_suspend(sluice_hook_t* hook, sluice_resumer_t** resumer) {
  if (resumer != nullptr) *resumer = nullptr;
  if (hook == nullptr) return SLUICE_FAIL;
  const auto taken = guard(nullptr, [&]() -> Status {
    if (resumer == nullptr) return null_argument("resumer");
    if (hook->context == nullptr) return not_here("suspension");
    *resumer = new sluice_resumer{hook->context->resumer(), hook->targets};
    return {};
  });
  return taken == SLUICE_OK ? SLUICE_SUSPEND : SLUICE_FAIL;
}

sluice_code_t sluice_resumer_resume(sluice_resumer_t* resumer, const sluice_ruling_t* ruling, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (resumer == nullptr) return null_argument("resumer");
    auto read = ruling_in(ruling, resumer->targets);
    if (!read) return tl::unexpected(read.error());
    resumer->resumer.resume(std::move(read->verdict), std::move(read->edits));
    return {};
  });
}

void sluice_resumer_free(sluice_resumer_t* resumer) { delete resumer; }

}  // extern "C"
