#include "cmd/troupe/cli_watch.hpp"

#include <algorithm>
#include <utility>

#include "cmd/troupe/cli_sse.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds pause_first{100};
constexpr milliseconds pause_longest{5'000};
constexpr milliseconds idle_shortest{20};

class Watch {
 public:
  Watch(Context& context, const std::string& job, const Look& look)
      : context_(context), client_(context.client()), job_(job), look_(look) {}

  Result<void> run() {
    int failures = 0;
    milliseconds pause = pause_first;
    while (true) {
      const auto read = refresh();
      if (!read.ok() && read.error().code == ErrorCode::not_found) return read;
      if (read.ok() && is_over()) return {};
      const auto followed = read.ok() ? follow() : read;
      if (stopped_) return {};
      if (heard_) failures = 0, pause = pause_first;
      // A stream that was silent to the end of its time is not broken: only reading the state anew was due.
      if (std::exchange(timed_out_, false)) continue;
      if (++failures > watch_failures_max)
        return followed.ok() ? Error{ErrorCode::unavailable, "the stream of events keeps ending"} : followed;
      context_.io.pause(pause);
      pause = std::min(pause * 2, pause_longest);
    }
  }

 private:
  /// The truth at this moment, in case there is no stream or it missed something.
  Result<void> refresh() {
    const auto job = client_.get("/api/v3/jobs/" + job_);
    if (!job.ok()) return job.error();
    sight_.state = text_at(job.value().value, "status/state");
    return each_page(client_, "/api/v3/tasks?jobIds=" + job_ + "&taskStates=any&pageSize=1000",
                     [&](const Answer& page) {
                       for (const auto& task : items_of(page.value)) take_task(task);
                       return true;
                     });
  }

  void take_task(const json::Value& task) {
    auto& seen = sight_.tasks[text_at(task, "id")];
    seen.slot = integer_at(task, "taskContext/task.index");
    seen.state = text_at(task, "status/state");
  }

  Result<void> follow() {
    SseReader reader;
    heard_ = false;
    const Moment began = context_.io.clock.steady();
    const milliseconds idle = idle_timeout();
    auto outcome = client_.stream(
        "/api/v3/jobs/" + job_ + "/events", {},
        [&](std::string_view bytes) {
          heard_ = true;
          const bool goes_on = reader.feed(bytes, [&](const SseEvent& event) { return take(event); });
          return goes_on && !(is_due() && is_over());
        },
        idle);
    timed_out_ = !outcome.ok() && context_.io.clock.steady() - began >= idle;
    return outcome;
  }

  bool take(const SseEvent& event) {
    const auto value = json::parse(event.data);
    if (!value.ok()) return true;
    if (auto state = text_at(value.value(), "jobState"); !state.empty()) sight_.state = std::move(state);
    if (const auto task = text_at(value.value(), "taskId"); !task.empty()) {
      auto& seen = sight_.tasks[task];
      seen.slot = integer_at(value.value(), "slot");
      if (auto state = text_at(value.value(), "taskState"); !state.empty()) seen.state = std::move(state);
    }
    return !is_over();
  }

  bool is_over() {
    const Next next = look_(sight_);
    stopped_ = std::holds_alternative<Stop>(next);
    if (!stopped_) again_ = std::get<LookAgain>(next).at;
    return stopped_;
  }
  bool is_due() const { return again_ && context_.io.clock.steady() >= *again_; }
  milliseconds idle_timeout() const {
    if (!again_) return watch_idle_max;
    const auto left = std::chrono::ceil<milliseconds>(*again_ - context_.io.clock.steady());
    return std::clamp<milliseconds>(left, idle_shortest, watch_idle_max);
  }

  Context& context_;
  CellClient client_;
  const std::string& job_;
  const Look& look_;
  JobSight sight_;
  std::optional<Moment> again_;
  bool stopped_ = false;
  bool heard_ = false;
  bool timed_out_ = false;
};

}  // namespace

Result<void> watch_job(Context& context, const std::string& job, const Look& look) {
  return Watch(context, job, look).run();
}

}  // namespace troupe::cli
