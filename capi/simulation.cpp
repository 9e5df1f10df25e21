// Simulations as C has them: scripts, faults, and the time.

#include "simulation.hpp"

#include "gateway.hpp"

using namespace sluice;
using namespace sluice::capi;

namespace {

/// Enters a gateway that lives in this simulation's time. Errors: those of the three functions that move it.
Result<std::shared_ptr<Open>> enter_simulated(sluice_simulation_t* simulation, sluice_gateway_t* gateway) {
  if (simulation == nullptr) return null_argument("simulation");
  auto open = enter(gateway);
  if (!open) return open;
  if ((*open)->simulation() != simulation->state) {
    return fail(Code::kInvalidParameter, "this gateway was not opened with this simulation (sluice_options_set_simulation, sluice_options_set_clock)", "gateway");
  }
  if (Status may = may_wait("moving the time"); !may) return tl::unexpected(may.error());
  return open;
}

/// Changes a script.
template <typename Change>
sluice_code_t change(sluice_script_t* script, sluice_error_t** err, Change&& make) {
  return guard(err, [&]() -> Status {
    if (script == nullptr) return null_argument("script");
    return make(*script->script);
  });
}

}  // namespace

extern "C" {

sluice_code_t sluice_simulation_new(uint64_t seed, sluice_simulation_t** simulation, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (simulation == nullptr) return null_argument("simulation");
    *simulation = nullptr;
    *simulation = new sluice_simulation{std::make_shared<Simulated>(seed)};
    return {};
  });
}

void sluice_simulation_free(sluice_simulation_t* simulation) { delete simulation; }

int64_t sluice_simulation_now_ns(const sluice_simulation_t* simulation) {
  return simulation == nullptr ? 0 : (simulation->state->clock.now() - simulation->state->first).count();
}

sluice_code_t sluice_simulation_advance(sluice_simulation_t* simulation, sluice_gateway_t* gateway, int64_t ns, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter_simulated(simulation, gateway);
    if (!open) return tl::unexpected(open.error());
    if (ns < 0) return fail(Code::kInvalidParameter, "ns is negative; time only goes on", "ns");
    simulation->state->simulation.pass((*open)->gateway(), Duration(ns));
    return {};
  });
}

sluice_code_t sluice_simulation_settle(sluice_simulation_t* simulation, sluice_gateway_t* gateway, int64_t limit_ns, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter_simulated(simulation, gateway);
    if (!open) return tl::unexpected(open.error());
    if (limit_ns < 0) return fail(Code::kInvalidParameter, "limit_ns is negative; time only goes on", "limit_ns");
    simulation->state->simulation.settle((*open)->gateway(), Duration(limit_ns));
    return {};
  });
}

sluice_code_t sluice_simulation_step(sluice_simulation_t* simulation, sluice_gateway_t* gateway, int32_t* happened, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter_simulated(simulation, gateway);
    if (!open) return tl::unexpected(open.error());
    const bool moved = simulation->state->simulation.step((*open)->gateway());
    if (happened != nullptr) *happened = moved ? 1 : 0;
    return {};
  });
}

sluice_code_t sluice_simulation_script(sluice_simulation_t* simulation, const char* upstream, size_t size, sluice_script_t** script,
                                       sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (script == nullptr) return null_argument("script");
    *script = nullptr;
    if (simulation == nullptr) return null_argument("simulation");
    const auto name = text_in(upstream, size, "upstream");
    if (!name) return tl::unexpected(name.error());
    auto& known = simulation->state->scripts;
    for (auto& [called, handle] : known) {
      if (called == *name) return *script = &handle, Status{};
    }
    testing::Script& made = simulation->state->simulation.upstream(std::string(*name));
    known.emplace_back(std::string(*name), sluice_script{&made});
    *script = &known.back().second;
    return {};
  });
}

sluice_code_t sluice_script_answer(sluice_script_t* script, const char* text, size_t size, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    return to.answers(std::string(*words)), Status{};
  });
}

sluice_code_t sluice_script_generate(sluice_script_t* script, uint64_t tokens, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status { return to.generates(static_cast<std::size_t>(tokens)), Status{}; });
}

sluice_code_t sluice_script_refuse(sluice_script_t* script, const char* text, size_t size, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto words = text_in(text, size, "text");
    if (!words) return tl::unexpected(words.error());
    return to.refuses(std::string(*words)), Status{};
  });
}

sluice_code_t sluice_script_call_tool(sluice_script_t* script, const char* name, size_t name_size, const char* arguments,
                                      size_t arguments_size, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto tool = text_in(name, name_size, "name");
    const auto json = text_in(arguments, arguments_size, "arguments");
    if (!tool) return tl::unexpected(tool.error());
    if (!json) return tl::unexpected(json.error());
    return to.calls({{{}, std::string(*tool), std::string(*json)}}), Status{};
  });
}

