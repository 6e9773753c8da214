#include <CLI/CLI.hpp>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_init(CLI::App& jobs, Context& context) {
  auto* init = jobs.add_subcommand("init", "Write a descriptor to begin with, with comments");
  auto args = std::make_shared<JobInit>();
  init->add_option("file", args->file, "where to; - or nothing: to stdout. A file that exists is kept")
      ->capture_default_str();
  init->add_flag("--service", args->is_service, "a service instead of a batch job");
  init->footer("Examples:\n  troupe job init encode.yaml\n  troupe job init --service | less");
  init->callback([args, &context] { finish_with(job_init(context, *args)); });
}

void add_validate(CLI::App& jobs, Context& context) {
  auto* validate = jobs.add_subcommand("validate", "Check a descriptor; asks no cell");
  auto file = std::make_shared<std::string>();
  validate->add_option("file", *file, "a descriptor in JSON or YAML; - reads from stdin")->required();
  validate->footer("Example:\n  troupe job validate encode.yaml && troupe job submit encode.yaml");
  validate->callback([file, &context] { finish_with(job_validate(context, *file)); });
}

void add_processes(CLI::App& jobs, Context& context) {
  auto* sub = jobs.add_subcommand("processes", "Hold back changes of a service's desired size, or no more");
  auto args = std::make_shared<JobProcesses>();
  sub->add_option("job", args->job, "the job's id, or its beginning")->required();
  sub->add_flag("--disable-increase", args->holds_increase, "it may not grow");
  sub->add_flag("--disable-decrease", args->holds_decrease, "it may not shrink");
  sub->footer("Examples:\n  troupe job processes 6f1c2a --disable-decrease\n  troupe job processes 6f1c2a");
  sub->callback([args, &context] { finish_with(job_processes(context, *args)); });
}

void add_budget(CLI::App& jobs, Context& context) {
  auto* sub = jobs.add_subcommand("budget", "How much of a job may be disrupted");
  auto args = std::make_shared<JobBudget>();
  sub->add_option("job", args->job, "the job's id, or its beginning")->required();
  sub->add_option("file", args->file, "a disruption budget in JSON or YAML; - reads from stdin")->required();
  sub->footer("Example:\n  echo 'selfManaged: {relocationTimeMs: 60000}' | troupe job budget 6f1c2a -");
  sub->callback([args, &context] { finish_with(job_budget(context, *args)); });
}

struct JobAct {
  const char* name;
  const char* help;
  int (*of_one)(Context&, const std::string&);
  int (*of_many)(Context&, const BulkArgs&);
};

int act_on_jobs(Context& context, const JobAct& act, const std::string& job, const BulkArgs& args) {
  if (!args.where.empty()) return act.of_many(context, args);
  if (!job.empty() && !args.is_dry_run) return act.of_one(context, job);
  context.io.err << (job.empty() ? "troupe: name the job, or select jobs with --where CONDITION\n"
                                 : "troupe: --dry-run goes with --where CONDITION\n");
  return exit_usage;
}

void add_job_act(CLI::App& jobs, Context& context, const JobAct& act) {
  auto* sub = jobs.add_subcommand(act.name, act.help);
  auto id = std::make_shared<std::string>();
  auto args = std::make_shared<BulkArgs>();
  auto* job = sub->add_option("job", *id, "the job's id, or its beginning");
  auto* where = add_bulk(*sub, *args, "job");
  job->excludes(where);
  where->excludes(job);
  const std::string begin = "  troupe job " + std::string(act.name);
  sub->footer(
      "With --where it needs --reason TEXT, for the audit. Interrupted, it says how far it came.\n"
      "Examples:\n" +
      begin + " 6f1c2a\n" + begin +
      " --where 'jobDescriptor.applicationName = encode and jobDescriptor.service.enabled is set' "
      "--reason INC-7 --dry-run");
  sub->callback([id, args, act, &context] { finish_with(act_on_jobs(context, act, *id, *args)); });
}

}  // namespace

void add_job_acts(CLI::App& jobs, Context& context) {
  add_job_act(jobs, context,
              {"kill", "End a job and its tasks, or all that a condition selects", job_kill, jobs_kill});
  add_job_act(
      jobs, context,
      {"enable", "Mark a service as in service, or all that a condition selects", job_enable, jobs_enable});
  add_job_act(jobs, context,
              {"disable", "Mark a service as out of service, or all that a condition selects; tasks run on",
               job_disable, jobs_disable});
  add_job_act(jobs, context,
              {"retry",
               "Try again at once what waits in a job, or in all that a condition selects; their budgets of "
               "relaunches are full again",
               job_retry, jobs_retry});
}

void add_attributes(CLI::App& group, Context& context, const std::string& what,
                    int (*command)(Context&, const AttributesEdit&)) {
  auto* sub = group.add_subcommand("attributes", "Put attributes on a " + what + ", or take them away");
  auto args = std::make_shared<AttributesEdit>();
  sub->add_option(what, args->id, "the " + what + "'s id, or its beginning")->required();
  sub->add_option("--put", args->put, "NAME=VALUE; may be repeated")->allow_extra_args(false);
  sub->add_option("--remove", args->remove, "NAME; may be repeated")->allow_extra_args(false);
  sub->require_option(2, 0);
  sub->footer("Example:\n  troupe " + what + " attributes 6f1c2a --put stage=canary --remove old");
  sub->callback([args, &context, command] { finish_with(command(context, *args)); });
}

void add_job_change_options(CLI::App& jobs, Context& context) {
  add_init(jobs, context);
  add_validate(jobs, context);
  add_attributes(jobs, context, "job", job_attributes);
  add_processes(jobs, context);
  add_budget(jobs, context);
}

}  // namespace troupe::cli
