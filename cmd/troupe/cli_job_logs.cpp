#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_follow.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/cli_watch.hpp"

namespace troupe::cli {
namespace {

bool is_running_or_over(const std::string& state) {
  return state == "Started" || state == "KillInitiated" || state == "Finished";
}

/// Hands the tasks that have output to the follower.
class LogSelection {
 public:
  LogSelection(LogFollower& follower, const JobLogs& args) : follower_(follower), args_(args) {}

  void take(const std::string& task, std::int64_t slot, const std::string& state) {
    if ((args_.slot && *args_.slot != slot) || !is_running_or_over(state)) return;
    follower_.follow(task, slot, args_.wants_stderr ? Stream::standard_error : Stream::standard_output);
    if (!args_.follows || state == "Finished") follower_.ended(task);
  }

 private:
  LogFollower& follower_;
  const JobLogs& args_;
};

Result<void> take_what_is_there(CellClient& client, const std::string& job, LogSelection& selection) {
  return each_page(client, "/api/v3/tasks?jobIds=" + job + "&taskStates=any&pageSize=1000",
                   [&](const Answer& page) {
                     for (const auto& task : items_of(page.value))
                       selection.take(text_at(task, "id"), integer_at(task, "taskContext/task.index"),
                                      text_at(task, "status/state"));
                     return true;
                   });
}

Result<void> take_what_comes(Context& context, const std::string& job, LogSelection& selection) {
  return watch_job(context, job, [&](const JobSight& sight) -> Next {
    for (const auto& [id, task] : sight.tasks) selection.take(id, task.slot, task.state);
    return sight.is_finished() ? Next(Stop{}) : Next(LookAgain{});
  });
}

/// One slot's output stands alone; of several, each line says whose it is.
Result<Prefix> prefix_for(CellClient& client, const std::string& job, const JobLogs& args) {
  if (args.slot) return Prefix::none;
  const auto answer = client.get("/api/v3/jobs/" + job);
  if (!answer.ok()) return answer.error();
  return integer_at(answer.value().value, "jobDescriptor/batch/size") == 1 ? Prefix::none : Prefix::slot;
}

}  // namespace

int job_logs(Context& context, const JobLogs& args) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, args.job);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto prefix = prefix_for(client, id.value(), args);
  if (!prefix.ok()) return report(context.io.err, prefix.error());
  LogFollower follower(context, prefix.value());
  LogSelection selection(follower, args);
  const auto taken = args.follows ? take_what_comes(context, id.value(), selection)
                                  : take_what_is_there(client, id.value(), selection);
  follower.finish();
  return taken.ok() ? exit_ok : report(context.io.err, taken.error());
}

}  // namespace troupe::cli
