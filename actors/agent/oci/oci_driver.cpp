#include "actors/agent/oci/oci_driver.hpp"

#include <fcntl.h>
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
#include "storage/model/isolation.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t open_files_wanted = 100'000;
// Below this the runtime itself could not make the container.
constexpr std::int64_t memory_mb_min = 16;
constexpr std::int64_t disk_mb_min = 16;

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

/// Whoever reads it sees the old text or the new one. Best effort: the next look writes again.
void write_whole(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.is_open() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    rename(fresh.c_str(), path.c_str());
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
  if (config.disks_folder.empty())
    config.disks_folder = fs::path(config.images.folder).replace_filename("disks").string();
  auto devices = read_cdi_folders(config.cdi_folders);
  if (!devices.ok()) return devices.error();
  std::unique_ptr<OciDriver> driver(
      new OciDriver(std::move(config), std::move(layout).value(), std::move(devices).value()));
  if (auto chosen = driver->choose_quota(); !chosen.ok()) return chosen.error();
  driver->ready_.emplace(driver->quota_ == DiskQuota::loop ? &driver->disks_ : nullptr);
  if (auto opened = driver->images_.open(); !opened.ok()) return opened.error();
  if (auto opened = driver->registries_.open(); !opened.ok()) return opened.error();
  return driver;
}

OciDriver::OciDriver(OciDriverConfig config, CgroupLayout layout, std::vector<Device> devices)
    : config_(std::move(config)),
      layout_(std::move(layout)),
      layouts_(config_.image_folders),
      registries_(config_.registries, clock_, Random::from_system()),
      source_(layouts_, registries_),
      images_(config_.images, source_),
      disks_(config_.disks_folder, config_.make_disk),
      fitness_(config_.probes),
      uids_(config_.uid_first, config_.uid_ranges),
      devices_(std::move(devices), config_.gpu_kind),
      tasks_([this] {
        ProcessDriverConfig tasks = config_.tasks;
        tasks.end_orphans = [this](const TaskId& task, const TaskFolder&) { return end_orphans(task); };
        return tasks;
      }()) {}

Result<void> OciDriver::choose_quota() {
  quota_ = config_.disk_quota;
  if (quota_ != DiskQuota::automatic && quota_ != DiskQuota::loop) return {};
  auto opened = disks_.open();
  if (!opened.ok() && quota_ == DiskQuota::loop) return opened;
  quota_ = opened.ok() ? DiskQuota::loop : DiskQuota::accounting;
  return {};
}

DriverOffers OciDriver::offers() const {
  DriverOffers offers{{"oci"}, {{"troupe.diskQuota", std::string(disk_quota_text(quota_))}}, devices_.gpus()};
  if (config_.allow_host_network) offers.drivers.emplace_back(host_network_driver);
  for (const auto& [kind, count] : devices_.kinds())
    offers.attributes["troupe.devices." + kind] = std::to_string(count);
  return offers;
}

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
  threads_.emplace_back([this] { watch(); });
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
    devices_.adopt(task.value(), plan->devices);
    const auto spec = folder.read_spec();
    running_[task.value()] = {spec.ok() ? spec.value().job : JobId{}, *plan};
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
  devices_.release(task);
  running_.erase(task);
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
  changed_.notify_all();
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

Result<ShimFds> OciDriver::prepare(const ContainerSpec& spec, const TaskFolder& folder) {
  ContainerSpec checked = spec;
  if (checked.argv.empty()) checked.argv = {"the image's own"};
  if (const std::string complaint = complaint_about(checked); !complaint.empty())
    return Error{ErrorCode::invalid_argument, complaint};
  if (const auto unwanted = still_wanted(spec.task); !unwanted.ok()) return unwanted.error();
  auto image = images_.ensure(spec.image, [&] { return still_wanted(spec.task); });
  if (!image.ok()) return Error{image.error().code, "image " + spec.image + ": " + image.error().message};
  {
    const std::lock_guard lock(mutex_);
    leases_[spec.task] = image.value().layers;
  }
  if (image.value().was_fetched) images_.trim();
  if (const auto unwanted = still_wanted(spec.task); !unwanted.ok()) return unwanted.error();
  auto wishes = bundle_wishes(spec, image.value().config);
  if (!wishes.ok()) return wishes.error();
  auto plan = plan_of(spec, image.value(), wishes.value().user);
  if (!plan.ok()) return plan.error();
  wishes.value().uid_first = plan.value().uid_first;
  wishes.value().uid_count = plan.value().uid_count;
  wishes.value().open_files_max = open_files_allowed();
  if (wishes.value().host_network && !config_.allow_host_network)
    return Error{ErrorCode::unavailable, "this host gives its network to no container"};
  for (const char* file : {"/etc/resolv.conf", "/etc/hosts"})
    if (wishes.value().host_network && access(file, R_OK) == 0)
      wishes.value().network_files.emplace_back(file);
  auto devices = give_devices(spec, plan.value());
  if (!devices.ok()) return devices.error();
  for (const std::string& variable : devices.value().env) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(wishes.value().env, [&](const std::string& theirs) { return theirs.starts_with(name); });
    wishes.value().env.push_back(variable);
  }
  wishes.value().devices = std::move(devices).value();
  auto disk = give_disk(spec, folder, plan.value());
  if (!disk.ok()) return disk.error();
  if (auto written = write_container(folder, plan.value(), bundle_config(wishes.value())); !written.ok())
    return written.error();
  ShimFds fds;
  if (disk.value().is_open()) fds["--disk"] = std::move(disk).value();
  if (Fd ids = ready_->ids_of(plan.value().uid_first, plan.value().uid_count); ids.is_open())
    fds["--ids"] = std::move(ids);
  const std::lock_guard lock(mutex_);
  running_[spec.task] = {spec.job, std::move(plan).value()};
  return fds;
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

