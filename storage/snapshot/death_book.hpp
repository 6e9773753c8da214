#pragma once
// Counts a node's deaths inside apply, across its lives.

#include <memory>
#include <optional>
#include <string>

#include "storage/base/result.hpp"
#include "storage/state/apply_guard.hpp"

namespace troupe {

/// Three numbers in a mapped page: noting an entry is a store to memory, and the page outlives the process
/// (not the machine: a power failure is no sign of a bad entry). A process that was killed from outside in
/// the middle of an entry counts as a death at it too; only the second one at the same entry in a row means
/// anything.
class DeathBook final : public ApplyGuard {
 public:
  static constexpr std::uint64_t deaths_max = 2;

  /// At start; the death of the life before is counted here. Errors: io.
  static Result<std::unique_ptr<DeathBook>> open(const std::string& file);
  ~DeathBook() override;
  DeathBook(const DeathBook&) = delete;
  DeathBook& operator=(const DeathBook&) = delete;

  void begin(Index entry) override;
  void end() override;
  /// The entry that this node has died at again and again: it must not apply it, nor vote, until the entry is
  /// skipped, the node repaired from a peer, or the deaths forgotten.
  std::optional<Index> paused_before() const;
  /// An operator's word: what it died of is mended.
  void forget();

 private:
  struct Page;
  explicit DeathBook(Page* page) : page_(page) {}
  Page* page_;
};

}  // namespace troupe
