#pragma once
// A cell that answers what a test tells it to, over real HTTP, and remembers what it was asked.

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>

#include "cmd/troupe/cli.hpp"
#include "net/http/http.hpp"

namespace troupe::cli {

inline const std::string job_id = "6f1c0000-0000-4000-8000-000000000001";
inline const std::string task_id = "81d00000-0000-4000-8000-000000000001";
inline const std::string other_task_id = "92d00000-0000-4000-8000-000000000001";

/// Before a FakeCell is made: its threads inherit the blocked signal, so that only the command line takes it.
inline void leave_interrupts_to_the_command_line() {
  // As it was started: a background shell ignores interrupts, and what is ignored never comes.
  signal(SIGINT, SIG_DFL);
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
}

class FakeCell {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;
  using Stream = std::function<void(const http::Request&, http::ReplyPtr)>;

  FakeCell() {
    auto served = http::serve({}, [this](http::Request request, http::ReplyPtr reply) {
      handle(std::move(request), std::move(reply));
    });
    TROUPE_CHECK(served.ok());
    server_ = std::move(served).value();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  /// "GET /api/v3/jobs" and what is answered.
  void on(const std::string& what, Answer answer) {
    stream(what,
           [answer](const http::Request& request, http::ReplyPtr reply) { reply->send(answer(request)); });
  }
  void on(const std::string& what, const std::string& body, int status = 200) {
    on(what, [body, status](const http::Request&) { return http::Response{status, {}, body}; });
  }
  /// One answer for each request; the last one for those that follow.
  void in_turn(const std::string& what, std::vector<http::Response> answers) {
    auto next = std::make_shared<std::size_t>(0);
    on(what, [answers, next](const http::Request&) {
      const auto now = *next;
      if (*next + 1 < answers.size()) ++*next;
      return answers[now];
    });
  }
  void stream(const std::string& what, Stream answer) {
    const std::lock_guard lock(mutex_);
    answers_[what] = std::move(answer);
  }
  /// A stream of server-sent events that ends after them.
  void events(const std::string& path, const std::string& frames) {
    stream("GET " + path, [frames](const http::Request&, http::ReplyPtr reply) {
      reply->open(200, {{"content-type", "text/event-stream"}}, [] {});
      reply->write(frames);
      reply->finish();
    });
  }

  std::vector<http::Request> asked(const std::string& what) {
    const std::lock_guard lock(mutex_);
    return asked_[what];
  }

 private:
  void handle(http::Request request, http::ReplyPtr reply) {
    const std::string what = request.method + ' ' + request.path;
    Stream answer;
    {
      const std::lock_guard lock(mutex_);
      asked_[what].push_back(request);
      if (const auto found = answers_.find(what); found != answers_.end()) answer = found->second;
    }
    if (answer) return answer(request, std::move(reply));
    reply->send({404, {}, R"({"code":"not_found","message":"no )" + what + "\"}"});
  }

  std::mutex mutex_;
  std::map<std::string, Stream> answers_;
  std::map<std::string, std::vector<http::Request>> asked_;
  std::unique_ptr<http::Server> server_;
};

/// Runs the command line against an address and keeps what it says.
class CommandLine {
 public:
  explicit CommandLine(std::string address, Signals signals = Signals::leave)
      : address_(std::move(address)), signals_(signals) {}

  int run(std::vector<std::string> arguments, const std::string& input = {}) {
    out.str("");
    err.str("");
    in.clear();
    in.str(input);
    arguments.insert(arguments.begin(), {"troupe", "--address", address_, "--caller", "tester"});
    std::vector<const char*> argv;
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return run_cli(static_cast<int>(argv.size()), argv.data(), surroundings_);
  }

  /// Somebody answers on the input.
  void sit_down() { surroundings_.has_person = true; }

  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  std::vector<milliseconds> pauses;
  std::function<void()> on_pause;
  /// The command is interrupted in its first pause; its thread has heard of it some pauses later at the
  /// latest.
  void interrupt_once() {
    on_pause = [was_sent = false]() mutable {
      std::mutex mutex;
      std::condition_variable never;
      if (!std::exchange(was_sent, true)) kill(getpid(), SIGINT);
      std::unique_lock lock(mutex);
      never.wait_for(lock, milliseconds(20));
    };
  }

 private:
  /// The wall stands still, a minute after the fake cell's times.
  class TestClock final : public Clock {
   public:
    Instant wall() const override { return {1'060'000}; }
    Moment steady() const override { return system_.steady(); }

