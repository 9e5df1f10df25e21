// A guard that has to ask somebody slow: who names a project in a prompt must be a member of it. The hook suspends, a
// thread of the program's own asks and resumes, and no engine thread waits meanwhile.
#include <sluice/sluice.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

namespace {

/// Who is a member. Here it is a list; think of a directory that takes its time over each question.
class Directory {
 public:
  explicit Directory(std::set<std::string> members) : members_(std::move(members)) {}

  /// `answer` is called once, on the directory's thread; or it is destroyed, where the directory goes before its turn.
  void ask(std::string name, std::function<void(bool)> answer) {
    const std::lock_guard lock(mutex_);
    questions_.push_back({std::move(name), std::move(answer)});
    changed_.notify_one();
  }

 private:
  struct Question {
    std::string name;
    std::function<void(bool)> answer;
  };

  void work(const std::stop_token& stop) {
    for (std::unique_lock lock(mutex_); changed_.wait(lock, stop, [this] { return !questions_.empty(); }); lock.lock()) {
      const Question question = std::move(questions_.front());
      questions_.pop_front();
      lock.unlock();
      question.answer(members_.contains(question.name));
    }
  }

  const std::set<std::string> members_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Question> questions_;
  std::jthread thread_{[this](const std::stop_token& stop) { work(stop); }};  // last: it uses what stands above
};

class ProjectGuard final : public sluice::Plugin {
 public:
  ProjectGuard(std::string project, Directory& directory) : project_(std::move(project)), directory_(directory) {}
  std::string_view name() const noexcept override { return "project-guard"; }
  sluice::Phase phase() const noexcept override { return sluice::Phase::kGuard; }
  sluice::Wants wants() const noexcept override { return sluice::kWantsPrompt; }
  std::unique_ptr<sluice::PluginSession> open(const sluice::ExchangeView&) const override { return std::make_unique<Session>(*this); }

 private:
  class Session final : public sluice::PluginSession {
   public:
    explicit Session(const ProjectGuard& guard) : guard_(guard) {}

    sluice::Verdict on_request(sluice::RequestContext& context) override {
      const sluice::ExchangeView& exchange = context.exchange();
      const auto names_it = [this](const sluice::PromptPart& part) { return part.text.find(guard_.project_) != std::string_view::npos; };
      const auto prompt = exchange.prompt();
      if (std::none_of(prompt.begin(), prompt.end(), names_it)) return sluice::Verdict::go_on();

      context.report({.kind = "project.named"});
      guard_.directory_.ask(std::string(exchange.consumer()), [resumer = context.resumer()](bool member) {
        resumer.resume(member ? sluice::Verdict::go_on() : refusal());
      });
      return sluice::Verdict::suspend();
    }

   private:
    const ProjectGuard& guard_;
  };

  static sluice::Verdict refusal() {
    sluice::Error error;
    error.code = sluice::Code::kConsumerNotAllowed;
    error.http_status = 403;
    error.message = "the prompt names a project, and you are no member of it; ask its owners";
    return sluice::Verdict::fail(std::move(error));
  }

  const std::string project_;
  Directory& directory_;
};

}  // namespace

int main() {
  Directory directory({"ada"});
  sluice::Upstream model;
  model.name = "model";
  model.provider = "simulator";
  sluice::Route chat;
  chat.name = "chat";
  chat.match.path = "/v1/chat/completions";
  chat.upstreams.push_back({.upstream = "model"});
  chat.plugins.push_back({.name = "project-guard", .timeout = std::chrono::seconds(2)});

  auto gateway = sluice::Gateway::Builder{}
                     .consumer({.name = "ada"})
                     .consumer({.name = "bob"})
                     .upstream(model)
                     .route(chat)
                     .plugin(std::make_shared<ProjectGuard>("Nightjar", directory))
                     .open();
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  const auto status = [&gateway](const std::string& who, const std::string& question) {
    const auto answer = gateway->send(sluice::Request::post("/v1/chat/completions",
                                                            R"({"model": "m", "messages": [{"role": "user", "content": ")" + question + R"("}]})"),
                                      {.consumer = who})
                            .get();
    std::cout << who << ": \"" << question << "\" -> " << (answer ? std::to_string(answer->status) : answer.error().message) << "\n";
    return answer ? answer->status : answer.error().http_status;
  };
  const bool harmless = status("bob", "When does the library open?") == 200;
  const bool stranger = status("bob", "When does Nightjar ship?") == 403;
  const bool member = status("ada", "When does Nightjar ship?") == 200;
  return harmless && stranger && member ? 0 : 1;
}