sluice_code_t sluice_script_body(sluice_script_t* script, const char* content_type, size_t content_type_size, const char* bytes,
                                 size_t size, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto type = text_in(content_type, content_type_size, "content_type");
    const auto body = bytes_in(bytes, size, "bytes");
    if (!type) return tl::unexpected(type.error());
    if (!body) return tl::unexpected(body.error());
    return to.body(std::string(*type), std::string(*body)), Status{};
  });
}

sluice_code_t sluice_script_stream(sluice_script_t* script, const char* bytes, size_t size, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto body = bytes_in(bytes, size, "bytes");
    if (!body) return tl::unexpected(body.error());
    return to.stream_bytes(std::string(*body)), Status{};
  });
}

sluice_code_t sluice_script_usage(sluice_script_t* script, uint64_t input_tokens, uint64_t output_tokens, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status { return to.usage(input_tokens, output_tokens), Status{}; });
}

sluice_code_t sluice_script_header(sluice_script_t* script, const char* name, size_t name_size, const char* value, size_t value_size,
                                   sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto field = bytes_in(name, name_size, "name");
    const auto text = bytes_in(value, value_size, "value");
    if (!field) return tl::unexpected(field.error());
    if (!text) return tl::unexpected(text.error());
    if (!is_header_name(*field) || !is_header_value(*text)) return fail(Code::kInvalidHeader, "this is no header field", "name");
    return to.header(std::string(*field), std::string(*text)), Status{};
  });
}

sluice_code_t sluice_script_pieces(sluice_script_t* script, size_t bytes, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status { return to.piece_bytes(bytes), Status{}; });
}

sluice_code_t sluice_script_pace(sluice_script_t* script, const sluice_pace_t* pace, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto table = table_in(pace, "pace");
    if (!table) return tl::unexpected(table.error());
    using std::chrono::microseconds;
    if (table->head_us < 0 || table->first_token_us < 0 || table->jitter_us < 0 || table->ping_us < 0 || !(table->tokens_per_second >= 0)) {
      return fail(Code::kInvalidParameter, "pace: a member is negative", "pace");
    }
    to.pace({microseconds(table->first_token_us), microseconds(table->jitter_us), table->tokens_per_second, microseconds(table->head_us),
             microseconds(table->ping_us)});
    return {};
  });
}

sluice_code_t sluice_script_fault(sluice_script_t* script, const sluice_fault_t* fault, sluice_error_t** err) {
  return change(script, err, [&](testing::Script& to) -> Status {
    const auto table = table_in(fault, "fault");
    if (!table) return tl::unexpected(table.error());
    if (table->kind < SLUICE_FAULT_NONE || table->kind > SLUICE_FAULT_HANG_UP) {
      return fail(Code::kInvalidParameter, "kind " + std::to_string(table->kind) + " is none of SLUICE_FAULT_*", "kind");
    }
    testing::Fault made;
    made.kind = static_cast<testing::Fault::Kind>(table->kind);
    if (table->status != 0) made.status = table->status;
    made.at_byte = static_cast<std::size_t>(table->at_byte);
    made.after_events = static_cast<std::size_t>(table->after_events);
    made.step = std::chrono::milliseconds(table->step_ms);
    made.retry_after = std::chrono::milliseconds(table->retry_after_ms);
    to.fails(made);
    if (table->from_ns > 0) to.from(Duration(table->from_ns));
    if (table->until_ns > 0) to.until(Duration(table->until_ns));
    if (table->times > 0) to.times(static_cast<std::uint32_t>(table->times));
    return {};
  });
}

size_t sluice_simulation_seen_count(const sluice_simulation_t* simulation) {
  return simulation == nullptr ? 0 : simulation->state->simulation.seen().size();
}

sluice_code_t sluice_simulation_seen(const sluice_simulation_t* simulation, size_t index, sluice_seen_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (simulation == nullptr) return null_argument("simulation");
    const auto& seen = simulation->state->simulation.seen();
    if (index >= seen.size()) {
      return fail(Code::kInvalidParameter, "index " + std::to_string(index) + " is beyond the last of " + std::to_string(seen.size()), "index");
    }
    sluice_seen_info_t out{};
    out.upstream = borrow(seen[index].upstream);
    out.method = borrow(seen[index].method);
    out.target = borrow(seen[index].target);
    out.body = borrow(seen[index].body);
    std::string& fields = simulation->state->shown_headers;
    fields.clear();
    for (const HeaderField field : seen[index].headers) fields.append(field.name).append(": ").append(field.value).append("\r\n");
    out.headers = borrow(fields);
    out.at_ns = (seen[index].at - simulation->state->first).count();
    return info_out(info, out, "info");
  });
}

void sluice_simulation_forget_seen(sluice_simulation_t* simulation) {
  if (simulation != nullptr) simulation->state->simulation.forget_seen();
}

}  // extern "C"
