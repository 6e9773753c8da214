#include "actors/agent/shim_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace troupe::agent {
namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void give_up(int failure_fd, ExecFailure::Stage stage) {
  const ExecFailure failure{stage, errno};
  (void)!write(failure_fd, &failure, sizeof failure);
  _exit(127);
}

struct ChildPlan {
  pid_t parent;
  std::string work;
  int output, error, failure;
  char** argv;
  char** env;
};

[[noreturn]] void become_program(const ChildPlan& plan) {
  using Stage = ExecFailure::Stage;
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(plan.failure, Stage::session);
  if (getppid() != plan.parent) _exit(127);  // The shim died before it was to take us along.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(022);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (chdir(plan.work.c_str()) != 0) give_up(plan.failure, Stage::folder);
  const int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.error, 2) < 0)
    give_up(plan.failure, Stage::output);
  syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  environ = plan.env;  // execvp looks for the program along the task's own PATH.
  execvp(plan.argv[0], plan.argv);
  give_up(plan.failure, Stage::program);
}

}  // namespace

std::string mark_of(const TaskId& task) { return "TROUPE_TASK_ID=" + to_text(task); }

std::vector<std::string> environment_of(const ContainerSpec& spec) {
  std::map<std::string, std::string> all = spec.env;
  all.try_emplace("PATH", default_path);
  const auto add = [&](const std::string& name, const std::string& value) {
    all["TITUS_" + name] = value;
    all["TROUPE_" + name] = value;
  };
  add("JOB_ID", to_text(spec.job));
  add("TASK_ID", to_text(spec.task));
  add("TASK_INSTANCE_ID", to_text(spec.task));
  add("TASK_INDEX", std::to_string(spec.slot));
  add("NUM_CPU", std::to_string((spec.resources.cpu_milli + 999) / 1000));
  add("NUM_MEM", std::to_string(spec.resources.memory_mb));
  add("NUM_DISK", std::to_string(spec.resources.disk_mb));
  add("NUM_GPU", std::to_string(spec.resources.gpu));
  add("NUM_NETWORK_BANDWIDTH", std::to_string(spec.resources.network_mbps));
  std::vector<std::string> list;
  for (const auto& [name, value] : all) list.push_back(name + "=" + value);
  return list;
}

std::string complaint_about(const ContainerSpec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty()) return "there is no program to run";
  for (const std::string& argument : spec.argv)
    if (has_nul(argument)) return "an argument holds a NUL byte";
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      return "the variable '" + name.substr(0, 64) + "' has no valid name or value";
  }
  return {};
}

Result<ShimChild> start_child(const TaskFolder& folder, const ContainerSpec& spec) {
  int output[2], error[2], failure[2];
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0 || pipe2(failure, O_CLOEXEC) != 0)
    return Error{ErrorCode::io, std::string("cannot make pipes: ") + std::strerror(errno)};
  Fd child_ends[] = {Fd(output[1]), Fd(error[1]), Fd(failure[1])};
  ShimChild child{-1, Fd(output[0]), Fd(error[0]), Fd(failure[0])};
  for (const int fd : {output[0], error[0], failure[0]}) fcntl(fd, F_SETFL, O_NONBLOCK);
  std::vector<std::string> argv = spec.argv, env = environment_of(spec);
  auto argv_pointers = pointers(argv), env_pointers = pointers(env);
  const ChildPlan plan{getpid(),   folder.path / "work", output[1],          error[1],
                       failure[1], argv_pointers.data(), env_pointers.data()};
  child.pid = fork();
  if (child.pid < 0) return Error{ErrorCode::io, std::string("cannot fork: ") + std::strerror(errno)};
  if (child.pid == 0) become_program(plan);
  return child;
}

TaskReport failure_report(const ContainerSpec& spec, const ExecFailure& failure) {
  TaskReport end;
  end.task = spec.task;
  end.state = TaskState::finished;
  const int number = failure.error;
  const bool is_program = failure.stage == ExecFailure::Stage::program;
  const bool is_hosts_fault =
      number == ENOMEM || number == EAGAIN || number == EMFILE || number == ENFILE || number == EIO;
  end.reason = is_program && !is_hosts_fault ? Reason::invalid_request : Reason::local_system_error;
  end.message =
      (is_program ? "cannot run '" + spec.argv.front() + "': " : "cannot prepare the program's process: ") +
      std::strerror(number);
  return end;
}

}  // namespace troupe::agent
