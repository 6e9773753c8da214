#include "actors/agent/oci/id_namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "actors/agent/small_files.hpp"

namespace troupe::agent {

Fd make_id_namespace(std::uint32_t uid_first, std::uint32_t uid_count) {
  int ready[2], end[2];
  if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(end, O_CLOEXEC) != 0) return {};
  const Fd ready_read(ready[0]), end_write(end[1]);
  Fd ready_write(ready[1]), end_read(end[0]);
  const pid_t holder = fork();
  if (holder < 0) return {};
  if (holder == 0) {
    char byte = 0;
    if (unshare(CLONE_NEWUSER) != 0 || write(ready_write.get(), &byte, 1) != 1) _exit(1);
    close(end_write.get());
    (void)!read(end_read.get(), &byte, 1);
    _exit(0);
  }
  ready_write.reset();
  char byte = 0;
  Fd found;
  if (read(ready_read.get(), &byte, 1) == 1) {
    const std::string process = "/proc/" + std::to_string(holder);
    const std::string map = "0 " + std::to_string(uid_first) + " " + std::to_string(uid_count);
    if (write_to_file(process + "/uid_map", map) && write_to_file(process + "/gid_map", map))
      found.reset(open((process + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  }
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  return found;
}

}  // namespace troupe::agent
