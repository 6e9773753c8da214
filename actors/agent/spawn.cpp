#include "actors/agent/spawn.hpp"

#include <csignal>
#include <cstring>

namespace troupe::agent {

Result<pid_t> spawn_bare(std::vector<std::string> argv, const posix_spawn_file_actions_t& actions,
                         short flags) {
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  char* no_env[] = {nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           static_cast<short>(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, pointers[0], &actions, &attributes, pointers.data(), no_env);
  posix_spawnattr_destroy(&attributes);
  if (problem != 0) return Error{ErrorCode::io, "cannot start '" + argv[0] + "': " + std::strerror(problem)};
  return pid;
}

}  // namespace troupe::agent
