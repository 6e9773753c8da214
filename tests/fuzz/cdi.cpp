// CDI files: an operator's, but of a vendor's making.

#include <set>

#include "actors/agent/oci/devices.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

bool is_plain_path(const std::string& path) {
  return !path.empty() && path.front() == '/' && path.find("..") == std::string::npos;
}

void check(const agent::Device& device) {
  fuzz::must(!device.name.empty() && device.kind.find('/') != std::string::npos);
  for (const agent::DeviceNode& node : device.edits.nodes) {
    fuzz::must(is_plain_path(node.path) && is_plain_path(node.host_path));
    fuzz::must(node.major >= -1 && node.minor >= -1 && (node.mode & ~0666U) == 0);
  }
  for (const agent::DeviceMount& mount : device.edits.mounts)
    fuzz::must(is_plain_path(mount.path) && is_plain_path(mount.host_path));
  for (const agent::DeviceHook& hook : device.edits.hooks)
    fuzz::must(is_plain_path(hook.path) && !hook.when.empty() && hook.when != "poststop");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto devices = agent::parse_cdi(fuzz::view(data, size));
  if (!devices.ok()) {
    fuzz::must(!devices.error().message.empty());
    return 0;
  }
  std::set<std::string> names;
  for (const agent::Device& device : devices.value()) {
    check(device);
    names.insert(device.full_name());
  }
  // Each is one task's at a time, and comes back.
  agent::DeviceBook book(devices.value(), devices.value().empty() ? "" : devices.value().front().kind);
  TaskId one, other;
  one.bytes[0] = 1;
  const std::int64_t gpus = book.gpus();
  for (const std::string& name : names) {
    fuzz::must(book.take(one, gpus, {name}).ok());
    fuzz::must(gpus == 0 || !book.take(other, gpus, {}).ok());
    book.release(one);
    fuzz::must(book.take(other, gpus, {name}).ok());
    book.release(other);
  }
  return 0;
}
