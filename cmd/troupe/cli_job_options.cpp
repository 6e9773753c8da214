#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t size_max = 1000;

void add_run_resources(CLI::App& run, JobRun& args) {
  run.add_option("--cpu", args.cpu,
                 "cpus of each task, at most three decimals; the cell's default if absent");
  run.add_option("--memory", args.memory, "memory of each task in MB");
  run.add_option("--disk", args.disk, "disk of each task in MB");
  run.add_option("--network", args.network, "network of each task in Mbit/s");
  run.add_option("--gpu", args.gpu, "gpus of each task");
  run.add_option("--ports", args.ports, "ports of its host for each task, told as TROUPE_PORT_0 and so on");
}

void add_run(CLI::App& jobs, Context& context) {
  auto* run = jobs.add_subcommand("run", "Run a command as a batch job, show its output, exit as it does");
  auto args = std::make_shared<JobRun>();
  run->add_option("--name", args->name, "name of the application; the program's name if absent");
  add_run_resources(*run, *args);
  run->add_option("--image", args->image,
                  "NAME:TAG or NAME@DIGEST: in a container; else a plain process of a host");
  run->add_option("--env", args->env, "NAME=VALUE for the command; may be repeated")->allow_extra_args(false);
  run->add_option("--attribute", args->attributes, "NAME=VALUE on the job; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--constraint", args->constraints, "hard constraint NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--size", args->size,
                  "tasks side by side; each line is prefixed with [slot] when more than one")
      ->check(CLI::Range(std::uint32_t{1}, size_max))
      ->capture_default_str();
  run->add_option("--retries", args->retries, "how often a failed task is tried again")
      ->capture_default_str();
  run->add_option("--runtime-limit", args->runtime_limit, "longest run of a task, such as 90s or 2h");
  run->add_option("--place-timeout", args->place_timeout,
                  "how long to wait for a first place; then the job is ended and the exit code is 75")
      ->capture_default_str();
  run->add_option("--team-email", args->team_email, "whom to ask about the job; user@host if absent");
  run->add_option("--capacity-group", args->capacity_group, "capacity group; DEFAULT if absent");
  run->add_flag("--quiet,-q", args->is_quiet, "do not print the job's id to stderr");
  run->add_option("command", args->command, "the command and its arguments, after --")->required();
  run->footer(
      "Examples:\n"
      "  troupe job run -- echo hello\n"
      "  troupe job run --image busybox:latest -- echo hello\n"
      "  troupe job run --cpu 2 --memory 512 --env LEVEL=7 -- ./encode --fast film.mkv\n"
      "  troupe job run --size 10 --retries 2 -- sh -c 'work $TITUS_TASK_INSTANCE_ID'\n"
      "Interrupting it (Ctrl-C) ends the job.");
  run->callback([args, &context] { finish_with(job_run(context, *args)); });
}

void add_submit(CLI::App& jobs, Context& context) {
  auto* submit = jobs.add_subcommand("submit", "Submit a job from a file");
  auto args = std::make_shared<JobSubmit>();
  submit->add_option("file", args->file, "a Titus v3 job descriptor in JSON or YAML; - reads from stdin")
      ->required();
  submit->add_flag("--quiet,-q", args->is_quiet, "print the id only");
  submit->add_option("--idempotency-key", args->key,
                     "submissions with the same key make one job; a new key if absent");
  submit->footer(
      "Examples:\n"
      "  troupe job submit encode.yaml\n"
      "  id=$(troupe job submit --quiet encode.json)\n"
      "  generate | troupe job submit --idempotency-key film-42 -");
  submit->callback([args, &context] { finish_with(job_submit(context, *args)); });
}

void add_plan(CLI::App& jobs, Context& context) {
  auto* plan = jobs.add_subcommand("plan", "Say where a job's tasks would go, and whom that would end");
  auto args = std::make_shared<JobPlan>();
  auto* file = plan->add_option("file", args->file, "a job descriptor in JSON or YAML; - reads from stdin");
  auto* job = plan->add_option("--resize", args->job, "a service that lives, instead of a file");
  auto* desired = plan->add_option("--desired", args->desired, "its new size")->check(CLI::NonNegativeNumber);
  job->needs(desired)->excludes(file);
  desired->needs(job);
  plan->add_flag("--submit", args->submits,
                 "then submit, or resize, exactly so; refused if that has changed");
  plan->add_flag("--all", args->needs_all, "with --submit: only if no task would wait");
  plan->footer(
      "Examples:\n"
      "  troupe job plan encode.yaml\n"
      "  troupe job plan encode.yaml --submit --all\n"
      "  troupe job plan --resize 6f1c2a --desired 20");
  plan->callback([args, &context] {
    if (args->file.empty() && args->job.empty()) throw CLI::RequiredError("file or --resize");
    finish_with(job_plan(context, *args));
  });
}

