// Following an exchange from its engine thread, and leaving in the middle: there is still exactly one end.
#include <sluice/sluice.hpp>

#include <future>
#include <iostream>

namespace {

// Calls come on one engine thread and never overlap, so plain members do.
class Reader : public sluice::ExchangeListener {
 public:
  void on_head(const sluice::ResponseHead& head) override { std::cout << "head: " << head.status << "\n"; }
  void on_bytes(std::string_view bytes) override {
    bytes_ += bytes.size();
    if (!told_ && bytes_ > 0) told_ = (first_.set_value(), true);
  }
  void on_end(const sluice::Outcome& outcome) override {
    if (!told_) first_.set_value();
    ended_.set_value(outcome);
  }
  std::future<void> first() { return first_.get_future(); }
  std::future<sluice::Outcome> ended() { return ended_.get_future(); }

 private:
  std::size_t bytes_ = 0;
  bool told_ = false;
  std::promise<void> first_;
  std::promise<sluice::Outcome> ended_;
};

}  // namespace

int main() {
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "upstreams": [{"name": "slow", "provider": "simulator",
                   "simulator": {"answer": "one two three four five six seven eight nine ten", "tokens_per_second": 20}}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "slow"}]}]
  })");
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  auto reader = std::make_shared<Reader>();
  auto first = reader->first();
  auto ended = reader->ended();
  auto id = gateway->submit(sluice::Request::post("/v1/chat/completions",
                                                  R"({"model": "m", "stream": true, "messages": [{"role": "user", "content": "count"}]})"),
                            reader);
  if (!id) return std::cerr << id.error().message << "\n", 1;
  first.wait();
  gateway->cancel(*id);
  const sluice::Outcome outcome = ended.get();
  std::cout << "ended: " << sluice::to_string(outcome.ending) << " after " << outcome.bytes_out << " bytes\n";
  return outcome.ending == sluice::Ending::kCancelled ? 0 : 1;
}