Result<DeviceEdits> OciDriver::give_devices(const ContainerSpec& spec, ContainerPlan& plan) {
  std::vector<std::string> wishes;
  if (const auto found = spec.attributes.find(std::string(devices_attribute));
      found != spec.attributes.end()) {
    std::string_view text = found->second;
    while (!text.empty()) {
      const std::size_t comma = std::min(text.find(','), text.size());
      if (comma > 0) wishes.emplace_back(text.substr(0, comma));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
  }
  DeviceEdits edits;
  if (spec.resources.gpu <= 0 && wishes.empty()) return edits;
  std::vector<Device> taken;
  {
    const std::lock_guard lock(mutex_);
    auto given = devices_.take(spec.task, spec.resources.gpu, wishes);
    if (!given.ok()) return given.error();
    taken = std::move(given).value();
  }
  for (const Device& device : taken) {
    edits += device.edits;
    plan.devices.push_back(device.full_name());
  }
  for (DeviceNode& node : edits.nodes)
    if (auto found = find_numbers(node); !found.ok()) return found.error();
  plan.nodes = edits.nodes;
  return edits;
}

Result<Fd> OciDriver::give_disk(const ContainerSpec& spec, const TaskFolder& folder, ContainerPlan& plan) {
  if (quota_ == DiskQuota::unenforced) return Fd();
  // Who asked for none is held to a little: a limit of nothing would be no limit.
  const std::int64_t disk_mb = std::max(spec.resources.disk_mb, disk_mb_min);
  if (quota_ != DiskQuota::loop) {
    plan.disk_mb = disk_mb;
    return Fd();
  }
  plan.disk_image = folder.path / "work/disk.ext4";
  if (auto ready = ready_->take_disk(disk_mb);
      ready && rename(ready->image.c_str(), plan.disk_image.c_str()) == 0)
    return std::move(ready->mount);
  if (auto made = disks_.make(plan.disk_image, disk_mb); !made.ok()) return made.error();
  return Fd();
}

// ---- what runs ----
std::vector<std::string> OciDriver::watch_health(HealthListener listener) {
  health_listener_ = std::move(listener);
  return look(milliseconds(0));
}

void OciDriver::watch() {
  std::unique_lock lock(mutex_);
  std::chrono::nanoseconds took{0};  // A look at many containers is no sign of a host that has no time.
  while (!is_stopping_) {
    changed_.wait_for(lock, config_.usage_every, [this] { return is_stopping_; });
    if (is_stopping_) return;
    lock.unlock();
    const Moment begin = clock_.steady();
    auto problems = look(config_.usage_every + std::chrono::duration_cast<milliseconds>(took));
    took = clock_.steady() - begin;
    if (health_listener_) health_listener_(std::move(problems));
    lock.lock();
  }
}

std::vector<std::string> OciDriver::look(milliseconds waited) {
  const Instant wall = clock_.wall();
  const Moment now = clock_.steady();
  const auto& problems = fitness_.take(look_at_host(config_.tasks.root, config_.runtime), wall, now, waited);
  std::map<TaskId, Running> running;
  {
    const std::lock_guard lock(mutex_);
    running = running_;
  }
  std::vector<TaskUsage> all;
  for (const auto& [task, one] : running) {
    const std::string work = config_.tasks.root + "/tasks/" + to_text(task) + "/work";
    all.push_back({task, one.job, sample_container(one.plan, work)});
    const auto allowed = static_cast<std::uint64_t>(one.plan.disk_mb * mib);
    if (one.plan.disk_mb == 0 || all.back().usage.disk_bytes <= allowed) continue;
    tasks_.fail(task, "it wrote more than the " + std::to_string(one.plan.disk_mb) +
                          " MiB of disk that it asked for");
  }
  if (!config_.metrics_file.empty())
    write_whole(config_.metrics_file, metrics_text(fitness_.latest(), problems, all));
  return problems;
}

}  // namespace troupe::agent
