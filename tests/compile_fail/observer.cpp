// PLUG-16: what an observer sees it cannot change, and it decides nothing. Without a mistake this compiles.

#include "sluice/plugin.hpp"

namespace {

struct Session final : sluice::ObserverSession {
#if MISTAKE == 1  // override
  void on_delta(const sluice::ExchangeView&, sluice::Delta& delta) override { delta.text.clear(); }
#elif MISTAKE == 2  // discards qualifiers|not marked const
  void on_delta(const sluice::ExchangeView&, const sluice::Delta& delta) override { delta.text.clear(); }
#elif MISTAKE == 3  // conflicting return type|different return type
  sluice::Verdict on_delta(const sluice::ExchangeView&, const sluice::Delta&) override { return sluice::Verdict::go_on(); }
#else
  void on_delta(const sluice::ExchangeView&, const sluice::Delta& delta) override { seen += delta.text.size(); }
#endif

#if MISTAKE == 4  // discards qualifiers|not marked const
  void on_head(const sluice::ExchangeView&, int, const sluice::Headers& headers) override { (void)headers.set("x", "1"); }
#else
  void on_head(const sluice::ExchangeView&, int status, const sluice::Headers& headers) override { seen += headers.size() + (status == 200 ? 1 : 0); }
#endif

#if MISTAKE == 5  // override
  void on_request(sluice::RequestContext& context) override { (void)context.set_body({}); }
#elif MISTAKE == 6  // no member named 'set_header'|has no member named
  void on_request(const sluice::ExchangeView& exchange) override { (void)exchange.set_header("x", "1"); }
#elif MISTAKE == 7  // discards qualifiers|not marked const
  void on_request(const sluice::ExchangeView& exchange) override { (void)exchange.headers().set("x", "1"); }
#elif MISTAKE == 8  // read-only|const-qualified|cannot assign
  void on_request(const sluice::ExchangeView& exchange) override { exchange.prompt()[0].last_user = true; }
#else
  void on_request(const sluice::ExchangeView& exchange) override { seen += exchange.body().size() + exchange.prompt().size(); }
#endif

  std::size_t seen = 0;
};

struct Watching final : sluice::Observer {
  std::string_view name() const noexcept override { return "watching"; }
  sluice::Wants wants() const noexcept override { return sluice::kWantsRequest | sluice::kWantsHead | sluice::kWantsDeltas; }
#if MISTAKE == 9  // override|different return type|invalid covariant return type
  std::unique_ptr<sluice::PluginSession> open(const sluice::ExchangeView&) const override { return nullptr; }
#else
  std::unique_ptr<sluice::ObserverSession> open(const sluice::ExchangeView&) const override { return std::make_unique<Session>(); }
#endif
};

}  // namespace

const sluice::Observer& watching() {
  static const Watching observer;
  return observer;
}
