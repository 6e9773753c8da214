#include "actors/agent/oci/bundle.hpp"

#include <charconv>

#include "actors/agent/oci/container_plan.hpp"
#include "actors/agent/shim_child.hpp"
#include "net/json/writer.hpp"
#include "storage/model/container_attributes.hpp"
#include "storage/model/isolation.hpp"

namespace troupe::agent {
namespace {

using json::Writer;
using Words = std::vector<std::string>;

/// Of an unprivileged administrator of its own files and users; none of them reaches beyond the user
/// namespace.
const Words kept_capabilities{"CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                              "CAP_FSETID", "CAP_KILL",         "CAP_SETGID",
                              "CAP_SETUID", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE"};
const Words masked_paths{"/proc/acpi",        "/proc/asound",  "/proc/kcore",
                         "/proc/keys",        "/proc/kmsg",    "/proc/latency_stats",
                         "/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
                         "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"};
const Words read_only_paths{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
constexpr std::uint64_t clone_new_namespaces = 0x7E02'0000;  // every CLONE_NEW* that clone() can carry
constexpr std::uint64_t error_eperm = 1, error_enosys = 38;

template <class T>
void put(Writer& w, std::string_view name, const T& value) {
  w.key(name);
  json::write_value(w, value);
}

void put_mount(Writer& w, const std::string& at, const std::string& type, const std::string& source,
               const Words& options) {
  w.begin_object();
  put(w, "destination", at);
  put(w, "type", type);
  put(w, "source", source);
  put(w, "options", options);
  w.end_object();
}

void put_mounts(Writer& w, const BundleWishes& wishes) {
  w.key("mounts");
  w.begin_array();
  put_mount(w, "/proc", "proc", "proc", {"nosuid", "noexec", "nodev"});
  put_mount(w, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  put_mount(w, "/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
  put_mount(w, "/dev/shm", "tmpfs", "shm",
            {"nosuid", "noexec", "nodev", "mode=1777", "size=" + std::to_string(wishes.shm_bytes)});
  put_mount(w, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  if (wishes.host_network) {
    // sysfs shows the network of whoever mounts it, who must have a right to that: so the host's own.
    put_mount(w, "/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro", "rro"});
    for (const std::string& file : wishes.network_files)
      put_mount(w, file, "bind", file, {"bind", "nosuid", "noexec", "nodev", "ro", "private"});
  } else {
    put_mount(w, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  }
  for (const TmpfsWish& one : wishes.tmpfs)
    put_mount(w, one.path, "tmpfs", "tmpfs",
              {"nosuid", "nodev", "mode=1777", "size=" + std::to_string(one.bytes)});
  for (std::size_t i = 0; i < wishes.devices.nodes.size(); ++i)
    put_mount(w, wishes.devices.nodes[i].path, "bind", staged_node(i),
              {"bind", "nosuid", "noexec", "private"});
  for (const DeviceMount& one : wishes.devices.mounts) {
    Words options{"bind", "nosuid", "nodev", "private"};
    options.insert(options.end(), one.options.begin(), one.options.end());
    put_mount(w, one.path, "bind", one.host_path, options);
  }
  put_mount(w, init_in_container, "bind", std::string(stage_folder) + "/init",
            {"bind", "ro", "nosuid", "nodev", "private"});
  w.end_array();
}

void put_process(Writer& w, const BundleWishes& wishes) {
  Words argv{init_in_container, "--init"};
  argv.insert(argv.end(), wishes.argv.begin(), wishes.argv.end());
  w.key("process");
  w.begin_object();
  put(w, "terminal", false);
  w.key("user");
  w.begin_object();
  put(w, "uid", wishes.user);
  put(w, "gid", wishes.group);
  w.end_object();
  put(w, "args", argv);
  put(w, "env", wishes.env);
  put(w, "cwd", wishes.folder);
  w.key("capabilities");
  w.begin_object();
  for (const char* set : {"bounding", "effective", "permitted"}) put(w, set, kept_capabilities);
  w.end_object();
  put(w, "noNewPrivileges", true);
  w.key("rlimits");
  w.begin_array();
  for (const auto& [name, limit] :
       {std::pair<const char*, std::uint64_t>{"RLIMIT_NOFILE", wishes.open_files_max}, {"RLIMIT_CORE", 0}}) {
    w.begin_object();
    put(w, "type", name);
    put(w, "hard", limit);
    put(w, "soft", limit);
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

void put_call_rule(Writer& w, const Words& names, const char* action) {
  put(w, "names", names);
  put(w, "action", action);
}

void put_seccomp(Writer& w) {
  w.key("seccomp");
  w.begin_object();
  put(w, "defaultAction", "SCMP_ACT_ERRNO");
  put(w, "defaultErrnoRet", error_eperm);
  put(w, "architectures", Words{"SCMP_ARCH_X86_64"});
  w.key("syscalls");
  w.begin_array();
  w.begin_object();
  put_call_rule(w, allowed_system_calls(), "SCMP_ACT_ALLOW");
  w.end_object();
  w.begin_object();  // Threads and processes, but no namespaces.
  put_call_rule(w, {"clone"}, "SCMP_ACT_ALLOW");
  w.key("args");
  w.begin_array();
  w.begin_object();
  put(w, "index", std::uint64_t{0});
  put(w, "value", clone_new_namespaces);
  put(w, "valueTwo", std::uint64_t{0});
  put(w, "op", "SCMP_CMP_MASKED_EQ");
  w.end_object();
  w.end_array();
  w.end_object();
  w.begin_object();
  put_call_rule(w, {"clone3"}, "SCMP_ACT_ERRNO");
  put(w, "errnoRet", error_enosys);
  w.end_object();
  w.end_array();
  w.end_object();
}

void put_id_map(Writer& w, const char* name, const BundleWishes& wishes) {
  w.key(name);
  w.begin_array();
  w.begin_object();
  put(w, "containerID", std::uint64_t{0});
  put(w, "hostID", wishes.uid_first);
  put(w, "size", wishes.uid_count);
  w.end_object();
  w.end_array();
}

void put_linux(Writer& w, const BundleWishes& wishes) {
  w.key("linux");
  w.begin_object();
  w.key("namespaces");
  w.begin_array();
  for (const std::string_view type : {"user", "pid", "mount", "ipc", "uts", "network", "cgroup"}) {
    if (wishes.host_network && type == "network") continue;
    w.begin_object();
    put(w, "type", std::string(type));
    w.end_object();
  }
  w.end_array();
  put_id_map(w, "uidMappings", wishes);
  put_id_map(w, "gidMappings", wishes);
  put(w, "maskedPaths", masked_paths);
  put(w, "readonlyPaths", read_only_paths);
  put(w, "rootfsPropagation", "private");
  put_seccomp(w);
  w.end_object();
}

void put_hooks(Writer& w, const std::vector<DeviceHook>& hooks) {
  if (hooks.empty()) return;
  w.key("hooks");
  w.begin_object();
  for (const char* when : {"prestart", "createRuntime", "createContainer", "startContainer", "poststart"}) {
    w.key(when);
    w.begin_array();
    for (const DeviceHook& hook : hooks) {
      if (hook.when != when) continue;
      w.begin_object();
      put(w, "path", hook.path);
      put(w, "args", hook.args);
      put(w, "env", hook.env);
      w.end_object();
    }
    w.end_array();
  }
  w.end_object();
}

/// "", "root", "7" or "7:8": names would have to be looked up in files that the image controls.
bool read_user(const std::string& text, BundleWishes& wishes) {
  if (text.empty() || text == "root" || text == "root:root") return true;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto number = [&](std::size_t from, std::size_t to, std::uint32_t& value) {
    const auto parsed = std::from_chars(text.data() + from, text.data() + to, value);
    return from < to && parsed.ec == std::errc{} && parsed.ptr == text.data() + to && value < 65'536;
  };
  if (!number(0, colon, wishes.user)) return false;
  return colon == text.size() || number(colon + 1, text.size(), wishes.group);
}

/// MiB, above 0 and not more than the job's memory, which they count as.
Result<std::int64_t> read_size(std::string_view text, std::int64_t memory_mb, const std::string& what) {
  std::int64_t mb = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), mb);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || mb <= 0)
    return Error{ErrorCode::invalid_argument,
                 what + " is no number of MiB: '" + std::string(text.substr(0, 64)) + "'"};
  if (mb > memory_mb)
    return Error{ErrorCode::invalid_argument, what + " of " + std::to_string(mb) +
                                                  " MiB is more than the job's memory of " +
                                                  std::to_string(memory_mb) + " MiB, which it counts as"};
  return mb * mib;
}

Result<void> read_tmpfs(std::string_view text, std::int64_t memory_mb, std::vector<TmpfsWish>& wishes) {
  const std::string what = "the attribute '" + std::string(tmpfs_attribute) + "'";
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string path(item.substr(0, equals));
    if (equals == item.size() || path.size() < 2 || path.front() != '/' ||
        path.find("/.") != std::string::npos || path.find("//") != std::string::npos || path.ends_with('/') ||
        path.find('\0') != std::string::npos)
      return Error{ErrorCode::invalid_argument, what + " is a list of /path=MiB"};
    for (const std::string_view ours : {"/proc", "/sys", "/dev"})
      if (path == ours || path.starts_with(std::string(ours) + "/"))
        return Error{ErrorCode::invalid_argument, what + " cannot replace " + path};
    auto bytes = read_size(item.substr(equals + 1), memory_mb, what);
    if (!bytes.ok()) return bytes.error();
    wishes.push_back({path, bytes.value()});
    if (wishes.size() > tmpfs_max)
      return Error{ErrorCode::invalid_argument,
                   what + " has more than " + std::to_string(tmpfs_max) + " items"};
  }
  return {};
}

Result<void> read_memory_files(const ContainerSpec& spec, BundleWishes& wishes) {
  if (const auto shm = spec.attributes.find(std::string(shm_attribute)); shm != spec.attributes.end()) {
    auto bytes = read_size(shm->second, spec.resources.memory_mb, "the attribute '" + shm->first + "'");
    if (!bytes.ok()) return bytes.error();
    wishes.shm_bytes = bytes.value();
  }
  const auto tmpfs = spec.attributes.find(std::string(tmpfs_attribute));
  if (tmpfs == spec.attributes.end()) return {};
  return read_tmpfs(tmpfs->second, spec.resources.memory_mb, wishes.tmpfs);
}

}  // namespace

Result<BundleWishes> bundle_wishes(const ContainerSpec& spec, const ImageConfig& image) {
  BundleWishes wishes;
  wishes.argv = spec.argv;
  if (wishes.argv.empty()) {
    wishes.argv = image.entry_point;
    wishes.argv.insert(wishes.argv.end(), image.command.begin(), image.command.end());
  }
  if (wishes.argv.empty() || wishes.argv.front().empty())
    return Error{ErrorCode::invalid_argument, "neither the job nor its image names a program"};
  if (!read_user(image.user, wishes))
    return Error{ErrorCode::invalid_argument,
                 "the image's user '" + image.user.substr(0, 64) + "' is no number below 65536"};
  ContainerSpec merged = spec;
  for (const std::string& variable : image.env) {
    const std::size_t equals = variable.find('=');
    if (equals != std::string::npos && equals > 0)
      merged.env.try_emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  wishes.env = environment_of(merged);
  if (!image.folder.empty()) wishes.folder = image.folder;
  if (!wishes.folder.starts_with('/'))
    return Error{ErrorCode::invalid_argument, "the image's working folder is not absolute"};
  wishes.host_name = to_text(spec.task).substr(0, 8);
  const auto read_only = spec.attributes.find(std::string(read_only_root_attribute));
  wishes.read_only_root = read_only != spec.attributes.end() && read_only->second == "true";
  wishes.host_network = wants_host_network(spec.attributes);
  const auto network = spec.attributes.find(std::string(network_attribute));
  if (network != spec.attributes.end() && network->second != "host" && network->second != "none")
    return Error{ErrorCode::invalid_argument, "the attribute '" + network->first +
                                                  "' is host or none, not '" + network->second.substr(0, 64) +
                                                  "'"};
  if (auto read = read_memory_files(spec, wishes); !read.ok()) return read.error();
  return wishes;
}

std::string bundle_config(const BundleWishes& wishes) {
  Writer w;
  w.begin_object();
  put(w, "ociVersion", "1.0.2");
  w.key("root");
  w.begin_object();
  put(w, "path", std::string(stage_folder) + "/rootfs");
  put(w, "readonly", wishes.read_only_root);
  w.end_object();
  put(w, "hostname", wishes.host_name);
  put_process(w, wishes);
  put_mounts(w, wishes);
  put_hooks(w, wishes.devices.hooks);
  put_linux(w, wishes);
  w.end_object();
  return w.take();
}

}  // namespace troupe::agent
