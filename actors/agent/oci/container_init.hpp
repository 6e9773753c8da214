#pragma once
// The first process inside a container: starts the program, reaps what becomes an orphan, hands signals on,
// and ends everything when its shim is gone.

#include <cstdint>

namespace troupe::agent {

/// What a beginning container tells its shim, through a pipe: one write each.
struct InitRecord {
  enum class Kind : std::uint32_t {
    not_prepared,  ///< before the runtime began: a stage and errno
    started,       ///< the program runs
    not_started,   ///< errno of the program's exec
    ended,         ///< the program's wait status; all else in the container is being ended
  };
  enum class Stage : std::uint32_t { cgroups, session, ids, layers, root, runtime, disk, devices };
  Kind kind = Kind::started;
  Stage stage = Stage::cgroups;
  std::int32_t value = 0;
};

constexpr int init_record_fd = 3;

/// `argv`: the program and its arguments. Returns the exit code, 128 + signal for a signalled program.
int run_container_init(char** argv);

}  // namespace troupe::agent
