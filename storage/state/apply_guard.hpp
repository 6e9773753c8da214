#pragma once
// What outlives a process that dies inside apply: at which entry it was.

#include <string>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/time.hpp"
#include "storage/model/feature_level.hpp"

namespace troupe {

/// Told by apply, at each entry and with no cost to speak of. Called on the apply thread.
class ApplyGuard {
 public:
  virtual ~ApplyGuard() = default;
  virtual void begin(Index entry) = 0;
  virtual void end() = 0;
};

struct Applied;
struct Command;
struct Outcome;

/// Hears what apply makes of everything. Called on the apply thread; must not call back. For simulations,
/// which judge a whole history.
class ApplyObserver {
 public:
  virtual ~ApplyObserver() = default;
  /// Once per command, in log order; what it changed may not be readable yet.
  virtual void decided(const Command& command, const Outcome& outcome) = 0;
  /// Once per batch, when it is readable.
  virtual void applied(const Applied& applied) = 0;
};

/// An operator's word that one entry of the log is not to be applied. It is a file of the node, not a
/// command: behind an entry at which every node dies nothing can be committed any more. Each node needs it;
/// a node without it comes to another hash.
struct SkippedEntry {
  Index index;
  Term term;               ///< of the entry: another one at this index is applied
  std::uint64_t hash = 0;  ///< entry_hash(): likewise
  std::string who;
  std::string why;
  Instant at;
  static constexpr auto fields() {
    using S = SkippedEntry;
    return field_list(field("index", &S::index), field("term", &S::term), field("hash", &S::hash),
                      field("who", &S::who), field("why", &S::why), field("at", &S::at));
  }
  friend bool operator==(const SkippedEntry&, const SkippedEntry&) = default;
};

/// How a state machine is to be opened.
struct StateOptions {
  /// trust: for a state that was changed on purpose, and for measuring.
  enum class HashCheck : std::uint8_t { verify, trust };
  HashCheck hash_check = HashCheck::verify;
  std::vector<SkippedEntry> skipped{};
  ApplyGuard* guard = nullptr;  ///< null: nobody counts deaths
  ApplyObserver* observer = nullptr;
  /// Every replica must sample alike to compare anything; fixed but for tests.
  std::uint64_t sample_every = 1'024;
  std::uint32_t level_known = feature_level_known;  ///< another one: tests, of an older or a newer build
  unsigned load_threads = 2;  ///< at most; the shards of the current tables are shared out
};

}  // namespace troupe
