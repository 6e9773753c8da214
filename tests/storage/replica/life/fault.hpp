#pragma once
// What strikes a life.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/time.hpp"

namespace troupe {

// X(name): at a random machine, unless it says otherwise
#define TROUPE_LIFE_FAULT_LIST(X)                                                                           \
  X(crash)       /* the process and its machine die; what was flushed survives, and any part of the rest */ \
  X(crash_hard)  /* the same, and nothing of the rest survives */                                           \
  X(fail_sync)   /* the next sync of the log fails; its batch may survive or not */                         \
  X(fail_write)  /* the next write of the log fails */                                                      \
  X(fail_flush)  /* the next flush of the state fails */                                                    \
  X(disk_full)   /* until the next restart */                                                               \
  X(slow_disk)   /* syncs take ten times as long, until the next fault of this kind */                      \
  X(flip_bit)    /* in the log, of a running node or of one that is down */                                 \
  X(tear_record) /* the last record of the log loses its end, while the node is down */                     \
  X(lose_record) /* some record of the log vanishes, while the node is down */                              \
  X(cut)         /* one way or both, to some of the others */                                               \
  X(heal)        /* all cuts */                                                                             \
  X(links)       /* its links are reported down or up */                                                    \
  X(drift)       /* its clocks run up to a fifth too fast or too slow */                                    \
  X(leap)        /* its wall clock leaps by an hour or ten years; the one that leapt before is set right */ \
  X(stall)       /* the process stands still; what comes meanwhile waits */                                 \
  X(transfer)    /* the leader is asked to hand over to it */                                               \
  X(change)      /* add, promote or remove */                                                               \
  X(other_build) /* it restarts as the build before or after, which knows another feature level */

enum class FaultKind : std::uint8_t {
#define X(name) name,
  TROUPE_LIFE_FAULT_LIST(X)
#undef X
};
constexpr const char* fault_names[] = {
#define X(name) #name,
    TROUPE_LIFE_FAULT_LIST(X)
#undef X
};
constexpr std::size_t fault_kinds = std::size(fault_names);

/// Drawn before the run, so that a failing run can be repeated with some of them left out.
struct Fault {
  milliseconds at{0};  ///< since the beginning
  FaultKind kind = FaultKind::crash;
  std::uint64_t seed = 0;  ///< of whatever else it needs
};

std::string text_of(const Fault& fault);
std::vector<Fault> faults_of(std::uint64_t seed, milliseconds length);

}  // namespace troupe
