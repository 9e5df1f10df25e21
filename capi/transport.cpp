// Networks as C has them: requests out by functions, answers in by numbers.

#include "transport.hpp"

#include "finalizer.hpp"

namespace sluice::capi {

void TransportFunctions::start(const HostRequest& request) const {
  sluice_wire wire{request, {}};
  wire.headers.reserve(request.headers.size());
  for (const HeaderField field : request.headers) {
    wire.headers.push_back({field.name.data(), field.name.size(), field.value.data(), field.value.size()});
  }
  const CallbackScope scope;
  table_.start(table_.user, request.transfer, &wire);
}

void TransportFunctions::cancel(std::uint64_t transfer) const {
  if (table_.cancel == nullptr) return;
  const CallbackScope scope;
  table_.cancel(table_.user, transfer);
}

void TransportFunctions::resume(std::uint64_t transfer) const {
  if (table_.resume == nullptr) return;
  const CallbackScope scope;
  table_.resume(table_.user, transfer);
}

std::shared_ptr<const TransportFunctions> Carried::functions() {
  const std::lock_guard lock(mutex_);
  return functions_;
}

void Carried::start(const HostRequest& request) {
  if (const auto to = functions()) return to->start(request);
  (void)network_.fail(request.transfer, Code::kUpstreamConnectFailed, "the host program has freed its transport");
}

void Carried::cancel(std::uint64_t transfer) {
  if (const auto to = functions()) to->cancel(transfer);
}

void Carried::resume(std::uint64_t transfer) {
  if (const auto to = functions()) to->resume(transfer);
}

void Carried::let_go() {
  std::shared_ptr<const TransportFunctions> last;
  {
    const std::lock_guard lock(mutex_);
    last.swap(functions_);
  }
  (void)network_.fail_all(Code::kUpstreamReset, "the host program has freed its transport");
}

}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

namespace {

/// Says something of a transfer.
template <typename Say>
sluice_code_t say(sluice_transport_t* transport, sluice_error_t** err, Say&& how) {
  return guard(err, [&]() -> Status {
    if (transport == nullptr) return null_argument("transport");
    if (transport->mark.in_child()) return forked();
    return how(transport->state->network());
  });
}

}  // namespace

extern "C" {

sluice_code_t sluice_transport_new(const sluice_transport_functions_t* functions, sluice_transport_t** transport, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (transport != nullptr) *transport = nullptr;
    // Of a table that is no version's, nothing is known: not even where its finalizer stands.
    const auto table = table_in(functions, "functions");
    if (!table) return tl::unexpected(table.error());
    Finalizer finalizer(table->finalize, table->user);
    if (transport == nullptr) return null_argument("transport");
    if (table->start == nullptr) return null_argument("start");
    auto made = std::make_shared<const TransportFunctions>(*table);
    finalizer.taken();
    *transport = new sluice_transport{{}, std::make_shared<Carried>(std::move(made))};
    return {};
  });
}

void sluice_transport_free(sluice_transport_t* transport) {
  // In a child of fork a lock may be held by nobody: all lies where it is.
  if (transport == nullptr || transport->mark.in_child()) return;
  (void)guard(nullptr, [&] { return transport->state->let_go(), Status(); });
  delete transport;
}

sluice_code_t sluice_wire_info(const sluice_wire_t* wire, sluice_wire_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (wire == nullptr) return null_argument("wire");
    sluice_wire_info_t out{};
    out.upstream = borrow(wire->request.upstream);
    out.origin = borrow(wire->request.origin);
    out.method = borrow(wire->request.method);
    out.target = borrow(wire->request.target);
    out.body = borrow(wire->request.body);
    out.headers = wire->headers.data();
    out.header_count = wire->headers.size();
    out.has_body = wire->request.has_body ? 1 : 0;
    out.stream = wire->request.stream ? 1 : 0;
    return info_out(info, out, "info");
  });
}

sluice_code_t sluice_transfer_connected(sluice_transport_t* transport, sluice_transfer_t transfer, sluice_error_t** err) {
  return say(transport, err, [&](HostNetwork& network) { return network.connected(transfer); });
}

sluice_code_t sluice_transfer_head(sluice_transport_t* transport, sluice_transfer_t transfer, int32_t status, const sluice_header_t* headers,
                                   size_t header_count, sluice_error_t** err) {
  return say(transport, err, [&](HostNetwork& network) -> Status {
    if (headers == nullptr && header_count != 0) return null_argument("headers");
    ResponseHead head{status, {}};
    for (std::size_t i = 0; i < header_count; ++i) {
      const auto name = bytes_in(headers[i].name, headers[i].name_size, "headers");
      const auto value = bytes_in(headers[i].value, headers[i].value_size, "headers");
      if (!name) return tl::unexpected(name.error());
      if (!value) return tl::unexpected(value.error());
      if (Status added = head.headers.add(*name, *value); !added) return added;
    }
    return network.head(transfer, std::move(head));
  });
}

sluice_code_t sluice_transfer_bytes(sluice_transport_t* transport, sluice_transfer_t transfer, const char* data, size_t size, int32_t* wait,
                                    sluice_error_t** err) {
  return say(transport, err, [&](HostNetwork& network) -> Status {
    const auto bytes = bytes_in(data, size, "data");
    if (!bytes) return tl::unexpected(bytes.error());
    const auto told = network.bytes(transfer, *bytes);
    if (!told) return tl::unexpected(told.error());
    if (wait != nullptr) *wait = *told ? 1 : 0;
    return {};
  });
}

sluice_code_t sluice_transfer_end(sluice_transport_t* transport, sluice_transfer_t transfer, sluice_error_t** err) {
  return say(transport, err, [&](HostNetwork& network) { return network.end(transfer); });
}

sluice_code_t sluice_transfer_fail(sluice_transport_t* transport, sluice_transfer_t transfer, sluice_code_t code, const char* why, size_t size,
                                   sluice_error_t** err) {
  return say(transport, err, [&](HostNetwork& network) -> Status {
    const auto words = text_in(why, size, "why");
    if (!words) return tl::unexpected(words.error());
    return network.fail(transfer, static_cast<Code>(code), std::string(*words));
  });
}

}  // extern "C"
