#include "actors/agent/oci/devices.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "actors/agent/small_files.hpp"
#include "net/json/value.hpp"

namespace troupe::agent {
namespace {

using json::Value;
namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::size_t devices_max = 1'024;  // of a host; more are refused
const std::set<std::string> hook_times{"prestart", "createRuntime", "createContainer", "startContainer",
                                       "poststart"};

/// A file's complaint; caught where the file's reading began.
struct BadCdi {
  std::string what;
};

std::string text_at(const Value& object, const char* name, bool must_be = false) {
  const Value* value = object.find(name);
  if (!value && !must_be) return {};
  if (!value || !value->text() || (must_be && value->text()->empty()))
    throw BadCdi{std::string("'") + name + "' is no text"};
  return *value->text();
}

std::string path_at(const Value& object, const char* name, bool must_be) {
  std::string path = text_at(object, name, must_be);
  if (!path.empty() && (path.front() != '/' || path.find("..") != std::string::npos))
    throw BadCdi{std::string("'") + name + "' is no absolute path: " + path};
  return path;
}

std::vector<std::string> words_at(const Value& object, const char* name) {
  std::vector<std::string> words;
  const Value* value = object.find(name);
  if (!value) return words;
  if (!value->array()) throw BadCdi{std::string("'") + name + "' is no list"};
  for (const Value& item : *value->array()) {
    if (!item.text()) throw BadCdi{std::string("'") + name + "' holds something that is no text"};
    words.push_back(*item.text());
  }
  return words;
}

std::int64_t number_at(const Value& object, const char* name, std::int64_t otherwise) {
  const Value* value = object.find(name);
  if (!value) return otherwise;
  if (!value->integer() || *value->integer() < 0) throw BadCdi{std::string("'") + name + "' is no number"};
  return *value->integer();
}

const json::Array& list_at(const Value& object, const char* name) {
  static const json::Array none;
  const Value* value = object.find(name);
  if (!value) return none;
  if (!value->array()) throw BadCdi{std::string("'") + name + "' is no list"};
  for (const Value& item : *value->array())
    if (!item.object()) throw BadCdi{std::string("'") + name + "' holds something that is no object"};
  return *value->array();
}

DeviceNode read_node(const Value& from) {
  DeviceNode node;
  node.path = path_at(from, "path", true);
  node.host_path = path_at(from, "hostPath", false);
  if (node.host_path.empty()) node.host_path = node.path;
  const std::string type = text_at(from, "type");
  if (!type.empty() && type != "c" && type != "u" && type != "b") throw BadCdi{"'type' is none of c, u, b"};
  node.is_block = type == "b";
  if (!type.empty()) {
    node.major = number_at(from, "major", -1);
    node.minor = number_at(from, "minor", -1);
  }
  const std::string rights = text_at(from, "permissions");
  if (rights.empty()) return node;
  node.mode = (rights.find('r') == std::string::npos ? 0U : 0444U) |
              (rights.find('w') == std::string::npos ? 0U : 0222U);
  return node;
}

DeviceEdits read_edits(const Value& holder) {
  DeviceEdits edits;
  const Value* from = holder.find("containerEdits");
  if (!from) return edits;
  if (!from->object()) throw BadCdi{"'containerEdits' is no object"};
  edits.env = words_at(*from, "env");
  for (const Value& node : list_at(*from, "deviceNodes")) edits.nodes.push_back(read_node(node));
  for (const Value& mount : list_at(*from, "mounts"))
    edits.mounts.push_back({path_at(mount, "hostPath", true), path_at(mount, "containerPath", true),
                            words_at(mount, "options")});
  for (const Value& hook : list_at(*from, "hooks")) {
    DeviceHook read{text_at(hook, "hookName", true), path_at(hook, "path", true), words_at(hook, "args"),
                    words_at(hook, "env")};
    // Nothing is called after a container's end: what it leaves goes with its namespaces.
    if (read.when == "poststop") continue;
    if (!hook_times.contains(read.when)) throw BadCdi{"there is no hook '" + read.when + "'"};
    edits.hooks.push_back(std::move(read));
  }
  return edits;
}

bool is_kind(std::string_view kind) {
  const std::size_t slash = kind.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < kind.size() &&
         std::all_of(kind.begin(), kind.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '-' || c == '_' || c == '/';
         });
}

std::vector<Device> read_file(const Value& root) {
  if (!root.object()) throw BadCdi{"the file is no object"};
  const std::string kind = text_at(root, "kind", true);
  if (!is_kind(kind)) throw BadCdi{"'kind' is not vendor/class: " + kind};
  const DeviceEdits common = read_edits(root);
  std::vector<Device> devices;
  for (const Value& one : list_at(root, "devices")) {
    Device device{kind, text_at(one, "name", true), common};
    const DeviceEdits edits = read_edits(one);
    for (const DeviceNode& node : edits.nodes) device.own.push_back(node.host_path);
    device.edits += edits;
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace

DeviceEdits& operator+=(DeviceEdits& edits, const DeviceEdits& more) {
  const auto append = [](auto& to, const auto& from) {
    for (const auto& one : from)
      if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
  };
  append(edits.nodes, more.nodes);
  append(edits.mounts, more.mounts);
  append(edits.env, more.env);
  append(edits.hooks, more.hooks);
  return edits;
}

Result<std::vector<Device>> parse_cdi(std::string_view text) {
  auto parsed = json::parse(text);
  if (!parsed.ok()) return Error{ErrorCode::invalid_argument, "is no JSON: " + parsed.error().message};
  try {
    return read_file(parsed.value());
  } catch (const BadCdi& problem) {
    return Error{ErrorCode::invalid_argument, problem.what};
  }
}

Result<std::vector<Device>> read_cdi_folders(const std::vector<std::string>& folders) {
  std::map<std::string, Device> by_name;
  for (const std::string& folder : folders) {
    std::error_code problem;
    std::set<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, problem)) {
      const fs::path& file = entry.path();
      if (file.extension() == ".json") files.insert(file);
      const bool is_yaml = file.extension() == ".yaml" || file.extension() == ".yml";
      if (is_yaml && !fs::exists(fs::path(file).replace_extension(".json")))
        return Error{ErrorCode::invalid_argument,
                     file.string() +
                         ": CDI files are read as JSON; write this one as JSON beside it (nvidia-ctk cdi "
                         "generate --format=json)"};
    }
    if (problem) return Error{ErrorCode::io, "cannot read " + folder + ": " + problem.message()};
    for (const fs::path& file : files) {
      auto devices = parse_cdi(text_of_file(file, file_bytes_max));
      if (!devices.ok()) return Error{devices.error().code, file.string() + ": " + devices.error().message};
      for (Device& device : devices.value()) by_name[device.full_name()] = std::move(device);
    }
  }
  if (by_name.size() > devices_max)
    return Error{ErrorCode::invalid_argument,
                 "there are more than " + std::to_string(devices_max) + " devices"};
  std::vector<Device> all;
  for (auto& [name, device] : by_name) all.push_back(std::move(device));
  return all;
}

Result<void> find_numbers(DeviceNode& node) {
  if (node.major >= 0 && node.minor >= 0) return {};
  struct stat found {};
  if (stat(node.host_path.c_str(), &found) != 0)
    return Error{ErrorCode::unavailable,
                 "there is no device " + node.host_path + ": " + std::strerror(errno)};
  if (!S_ISCHR(found.st_mode) && !S_ISBLK(found.st_mode))
    return Error{ErrorCode::unavailable, node.host_path + " is no device"};
  node.is_block = S_ISBLK(found.st_mode);
  node.major = major(found.st_rdev);
  node.minor = minor(found.st_rdev);
  return {};
}

namespace {

/// Nodes that all of a kind have are the driver's and tell none from another; but for a single card, under
/// however many names, which is all that there is.
void forget_common_nodes(std::vector<Device*>& of_kind) {
  const std::vector<std::string> first = of_kind.front()->own;
  const auto is_common = [&](const std::string& node) {
    return std::all_of(of_kind.begin(), of_kind.end(), [&](const Device* device) {
      return std::find(device->own.begin(), device->own.end(), node) != device->own.end();
    });
  };
  const bool leaves_some = std::all_of(of_kind.begin(), of_kind.end(), [&](const Device* device) {
    return !std::all_of(device->own.begin(), device->own.end(), is_common);
  });
  if (!leaves_some) return;
  for (const std::string& node : first)
    if (is_common(node))
      for (Device* device : of_kind) std::erase(device->own, node);
}

bool are_one(const Device& a, const Device& b) {
  if (a.kind != b.kind) return false;
  return a.name == b.name || std::any_of(a.own.begin(), a.own.end(), [&](const std::string& node) {
           return std::find(b.own.begin(), b.own.end(), node) != b.own.end();
         });
}

}  // namespace

DeviceBook::DeviceBook(std::vector<Device> devices, std::string gpu_kind) : gpu_kind_(std::move(gpu_kind)) {
  for (Device& device : devices) devices_.push_back({std::move(device), std::nullopt});
  std::map<std::string, std::vector<Device*>> kinds;
  for (Known& known : devices_) kinds[known.device.kind].push_back(&known.device);
  for (auto& [kind, of_kind] : kinds) forget_common_nodes(of_kind);
  // The smallest things count; what is made of them, and other names of them, do not.
  std::vector<Known*> by_size;
  for (Known& known : devices_) by_size.push_back(&known);
  std::stable_sort(by_size.begin(), by_size.end(), [](const Known* a, const Known* b) {
    return a->device.own.size() < b->device.own.size();
  });
  for (std::size_t n = 0; n < by_size.size(); ++n)
    by_size[n]->is_part = std::none_of(
        by_size.begin(), by_size.begin() + static_cast<std::ptrdiff_t>(n), [&](const Known* smaller) {
          return smaller->is_part && are_one(smaller->device, by_size[n]->device);
        });
}

DeviceBook::Known* DeviceBook::find_free(const std::string& kind, const std::string& name) {
  for (Known& known : devices_) {
    if (known.device.kind != kind || (name.empty() ? !known.is_part : known.device.name != name)) continue;
    const bool is_held = std::any_of(devices_.begin(), devices_.end(), [&](const Known& other) {
      return other.holder && are_one(other.device, known.device);
    });
    if (!is_held) return &known;
  }
  return nullptr;
}

std::int64_t DeviceBook::parts_of(const Known& known) const {
  return std::count_if(devices_.begin(), devices_.end(),
                       [&](const Known& part) { return part.is_part && are_one(part.device, known.device); });
}

Error DeviceBook::refusal(const std::string& kind, const std::string& name) const {
  const std::string wish = name.empty() ? kind : kind + "=" + name;
  const bool is_here = std::any_of(devices_.begin(), devices_.end(), [&](const Known& known) {
    return known.device.kind == kind && (name.empty() || known.device.name == name);
  });
  if (kind.empty()) return {ErrorCode::unavailable, "this host has no gpu to give"};
  if (!is_here && kind != gpu_kind_)
    return {ErrorCode::invalid_argument, "the host that it was placed on has no device '" + wish + "'"};
  return {ErrorCode::unavailable, "other tasks have all devices '" + wish + "' of this host"};
}

Result<std::vector<Device>> DeviceBook::take(const TaskId& task, std::int64_t gpus,
                                             const std::vector<std::string>& wishes) {
  std::vector<Device> taken;
  for (const Known& known : devices_)
    if (known.holder == task) taken.push_back(known.device);
  if (!taken.empty()) return taken;
  std::int64_t gpus_left = std::max<std::int64_t>(gpus, 0);
  // Those with a name first: else one of them might be given for a wish that any would do for.
  std::vector<std::pair<std::string, std::string>> named, any;
  for (const std::string& wish : wishes) {
    const std::size_t equals = std::min(wish.find('='), wish.size());
    const std::string name = equals < wish.size() ? wish.substr(equals + 1) : "";
    (name.empty() ? any : named).emplace_back(wish.substr(0, equals), name);
  }
  named.insert(named.end(), any.begin(), any.end());
  const auto take_one = [&](const std::string& kind, const std::string& name) -> std::optional<Error> {
    Known* found = find_free(kind, name);
    if (found == nullptr) return refusal(kind, name);
    if (kind == gpu_kind_ && !gpu_kind_.empty() && (gpus_left -= parts_of(*found)) < 0)
      return Error{ErrorCode::invalid_argument,
                   "it asks by attribute for more gpus than by container.resources.gpu"};
    found->holder = task;
    taken.push_back(found->device);
    return std::nullopt;
  };
  std::optional<Error> problem;
  for (const auto& [kind, name] : named)
    if (!problem) problem = take_one(kind, name);
  while (!problem && gpus_left > 0) problem = take_one(gpu_kind_, "");
  if (!problem) return taken;
  release(task);
  return *problem;
}

void DeviceBook::adopt(const TaskId& task, const std::vector<std::string>& names) {
  for (Known& known : devices_)
    if (std::find(names.begin(), names.end(), known.device.full_name()) != names.end()) known.holder = task;
}

void DeviceBook::release(const TaskId& task) {
  for (Known& known : devices_)
    if (known.holder == task) known.holder.reset();
}

std::int64_t DeviceBook::gpus() const {
  return std::count_if(devices_.begin(), devices_.end(),
                       [&](const Known& known) { return known.is_part && known.device.kind == gpu_kind_; });
}

std::map<std::string, std::size_t> DeviceBook::kinds() const {
  std::map<std::string, std::size_t> counts;
  for (const Known& known : devices_) counts[known.device.kind] += known.is_part ? 1 : 0;
  return counts;
}

}  // namespace troupe::agent