   private:
    SystemClock system_;
  };
  std::string address_;
  Signals signals_;
  TestClock clock_;
  Surroundings surroundings_{
      .out = out,
      .err = err,
      .in = in,
      .pause =
          [this](milliseconds time) {
            pauses.push_back(time);
            if (on_pause) on_pause();
          },
      .environment = [](const std::string&) { return std::optional<std::string>("ann"); },
      .clock = clock_,
      .signals = signals_};
};

// ---- what a cell says ----
struct TaskText {
  std::string id = task_id;
  std::int64_t slot = 0;
  std::string state = "Started";
  std::string reason = "";
  std::int64_t exit_code = 0;
  std::int64_t signal = 0;
  std::int64_t resubmits = 0;
};
inline std::string text_of(const TaskText& task) {
  const std::string end = task.state == "Finished" ? R"(,"exitCode":)" + std::to_string(task.exit_code) +
                                                         R"(,"signal":)" + std::to_string(task.signal)
                                                   : "";
  return R"({"id":")" + task.id + R"(","jobId":")" + job_id + R"(","taskContext":{"task.index":")" +
         std::to_string(task.slot) + R"(","task.resubmitNumber":")" + std::to_string(task.resubmits) +
         R"(","agent.host":"h1"},"status":{"state":")" + task.state + R"(","reasonCode":")" + task.reason +
         R"(","timestamp":"1000000")" + end +
         R"(},"statusHistory":[{"state":"Accepted","timestamp":"999000"}]})";
}
inline std::string page_of(const std::vector<std::string>& items, const std::string& next_cursor = {}) {
  std::string out = R"({"items":[)";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ",") + items[i];
  return out + R"(],"pagination":{"hasMore":)" + (next_cursor.empty() ? "false" : "true") + R"(,"cursor":")" +
         (next_cursor.empty() ? "end" : next_cursor) + R"("}})";
}
inline std::string job_text(const std::string& state, const std::string& reason = {}, std::int64_t size = 1,
                            const std::string& id = job_id) {
  return R"({"id":")" + id + R"(","jobDescriptor":{"owner":{"teamEmail":"a@b"},"applicationName":"app",)" +
         R"("batch":{"size":)" + std::to_string(size) + R"(}},"status":{"state":")" + state +
         R"(","reasonCode":")" + reason +
         R"(","timestamp":"1000000"},"statusHistory":[],"summary":{"tasks":{"started":1}}})";
}
inline std::string frame(const std::string& id, const std::string& name, const std::string& data) {
  return "id: " + id + "\nevent: " + name + "\ndata: " + data + "\n\n";
}
inline std::string task_frame(const std::string& state, const std::string& id = task_id,
                              std::int64_t slot = 0) {
  return frame("5.0", "taskChanged",
               R"({"kind":"taskChanged","taskId":")" + id + R"(","slot":)" + std::to_string(slot) +
                   R"(,"taskState":")" + state + R"("})");
}
inline std::string job_frame(const std::string& state) {
  return frame("6.0", "jobChanged", R"({"kind":"jobChanged","jobState":")" + state + R"("})");
}
inline std::string job_path() { return "/api/v3/jobs/" + job_id; }
inline std::string task_path(const std::string& id = task_id) { return "/api/v3/tasks/" + id; }

/// A job's stream of events that stays open until a test ends it; every asker gets the same first frames.
class OpenEvents {
 public:
  OpenEvents(
      FakeCell& cell, std::string first, std::function<void()> on_open = [] {}) {
    cell.stream("GET " + job_path() + "/events",
                [this, first, on_open](const http::Request&, http::ReplyPtr reply) {
                  reply->open(200, {{"content-type", "text/event-stream"}}, [] {});
                  if (!first.empty()) reply->write(first);
                  {
                    const std::lock_guard lock(mutex_);
                    open_.push_back(std::move(reply));
                  }
                  on_open();
                });
  }
  void end_with(const std::string& frames) {
    const std::lock_guard lock(mutex_);
    for (const auto& reply : open_) {
      reply->write(frames);
      reply->finish();
    }
    open_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<http::ReplyPtr> open_;
};

/// Answers from the offset on; a followed stream ends there too.
inline FakeCell::Answer logs_of(const std::string& out, const std::string& err) {
  return [out, err](const http::Request& request) {
    const std::string& text = request.parameter("stream") == "stdout" ? out : err;
    const auto offset = std::stoull("0" + std::string(request.parameter("offset")));
    return http::Response{200, {}, offset < text.size() ? text.substr(offset) : ""};
  };
}

}  // namespace troupe::cli
