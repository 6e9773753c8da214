#include "actors/agent/oci/container_start.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "actors/agent/oci/cgroup_tree.hpp"
#include "actors/agent/oci/disk_image.hpp"
#include "actors/agent/oci/id_namespace.hpp"
#include "actors/agent/small_files.hpp"

namespace troupe::agent {
namespace {

using Stage = InitRecord::Stage;
constexpr std::size_t complaint_bytes_max = 2'048;

[[noreturn]] void give_up_at(int record_fd, Stage stage, int problem) {
  const InitRecord record{InitRecord::Kind::not_prepared, stage, problem};
  (void)!write(record_fd, &record, sizeof record);
  _exit(127);
}

/// A view of a layer in which its owners are the container's. The layer itself is shared and stays as it is.
Fd mapped_layer(const std::string& layer, const Fd& ids) {
  Fd tree(open_tree(AT_FDCWD, layer.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  attributes.userns_fd = static_cast<std::uint64_t>(ids.get());
  if (tree.is_open() && mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    const int problem = errno;
    tree.reset();
    errno = problem;
  }
  return tree;
}

bool mount_root(const TaskFolder& folder, const ContainerPlan& plan, const std::vector<Fd>& layers) {
  const std::string writable =
      plan.disk_image.empty() ? (folder.path / "work").string() : std::string(stage_folder) + "/disk";
  const std::string upper = writable + "/upper", scratch = writable + "/overlay";
  if (mkdir(upper.c_str(), 0755) != 0 || mkdir(scratch.c_str(), 0700) != 0) return false;
  if (chown(upper.c_str(), plan.uid_first, plan.uid_first) != 0 || chmod(upper.c_str(), 0755) != 0)
    return false;
  std::string options = "upperdir=" + upper + ",workdir=" + scratch + ",lowerdir=";
  for (std::size_t i = layers.size(); i > 0; --i)  // Overlay wants the topmost first.
    options += "/proc/self/fd/" + std::to_string(layers[i - 1].get()) + (i > 1 ? ":" : "");
  const std::string root = std::string(stage_folder) + "/rootfs";
  return mount("overlay", root.c_str(), "overlay", MS_NODEV, options.c_str()) == 0;
}

/// A small file system that only this namespace sees: with it go the runtime's state and the mounts below it.
bool mount_stage(const TaskFolder& folder, const ContainerPlan& plan) {
  const std::string stage = stage_folder;
  if (mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  if (mount("tmpfs", stage.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=4m") != 0) return false;
  for (const char* below : {"/rootfs", "/bundle", "/crun", "/disk", "/devices"})
    if (mkdir((stage + below).c_str(), 0755) != 0) return false;
  // In the bundle, because hooks look for it there.
  const std::string config = stage + "/bundle/config.json";
  const Fd init(open((stage + "/init").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
  const Fd text(open(config.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return init.is_open() && text.is_open() &&
         mount(plan.init.c_str(), (stage + "/init").c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         mount((folder.path / "config.json").c_str(), config.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

/// Nodes of our own making: they belong to the host's root, who is nobody inside, so that no container can
/// change what it may do with them.
int make_nodes(const std::vector<DeviceNode>& nodes) {
  const std::string at = std::string(stage_folder) + "/devices";
  if (nodes.empty()) return 0;
  if (mount("tmpfs", at.c_str(), "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=1m") != 0) return errno;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const DeviceNode& node = nodes[i];
    const std::string path = staged_node(i);
    const dev_t numbers = makedev(static_cast<unsigned>(node.major), static_cast<unsigned>(node.minor));
    if (mknod(path.c_str(), (node.is_block ? S_IFBLK : S_IFCHR) | node.mode, numbers) != 0 ||
        chmod(path.c_str(), node.mode) != 0)
      return errno;
  }
  return 0;
}

/// Attached nowhere yet, or still only a file. Returns 0 or errno.
int mount_disk(const ContainerPlan& plan, const Fd& ready) {
  const std::string at = std::string(stage_folder) + "/disk";
  if (plan.disk_image.empty()) return 0;
  if (!ready.is_open()) return mount_disk_image(plan.disk_image, at);
  return move_mount(ready.get(), "", AT_FDCWD, at.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0 ? 0 : errno;
}

void prepare_root(const TaskFolder& folder, const ContainerPlan& plan, const ReadyFds& ready, int record_fd) {
  const Fd own_ids = ready.ids.is_open() ? Fd() : make_id_namespace(plan.uid_first, plan.uid_count);
  const Fd& ids = ready.ids.is_open() ? ready.ids : own_ids;
  if (!ids.is_open()) give_up_at(record_fd, Stage::ids, errno);
  if (unshare(CLONE_NEWNS) != 0 || !mount_stage(folder, plan)) give_up_at(record_fd, Stage::session, errno);
  std::vector<Fd> layers;
  for (const std::string& layer : plan.layers) {
    layers.push_back(mapped_layer(layer, ids));
    if (!layers.back().is_open()) give_up_at(record_fd, Stage::layers, errno);
  }
  if (const int problem = mount_disk(plan, ready.disk); problem != 0)
    give_up_at(record_fd, Stage::disk, problem);
  if (const int problem = make_nodes(plan.nodes); problem != 0)
    give_up_at(record_fd, Stage::devices, problem);
  if (!mount_root(folder, plan, layers)) give_up_at(record_fd, Stage::root, errno);
  // With controllers of v2 beside v1 in sight, crun refuses to run anything at all.
  if (!plan.cgroups.hidden.empty() && umount2(plan.cgroups.hidden.c_str(), MNT_DETACH) != 0)
    give_up_at(record_fd, Stage::session, errno);
}

struct ContainerChildPlan {
  pid_t parent;
  Birth birth;
  int output, error, record;
};

[[noreturn]] void become_runtime(const TaskFolder& folder, const ContainerPlan& plan, const ReadyFds& ready,
                                 const ContainerChildPlan& child) {
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up_at(child.record, Stage::session, errno);
  if (getppid() != child.parent) _exit(127);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(022);
  if (const int problem = join_cgroups(plan.cgroups, child.birth); problem != 0)
    give_up_at(child.record, Stage::cgroups, problem);
  prepare_root(folder, plan, ready, child.record);
  // An input at its end, but not /dev/null: crun gives its input to the container's user, and that device is
  // the whole machine's.
  int input[2];
  if (pipe(input) != 0 || dup2(input[0], 0) < 0 || close(input[1]) != 0 || dup2(child.output, 1) < 0 ||
      dup2(child.error, 2) < 0)
    give_up_at(child.record, Stage::session, errno);
  if (child.record != init_record_fd && dup2(child.record, init_record_fd) < 0)
    give_up_at(child.record, Stage::session, errno);
  fcntl(init_record_fd, F_SETFD, 0);
  syscall(SYS_close_range, static_cast<unsigned>(init_record_fd + 1), ~0U, CLOSE_RANGE_CLOEXEC);
  const std::string stage = stage_folder;
  std::vector<std::string> argv{plan.runtime,
                                "--root=" + stage + "/crun",
                                "--cgroup-manager=disabled",
                                "--log=" + (folder.path / "runtime.log").string(),
                                "run",
                                "--detach",
                                "--preserve-fds=1",
                                "--bundle=" + stage + "/bundle",
                                "--pid-file=" + (folder.path / "container.pid").string(),
                                plan.name};
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  char* no_env[] = {nullptr};
  execve(pointers[0], pointers.data(), no_env);
  give_up_at(init_record_fd, Stage::runtime, errno);
}

std::string stage_text(Stage stage) {
  switch (stage) {
    case Stage::cgroups:
      return "join its control groups";
    case Stage::session:
      return "make its mount namespace";
    case Stage::ids:
      return "make its range of user ids";
    case Stage::layers:
      return "map its layers";
    case Stage::disk:
      return "mount its disk";
    case Stage::devices:
      return "make its devices";
    case Stage::root:
      return "mount its root";
    case Stage::runtime:
      return "start the container runtime";
  }
  return "begin";
}

TaskReport end_with(const ContainerSpec& spec, Reason reason, std::string message) {
  TaskReport end;
  end.task = spec.task;
  end.state = TaskState::finished;
  end.reason = reason;
  end.message = std::move(message);
  return end;
}

}  // namespace

Result<ShimChild> start_container(const TaskFolder& folder, const ContainerPlan& plan,
                                  const ReadyFds& ready) {
  if (auto made = make_cgroups(plan.cgroups); !made.ok()) return made.error();
  int output[2], error[2], record[2];
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0 || pipe2(record, O_CLOEXEC) != 0)
    return Error{ErrorCode::io, std::string("cannot make pipes: ") + std::strerror(errno)};
  Fd child_ends[] = {Fd(output[1]), Fd(error[1]), Fd(record[1])};
  ShimChild child{-1, Fd(output[0]), Fd(error[0]), Fd(record[0])};
  for (const int fd : {output[0], error[0], record[0]}) fcntl(fd, F_SETFL, O_NONBLOCK);
  // Else the program could not open its own /dev/stdout: the pipe would belong to nobody it knows.
  const uid_t owner = plan.uid_first + plan.user;
  if (fchown(output[1], owner, owner) != 0 || fchown(error[1], owner, owner) != 0)
    return Error{ErrorCode::io, std::string("cannot hand over its output: ") + std::strerror(errno)};
  ContainerChildPlan ends{getpid(), Birth::outside, output[1], error[1], record[1]};
  const Forked forked = fork_into_core(plan.cgroups);
  child.pid = forked.pid;
  ends.birth = forked.birth;
  if (child.pid < 0) return Error{ErrorCode::io, std::string("cannot fork: ") + std::strerror(errno)};
  if (child.pid == 0) become_runtime(folder, plan, ready, ends);
  return child;
}

std::optional<pid_t> container_pid(const TaskFolder& folder) {
  const std::string text = text_of_file(folder.path / "container.pid", 32);
  pid_t pid = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (parsed.ec != std::errc{} || pid <= 1) return std::nullopt;
  return pid;
}

TaskReport runtime_failure(const ContainerSpec& spec, const std::string& complaint) {
  std::string text = complaint;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  if (text.empty()) text = "the container runtime failed without a word";
  return end_with(spec, Reason::local_system_error, "cannot start the container: " + text);
}

TaskReport container_failure(const TaskFolder& folder, const ContainerSpec& spec,
                             const std::optional<InitRecord>& record) {
  if (!record) return runtime_failure(spec, text_of_file(folder.path / "runtime.log", complaint_bytes_max));
  if (record->kind == InitRecord::Kind::not_started) {
    const std::string program = spec.argv.empty() ? "the image's program" : "'" + spec.argv.front() + "'";
    const bool is_hosts_fault = record->value == ENOMEM || record->value == EAGAIN || record->value == EIO;
    return end_with(spec, is_hosts_fault ? Reason::local_system_error : Reason::invalid_request,
                    "cannot run " + program + " in the container: " + std::strerror(record->value));
  }
  return end_with(
      spec, Reason::local_system_error,
      "cannot " + stage_text(record->stage) + " for the container: " + std::strerror(record->value));
}

void explain_oom(TaskReport& end, std::uint64_t kills, std::int64_t memory_mb) {
  if (kills == 0 || end.reason == Reason::killed) return;
  constexpr int killed_in_shell = 128 + SIGKILL;
  if (end.signal == SIGKILL || end.exit_code == killed_in_shell) {
    end.reason = Reason::failed;
    end.message = "OOMKilled: it needed more than its " + std::to_string(memory_mb) + " MiB of memory";
    return;
  }
  end.message += (end.message.empty() ? "" : "; ") + std::to_string(kills) +
                 " of its processes were killed for want of memory";
}

}  // namespace troupe::agent
