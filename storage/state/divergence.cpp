// Do the replicas agree? Each samples its hash at the same indexes and reports it through the log; whoever
// sees a majority agree on another hash than its own stops. Reports change no state: what a node concludes is
// its own affair.

#include <fmt/core.h>

#include <algorithm>

#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {
namespace {

/// A report's word on the size of a majority is not trusted below two: one node alone never convicts another.
constexpr std::size_t agreeing_min = 2;

std::string differing_parts(const StateHash& mine, const StateHash& other) {
  std::string parts;
  if (mine.shards.size() != other.shards.size()) return "number of shards";
  for (std::size_t n = 0; n < mine.shards.size(); ++n)
    if (mine.shards[n] != other.shards[n]) parts += fmt::format("{}shard {}", parts.empty() ? "" : ", ", n);
  if (mine.cell != other.cell) parts += parts.empty() ? "cell" : ", cell";
  return parts;
}

}  // namespace

StateHash StateMachine::hash() const {
  StateHash hash;
  for (const auto& shard : tables_.shards) hash.shards.push_back(shard->hash);
  hash.cell = tables_.cell.hash + record_hash(keys::cell(), packed(tables_.cell.record));
  return hash;
}

void StateMachine::take_sample() {
  HashSample sample{applied_, hash()};
  const std::lock_guard lock(samples_mutex_);
  samples_.push_back(std::move(sample));
  if (samples_.size() > hash_samples_max) samples_.pop_front();
  differing_.erase(differing_.begin(), differing_.lower_bound(samples_.front().index));
}

std::optional<HashSample> StateMachine::newest_sample() const {
  const std::lock_guard lock(samples_mutex_);
  return samples_.empty() ? std::nullopt : std::optional(samples_.back());
}

Result<void> StateMachine::examine(const CheckState& report) {
  const auto mine = std::ranges::find(samples_, report.sampled, &HashSample::index);
  if (mine == samples_.end()) return {};  // Not taken in this life, or too long ago.
  StateHash theirs{report.shards, report.cell};
  if (theirs == mine->hash) return {};
  ++differing_reports_;
  auto& others = differing_[report.sampled];
  others[report.node] = theirs;
  const auto agreeing = static_cast<std::size_t>(
      std::ranges::count_if(others, [&](const auto& at) { return at.second == theirs; }));
  if (agreeing < std::max<std::size_t>(agreeing_min, report.quorum)) return {};
  return Error{
      ErrorCode::corrupt,
      fmt::format("diverged: at index {} this node's state differs from that of {} nodes in {}; repair "
                  "it from a peer",
                  report.sampled.value, agreeing, differing_parts(mine->hash, theirs))};
}

}  // namespace troupe
