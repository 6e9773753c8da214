#pragma once
// A host's devices, GPUs among them: what CDI files (Container Device Interface) say of them, and which task
// has which. Pure, but for looking up a device node's numbers.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

/// A device node as a container sees it. The numbers are the host's.
struct DeviceNode {
  std::string path;       ///< absolute, in the container
  std::string host_path;  ///< where its numbers are looked up if they are not given
  bool is_block = false;
  std::int64_t major = -1, minor = -1;  ///< -1: not given
  std::uint32_t mode = 0666;            ///< of the node; it belongs to nobody inside
  static constexpr auto fields() {
    using N = DeviceNode;
    return field_list(field("path", &N::path), field("host_path", &N::host_path),
                      field("is_block", &N::is_block), field("major", &N::major), field("minor", &N::minor),
                      field("mode", &N::mode));
  }
  friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
};

/// A folder or file of the host inside the container.
struct DeviceMount {
  std::string host_path, path;
  std::vector<std::string> options;
  friend bool operator==(const DeviceMount&, const DeviceMount&) = default;
};

/// A program of the host that the runtime calls while it makes the container.
struct DeviceHook {
  std::string when;  ///< createContainer, ...
  std::string path;
  std::vector<std::string> args, env;
  friend bool operator==(const DeviceHook&, const DeviceHook&) = default;
};

/// What a device changes of a container.
struct DeviceEdits {
  std::vector<DeviceNode> nodes;
  std::vector<DeviceMount> mounts;
  std::vector<std::string> env;  ///< NAME=value
  std::vector<DeviceHook> hooks;
  friend bool operator==(const DeviceEdits&, const DeviceEdits&) = default;
};
DeviceEdits& operator+=(DeviceEdits& edits, const DeviceEdits& more);

/// "vendor.com/class=name"; one task has it at a time.
struct Device {
  std::string kind, name;
  DeviceEdits edits;               ///< its kind's included
  std::vector<std::string> own{};  ///< host paths of its nodes, its kind's not: what it is made of
  std::string full_name() const { return kind + "=" + name; }
};

/// One CDI file (JSON). Errors: invalid_argument: what is wrong with it.
Result<std::vector<Device>> parse_cdi(std::string_view text);
/// All `*.json` of these folders; a later folder's device replaces an earlier one's of that name. Errors:
/// invalid_argument, io, with the file; a file in YAML alone is refused, not overlooked.
Result<std::vector<Device>> read_cdi_folders(const std::vector<std::string>& folders);
/// Numbers and kind of the node are looked up where the file does not give them. Errors: unavailable (no such
/// device node on this host).
Result<void> find_numbers(DeviceNode& node);

/// Which task has which device. A card may have several names: a device that shares a node of its own with
/// another is the same thing, or made of it ("all"), and cannot be another task's meanwhile. Owner: the oci
/// driver, under its lock.
class DeviceBook {
 public:
  /// `gpu_kind`: the kind that a job's number of gpus asks for; empty: this host has none.
  DeviceBook(std::vector<Device> devices, std::string gpu_kind);
  /// `gpus` of that kind, and for each other wish ("vendor.com/class", or with "=name") one. A wish for the
  /// kind of gpus only says which of them: it must be covered by `gpus`. All or nothing; a task that has some
  /// already keeps them. Errors: invalid_argument (no such device here, more gpus than asked for),
  /// unavailable (another task has it).
  Result<std::vector<Device>> take(const TaskId& task, std::int64_t gpus,
                                   const std::vector<std::string>& wishes);
  /// As an earlier life gave them, by full name; what is not there any more is forgotten.
  void adopt(const TaskId& task, const std::vector<std::string>& names);
  void release(const TaskId& task);
  std::int64_t gpus() const;
  /// {kind: how many}, each thing once whatever its names.
  std::map<std::string, std::size_t> kinds() const;

 private:
  struct Known {
    Device device;
    std::optional<TaskId> holder;
    bool is_part = true;  ///< one thing, by the name that counts; others are its other names, or several
  };
  /// nullptr: there is none that is free.
  Known* find_free(const std::string& kind, const std::string& name);
  std::int64_t parts_of(const Known& known) const;
  Error refusal(const std::string& kind, const std::string& name) const;
  std::vector<Known> devices_;
  std::string gpu_kind_;
};

/// The job attribute that asks for other devices than GPUs: kinds or full names, separated by commas.
constexpr std::string_view devices_attribute = "troupe.devices";

}  // namespace troupe::agent
