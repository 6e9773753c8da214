#include "actors/agent/oci/oci_driver.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "actors/agent/oci/bundle.hpp"
#include "actors/agent/oci/cgroup_tree.hpp"
#include "actors/agent/oci/container_plan.hpp"
#include "actors/agent/shim_child.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t mib = 1 << 20;
constexpr std::uint64_t open_files_wanted = 100'000;
// Below this the runtime itself could not make the container.
constexpr std::int64_t memory_mb_min = 16;

/// One path component that no other agent of this machine has: FNV-1a of where its folder is.
std::string own_cgroup_name(const std::string& folder) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const char c : fs::weakly_canonical(folder).string())
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  return "troupe-" + std::to_string(hash);
}

std::uint64_t open_files_allowed() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1'024;
  return std::min<std::uint64_t>(files.rlim_max, open_files_wanted);
}

bool can_make_user_namespaces() {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && status == 0;
}

TaskReport begun(const TaskId& task) {
  TaskReport report;
  report.task = task;
  report.state = TaskState::start_initiated;
  report.at = SystemClock().wall();
  return report;
}

std::string parent_of(const OciDriverConfig& config) {
  return config.cgroup_parent.empty() ? own_cgroup_name(config.tasks.root) : config.cgroup_parent;
}

}  // namespace

std::vector<std::string> OciDriver::lacks(const OciDriverConfig& config) {
  std::vector<std::string> all;
  if (geteuid() != 0) all.emplace_back("the agent must run as root");
  for (const std::string& program : {config.runtime, config.images.helper, config.tasks.shim_command.front()})
    if (access(program.c_str(), X_OK) != 0) all.push_back("there is no program " + program);
  if (config.tasks.shim_command.size() != 1)
    all.emplace_back("troupe-shim must stand beside the agent's program: it goes into the containers");
  if (!can_make_user_namespaces())
    all.emplace_back("the kernel makes no user namespaces for it: it forbids them, or this is a chroot");
  const auto layout = cgroups_of_this_machine();
  if (!layout.ok()) all.push_back(layout.error().message);
  if (layout.ok())
    for (const std::string& controller : missing_controllers(layout.value()))
      all.push_back("no control group hierarchy has the controller " + controller);
  for (const std::string& folder : config.image_folders)
    if (!fs::is_directory(folder)) all.push_back("there is no folder of images " + folder);
  for (const RegistrySettings& one : config.registries.registries.registries)
    for (const std::string& file : {one.ca_file, one.credentials_file})
      if (!file.empty() && access(file.c_str(), R_OK) != 0)
        all.push_back("there is no file " + file + " for the registry " + one.name);
  return all;
}

Result<std::unique_ptr<OciDriver>> OciDriver::open(OciDriverConfig config) {
  std::string why;
  for (const std::string& lack : lacks(config)) why.append(why.empty() ? "" : "; ").append(lack);
  if (!why.empty())
    return Error{ErrorCode::invalid_argument, "the driver `oci` cannot run containers here: " + why};
  auto layout = cgroups_of_this_machine();
  if (!layout.ok()) return layout.error();
  std::error_code problem;
  fs::create_directories(stage_folder, problem);
  if (problem)
    return Error{ErrorCode::io, std::string("cannot make ") + stage_folder + ": " + problem.message()};
  fs::create_directories(config.tasks.root, problem);
  config.cgroup_parent = parent_of(config);
  if (config.registries.folder.empty()) config.registries.folder = config.images.folder + "/parts";
  std::unique_ptr<OciDriver> driver(new OciDriver(std::move(config), std::move(layout).value()));
  if (auto opened = driver->images_.open(); !opened.ok()) return opened.error();
  if (auto opened = driver->registries_.open(); !opened.ok()) return opened.error();
  return driver;
}

OciDriver::OciDriver(OciDriverConfig config, CgroupLayout layout)
    : config_(std::move(config)),
      layout_(std::move(layout)),
      layouts_(config_.image_folders),
      registries_(config_.registries, clock_, Random::from_system()),
      source_(layouts_, registries_),
      images_(config_.images, source_),
      uids_(config_.uid_first, config_.uid_ranges),
      tasks_([this] {
        ProcessDriverConfig tasks = config_.tasks;
        tasks.end_orphans = [this](const TaskId& task, const TaskFolder&) { return end_orphans(task); };
        return tasks;
      }()) {}

OciDriver::~OciDriver() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (!leases_.empty()) return;  // Their shims live on, perhaps about to make their groups.
  for (const std::string& parent : cgroup_parents(layout_, config_.cgroup_parent)) rmdir(parent.c_str());
}

// ---- what an earlier life left ----
std::vector<TaskId> OciDriver::adopt(Listener listener) {
  listener_ = std::move(listener);
  adopt_leases();
  std::vector<TaskId> known = tasks_.adopt([this](DriverEvent event) {
    if (event.report.state == TaskState::start_initiated) return;  // Said already, before its image was here.
    if (event.report.state == TaskState::finished) settle(event.report.task);
    listener_(std::move(event));
  });
  sweep_cgroups(known);
  for (std::size_t i = 0; i < config_.preparing_threads; ++i) threads_.emplace_back([this] { work(); });
  return known;
}

