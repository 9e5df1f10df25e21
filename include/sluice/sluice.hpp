#pragma once
/// All of sluice. Start here:
///
///   #include <sluice/sluice.hpp>
///   #include <cstdio>
///
///   int main() {
///     auto gateway = sluice::Gateway::open_file("gateway.json");
///     if (!gateway) return std::puts(gateway.error().message.c_str()), 1;
///
///     auto answer = gateway->send(sluice::Request::post("/v1/chat/completions",
///         R"({"model":"smart","messages":[{"role":"user","content":"hello"}]})")).get();
///     if (!answer) return std::puts(answer.error().message.c_str()), 1;
///     std::puts(answer->body.c_str());
///
///     auto stream = gateway->stream(sluice::Request::post("/v1/chat/completions",
///         R"({"model":"smart","stream":true,"messages":[{"role":"user","content":"hello"}]})"));
///     while (auto event = stream.next(std::chrono::seconds(30))) std::fputs(std::string(event->text()).c_str(), stdout);
///   }

#include "sluice/body.hpp"
#include "sluice/clock.hpp"
#include "sluice/config.hpp"
#include "sluice/consumer.hpp"
#include "sluice/error.hpp"
#include "sluice/gateway.hpp"
#include "sluice/headers.hpp"
#include "sluice/host_credential.hpp"
#include "sluice/message.hpp"
#include "sluice/outcome.hpp"
#include "sluice/plugin.hpp"
#include "sluice/rest.hpp"
#include "sluice/route.hpp"
#include "sluice/secret.hpp"
#include "sluice/server.hpp"
#include "sluice/telemetry.hpp"
#include "sluice/tokens.hpp"
#include "sluice/upstream.hpp"
#include "sluice/version.hpp"
