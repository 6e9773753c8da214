#include "actors/agent/oci/disk_image.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <cerrno>

#include "actors/agent/process_tree.hpp"

namespace troupe::agent {
namespace {

// Between asking for a free device and taking it, somebody else may have taken it.
constexpr int attempts_max = 64;

Fd attach(const std::string& image, std::string& device) {
  const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  const Fd file(open(image.c_str(), O_RDWR | O_CLOEXEC));
  if (!control.is_open() || !file.is_open()) return {};
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return {};
    device = "/dev/loop" + std::to_string(number);
    Fd loop(open(device.c_str(), O_RDWR | O_CLOEXEC));
    if (!loop.is_open()) return {};
    loop_config config{};
    config.fd = static_cast<__u32>(file.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return loop;
    if (errno != EBUSY) return {};
  }
  errno = EBUSY;
  return {};
}

}  // namespace

int mount_disk_image(const std::string& image, const std::string& at) {
  std::string device;
  const Fd loop = attach(image, device);
  if (!loop.is_open()) return errno == 0 ? EIO : errno;
  return mount(device.c_str(), at.c_str(), "ext4", MS_NODEV | MS_NOATIME, "discard") == 0 ? 0 : errno;
}

Fd open_disk_image(const std::string& image) {
  std::string device;
  const Fd loop = attach(image, device);
  const Fd system(loop.is_open() ? fsopen("ext4", FSOPEN_CLOEXEC) : -1);
  if (!system.is_open() || fsconfig(system.get(), FSCONFIG_SET_STRING, "source", device.c_str(), 0) != 0 ||
      fsconfig(system.get(), FSCONFIG_SET_FLAG, "discard", nullptr, 0) != 0 ||
      fsconfig(system.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return {};
  return Fd(fsmount(system.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME));
}

}  // namespace troupe::agent