void OciDriver::adopt_leases() {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(config_.tasks.root + "/tasks", problem)) {
    const auto task = parse_uuid<TaskId>(entry.path().filename().string());
    const TaskFolder folder{entry.path()};
    const auto plan = task.ok() ? read_container(folder) : std::nullopt;
    if (!plan || folder.read_exit()) continue;
    const std::lock_guard lock(mutex_);
    uids_.adopt(task.value(), plan->uid_first);
    leases_[task.value()] = plan->layers;
    images_.pin(plan->layers);
  }
}

void OciDriver::sweep_cgroups(const std::vector<TaskId>& known) {
  const auto parents = cgroup_parents(layout_, config_.cgroup_parent);
  for (const std::string& name : names_below(parents)) {
    const auto task = parse_uuid<TaskId>(name);
    if (task.ok() && std::find(known.begin(), known.end(), task.value()) != known.end()) continue;
    std::vector<std::string> folders;
    for (const std::string& parent : parents) folders.push_back(parent + "/" + name);
    (void)remove_cgroups(folders);
  }
}

std::size_t OciDriver::end_orphans(const TaskId& task) const {
  std::vector<std::string> folders;
  for (const std::string& parent : cgroup_parents(layout_, config_.cgroup_parent))
    folders.push_back(parent + "/" + to_text(task));
  // By name, too: a shim may have died before it had its container's groups.
  return remove_cgroups(folders) + kill_marked(mark_of(task));
}

void OciDriver::settle(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  uids_.release(task);
  const auto lease = leases_.find(task);
  if (lease == leases_.end()) return;
  images_.unpin(lease->second);
  leases_.erase(lease);
}

// ---- new ones ----
void OciDriver::launch(const ContainerSpec& spec) {
  {
    const std::lock_guard lock(mutex_);
    if (!preparing_.emplace(spec.task, Preparing{spec, std::nullopt}).second) return;
    waiting_.push_back(spec.task);
  }
  listener_({begun(spec.task)});
  changed_.notify_one();
}

void OciDriver::stop(const TaskId& task, milliseconds grace) {
  const std::lock_guard lock(mutex_);
  if (const auto found = preparing_.find(task); found != preparing_.end())
    found->second.stop_with = grace;
  else
    tasks_.stop(task, grace);
}

void OciDriver::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    const ContainerSpec spec = preparing_.at(waiting_.front()).spec;
    waiting_.pop_front();
    lock.unlock();
    prepare_and_launch(spec);
    lock.lock();
  }
}

void OciDriver::prepare_and_launch(const ContainerSpec& spec) {
  tasks_.launch_prepared(spec, [&](const TaskFolder& folder) { return prepare(spec, folder); });
  const std::lock_guard lock(mutex_);
  const auto found = preparing_.find(spec.task);
  // Only now do stops go to the shim, which has been ordered.
  const auto stop_with = found->second.stop_with;
  preparing_.erase(found);
  if (stop_with) tasks_.stop(spec.task, *stop_with);
}

Result<void> OciDriver::still_wanted(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  if (preparing_.at(task).stop_with)
    return Error{ErrorCode::conflict, "stopped before its container was made"};
  if (is_stopping_) return Error{ErrorCode::unavailable, "the agent ended before its container was made"};
  return {};
}

Result<void> OciDriver::prepare(const ContainerSpec& spec, const TaskFolder& folder) {
  ContainerSpec checked = spec;
  if (checked.argv.empty()) checked.argv = {"the image's own"};
  if (const std::string complaint = complaint_about(checked); !complaint.empty())
    return Error{ErrorCode::invalid_argument, complaint};
  if (spec.resources.gpu > 0) return Error{ErrorCode::unavailable, "this host's driver has no gpu to give"};
  if (const auto unwanted = still_wanted(spec.task); !unwanted.ok()) return unwanted;
  auto image = images_.ensure(spec.image, [&] { return still_wanted(spec.task); });
  if (!image.ok()) return Error{image.error().code, "image " + spec.image + ": " + image.error().message};
  {
    const std::lock_guard lock(mutex_);
    leases_[spec.task] = image.value().layers;
  }
  if (image.value().was_fetched) images_.trim();
  if (const auto unwanted = still_wanted(spec.task); !unwanted.ok()) return unwanted;
  auto wishes = bundle_wishes(spec, image.value().config);
  if (!wishes.ok()) return wishes.error();
  auto plan = plan_of(spec, image.value(), wishes.value().user);
  if (!plan.ok()) return plan.error();
  wishes.value().uid_first = plan.value().uid_first;
  wishes.value().uid_count = plan.value().uid_count;
  wishes.value().open_files_max = open_files_allowed();
  return write_container(folder, plan.value(), bundle_config(wishes.value()));
}

Result<ContainerPlan> OciDriver::plan_of(const ContainerSpec& spec, const ReadyImage& image,
                                         std::uint32_t user) {
  ContainerPlan plan;
  plan.name = to_text(spec.task);
  plan.layers = image.layers;
  plan.user = user;
  plan.uid_count = uids_per_container;
  plan.memory_mb = std::max(spec.resources.memory_mb, memory_mb_min);
  plan.runtime = config_.runtime;
  plan.init = config_.tasks.shim_command.front();
  plan.cgroups = cgroup_plan(layout_, config_.cgroup_parent, plan.name,
                             {spec.resources.cpu_milli, plan.memory_mb * mib, config_.pids_max});
  const std::lock_guard lock(mutex_);
  const auto first = uids_.take(spec.task);
  if (!first) return Error{ErrorCode::overloaded, "all ranges of user ids are taken"};
  plan.uid_first = *first;
  return plan;
}

}  // namespace troupe::agent