void add_list(CLI::App& jobs, Context& context) {
  auto* list = jobs.add_subcommand("ls", "List the jobs that live");
  auto args = std::make_shared<JobList>();
  list->add_option("--state", args->state, "Accepted or KillInitiated");
  add_where(*list, args->where, "a condition, such as 'status.timestamp < 1h ago'");
  list->add_option("--app", args->application, "only this application's");
  list->add_option("--page-size", args->page_size, "jobs of one page")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  list->add_flag("--all-pages", args->wants_all_pages, "every page; with --json one object per line");
  list->footer(
      "Examples:\n  troupe job ls --app encode\n  troupe job ls --all-pages --json\n"
      "  troupe job ls --where 'jobDescriptor.batch.size > 100 and summary.tasks.started = 0'");
  list->callback([args, &context] { finish_with(job_list(context, *args)); });
}

void add_logs(CLI::App& jobs, Context& context) {
  auto* logs = jobs.add_subcommand("logs", "Show the output of a job's tasks");
  auto args = std::make_shared<JobLogs>();
  logs->add_option("job", args->job, "the job's id, or its beginning")->required();
  logs->add_flag("--follow,-f", args->follows, "go on until the job has finished");
  logs->add_flag("--stderr", args->wants_stderr, "stderr instead of stdout (to our stderr)");
  logs->add_option("--slot", args->slot, "only this slot's, without prefix")->check(CLI::NonNegativeNumber);
  logs->footer("Examples:\n  troupe job logs 6f1c2a --follow\n  troupe job logs 6f1c2a --slot 3 --stderr");
  logs->callback([args, &context] { finish_with(job_logs(context, *args)); });
}

void add_scale(CLI::App& jobs, Context& context) {
  auto* scale = jobs.add_subcommand("scale", "Change the size of a service; what is not given stays");
  auto args = std::make_shared<JobScale>();
  scale->add_option("job", args->job, "the job's id, or its beginning")->required();
  scale->add_option("--min", args->min, "smallest size")->check(CLI::NonNegativeNumber);
  scale->add_option("--desired", args->desired, "size")->check(CLI::NonNegativeNumber);
  scale->add_option("--max", args->max, "largest size")->check(CLI::NonNegativeNumber);
  scale->require_option(2, 0);
  scale->footer("Example:\n  troupe job scale 6f1c2a --desired 5 --max 10");
  scale->callback([args, &context] { finish_with(job_scale(context, *args)); });
}

void add_wait(CLI::App& jobs, Context& context) {
  auto* wait =
      jobs.add_subcommand("wait", "Wait until a job has finished; 0 if well, 1 if not, 124 if not in time");
  auto args = std::make_shared<JobWait>();
  wait->add_option("job", args->job, "the job's id, or its beginning")->required();
  wait->add_option("--timeout", args->timeout, "such as 90s or 2h; without limit if absent");
  wait->footer("Example:\n  troupe job wait $id --timeout 1h && echo done");
  wait->callback([args, &context] { finish_with(job_wait(context, *args)); });
}

}  // namespace

void finish_with(int exit_code) {
  if (exit_code != exit_ok) throw CLI::RuntimeError(exit_code);
}

void add_of_one(CLI::App& group, Context& context, const std::string& name, const std::string& help,
                int (*command)(Context&, const std::string&)) {
  const std::string& what = group.get_name();
  auto* sub = group.add_subcommand(name, help);
  auto id = std::make_shared<std::string>();
  sub->add_option(what, *id, "the " + what + "'s id, or its beginning")->required();
  sub->footer("Example:\n  troupe " + what + " " + name + " 6f1c2a");
  sub->callback([id, &context, command] { finish_with(command(context, *id)); });
}

void add_job_options(CLI::App& app, Context& context) {
  auto* jobs = app.add_subcommand(
      "job",
      "Jobs: init, validate, run, submit, plan, ls, show, logs, kill, scale, wait and what changes them");
  jobs->require_subcommand(1);
  add_run(*jobs, context);
  add_submit(*jobs, context);
  add_plan(*jobs, context);
  add_list(*jobs, context);
  add_of_one(*jobs, context, "show", "Show a job and its tasks", job_show);
  add_logs(*jobs, context);
  add_job_acts(*jobs, context);
  add_scale(*jobs, context);
  add_wait(*jobs, context);
  add_job_change_options(*jobs, context);
}

}  // namespace troupe::cli
