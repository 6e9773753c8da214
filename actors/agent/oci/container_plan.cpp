#include "actors/agent/oci/container_plan.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/base/msgpack.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t plan_bytes_max = 1 << 20;

// Not synced: no container outlives a crash of its host.
Result<void> write_plain(const std::filesystem::path& path, BytesView text) {
  const std::filesystem::path fresh = path.string() + ".new";
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open() || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(fresh.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::io, "cannot write " + path.string() + ": " + std::strerror(errno)};
  return {};
}

}  // namespace

std::string staged_node(std::size_t index) {
  return std::string(stage_folder) + "/devices/" + std::to_string(index);
}

Result<void> write_container(const TaskFolder& folder, const ContainerPlan& plan, const std::string& config) {
  if (auto written = write_plain(folder.path / "config.json", config); !written.ok()) return written;
  return write_plain(folder.path / "container", packed(plan));
}

std::optional<ContainerPlan> read_container(const TaskFolder& folder) {
  const Fd file(open((folder.path / "container").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  Bytes bytes(plan_bytes_max, '\0');
  const ssize_t count = read(file.get(), bytes.data(), bytes.size());
  if (count <= 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(count));
  auto plan = unpacked<ContainerPlan>(bytes);
  if (!plan.ok()) return std::nullopt;
  return std::move(plan).value();
}

}  // namespace troupe::agent
