// `troupe job run`: a job as if it were a local command.

#include <algorithm>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_follow.hpp"
#include "cmd/troupe/cli_interrupt.hpp"
#include "cmd/troupe/cli_run_descriptor.hpp"
#include "cmd/troupe/cli_submit.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/cli_watch.hpp"

namespace troupe::cli {
namespace {

constexpr int signal_exit_base = 128;  // As shells tell a death by signal.

/// The task that decides a slot: its last one.
struct LastTask {
  std::string id;
  std::int64_t slot = 0;
  std::int64_t resubmits = -1;
  std::int64_t exit_code = 0;
  std::int64_t signal = 0;
  std::string reason;
  std::string message;
  bool is_good() const { return reason == "normal" && exit_code == 0 && signal == 0; }
};

LastTask last_task_of(const json::Value& task) {
  return {text_at(task, "id"),
          integer_at(task, "taskContext/task.index"),
          integer_at(task, "taskContext/task.resubmitNumber"),
          integer_at(task, "status/exitCode"),
          integer_at(task, "status/signal"),
          text_at(task, "status/reasonCode"),
          text_at(task, "status/reasonMessage")};
}

class Run {
 public:
  Run(Context& context, const JobRun& args)
      : context_(context),
        args_(args),
        client_(context.client()),
        follower_(context, args.size > 1 ? Prefix::slot : Prefix::none),
        guard_(context.io.signals, [this] { end_job(); }) {}

  int run() {
    const auto timeout = duration_of(args_.place_timeout);
    if (!timeout) return refuse("--place-timeout must be a time such as 30s or 5m");
    const auto body = run_descriptor(context_, args_);
    if (!body.ok()) return usage(body.error());
    const auto id = submit(client_, body.value(), new_key());
    if (!id.ok()) return report(context_.io.err, id.error());
    set_job(id.value());
    if (!args_.is_quiet) follower_.say("job " + job_);
    place_by_ = context_.io.clock.steady() + *timeout;
    const auto watched = watch_job(context_, job_, [this](const JobSight& sight) { return look(sight); });
    if (is_unplaced_) return give_up();
    if (!watched.ok()) return leave(watched.error());
    follower_.finish();
    return conclude();
  }

 private:
  int refuse(const std::string& why) {
    context_.io.err << "troupe: " << why << '\n';
    return exit_usage;
  }
  int usage(const Error& error) {
    report(context_.io.err, error);
    return exit_usage;
  }
  /// The job goes on without us.
  int leave(const Error& error) {
    follower_.finish();
    const int code = report(context_.io.err, error);
    context_.io.err << "  the job may still run: troupe job show " << job_ << '\n';
    return code;
  }

  void set_job(const std::string& id) {
    const std::lock_guard lock(job_mutex_);
    job_ = id;
  }
  /// On the guard's thread. A signal before the answer to the submission leaves nothing that could be ended.
  void end_job() {
    const std::lock_guard lock(job_mutex_);
    if (job_.empty()) return;
    follower_.say("ending job " + job_);
    context_.client().change("DELETE", "/api/v3/jobs/" + job_).ok();
  }

  Next look(const JobSight& sight) {
    for (const auto& [id, task] : sight.tasks) {
      const bool is_over = task.state == "Finished";
      if (is_over || task.state == "Started" || task.state == "KillInitiated") {
        follower_.follow(id, task.slot, Stream::standard_output);
        follower_.follow(id, task.slot, Stream::standard_error);
      }
      if (is_over) follower_.ended(id);
      if (task.state != "Accepted" && !task.state.empty()) was_placed_ = true;
      if (task.state == "Accepted") waiting_task_ = id;
    }
    if (sight.is_finished()) return Stop{};
    if (was_placed_) return LookAgain{};
    is_unplaced_ = context_.io.clock.steady() >= place_by_;
    return is_unplaced_ ? Next(Stop{}) : Next(LookAgain{place_by_});
  }

  /// Nothing was placed in time: says why, ends the job.
  int give_up() {
    follower_.finish();
    auto& err = context_.io.err;
    err << "troupe: job " << job_ << " was not placed within " << args_.place_timeout << '\n';
    print_reasons();
    const auto ended = client_.change("DELETE", "/api/v3/jobs/" + job_);
    if (ended.ok())
      err << "  the job was ended; try again later, with less, or with a longer --place-timeout\n";
    else
      report(err, ended.error());
    return exit_try_again;
  }

  void print_reasons() {
    auto& err = context_.io.err;
    if (waiting_task_.empty()) {
      err << "  it has no task yet\n";
      return;
    }
    const auto results = client_.get("/api/v3/scheduler/results/" + waiting_task_);
    if (!results.ok()) {
      err << "  why is not known: " << results.error().message << '\n';
      return;
    }
    const json::Value* failures = value_at(results.value().value, "failures/failures");
    if (!failures || !failures->array() || failures->array()->empty()) {
      err << "  no host was tried yet\n";
      return;
    }
    for (const auto& failure : *failures->array())
      err << "  " << text_at(failure, "failureCount") << " hosts: " << printable(text_at(failure, "reason"))
          << '\n';
  }

  int conclude() {
    const auto job = client_.get("/api/v3/jobs/" + job_);
    if (!job.ok()) return leave(job.error());
    const auto reason = text_at(job.value().value, "status/reasonCode");
    if (guard_.was_interrupted()) return exit_interrupted;
    if (reason == "normal") return exit_ok;
    const auto failed = first_failed_task();
    print_failure(job.value().value, failed);
    if (failed.signal != 0) return signal_exit_base + static_cast<int>(failed.signal);
    return failed.exit_code != 0 ? static_cast<int>(failed.exit_code) : exit_failed;
  }

  /// Of the lowest slot that did not end well.
  LastTask first_failed_task() {
    std::map<std::int64_t, LastTask> last;
    const auto walked = each_page(client_, "/api/v3/tasks?jobIds=" + job_ + "&taskStates=any&pageSize=1000",
                                  [&](const Answer& page) {
                                    for (const auto& item : items_of(page.value)) {
                                      const auto task = last_task_of(item);
                                      if (task.resubmits > last[task.slot].resubmits) last[task.slot] = task;
                                    }
                                    return true;
                                  });
    if (!walked.ok()) return {};
    const auto failed =
        std::find_if(last.begin(), last.end(), [](const auto& slot) { return !slot.second.is_good(); });
    return failed == last.end() ? LastTask{} : failed->second;
  }

  void print_failure(const json::Value& job, const LastTask& failed) {
    auto& err = context_.io.err;
    err << "troupe: job " << job_ << " failed: " << text_at(job, "status/reasonCode");
    if (const auto message = text_at(job, "status/reasonMessage"); !message.empty())
      err << ": " << printable(message);
    err << '\n';
    if (failed.id.empty()) return;
    err << "  task " << failed.id << " of slot " << failed.slot << ": " << failed.reason;
    if (!failed.message.empty()) err << ": " << printable(failed.message);
    err << '\n';
    const auto tail = follower_.tail(failed.id);
    if (tail.empty()) return;
    err << "  its last lines on stderr:\n";
    for (const auto& line : tail) err << "    " << printable(line) << '\n';
  }

  Context& context_;
  const JobRun& args_;
  CellClient client_;
  std::mutex job_mutex_;
  std::string job_;
  LogFollower follower_;
  InterruptGuard guard_;  ///< ends before what its thread uses
  Moment place_by_;
  std::string waiting_task_;
  bool was_placed_ = false;
  bool is_unplaced_ = false;
};

}  // namespace

int job_run(Context& context, const JobRun& args) { return Run(context, args).run(); }

}  // namespace troupe::cli
