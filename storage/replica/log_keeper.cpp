#include "storage/replica/log_keeper.hpp"

#include <algorithm>

#include "storage/base/msgpack.hpp"
#include "storage/replica/mutant.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t steps =
    8;  // A cut takes an eighth of what is kept: it costs a write and a scan of files.

}  // namespace

void LogKeeper::committed(const raft::Entry& entry) {
  if (entry.kind != raft::EntryKind::config) return;
  if (!configs_.empty() && configs_.back().index >= entry.index) return;
  auto membership = unpacked<raft::Membership>(entry.data.view());
  TROUPE_CHECK(membership.ok());
  configs_.push_back({entry.index, std::move(membership).value()});
}

void LogKeeper::flushed(Index index, Moment now) {
  caring_ = false;
  if (index <= flushed_) return;
  flushed_ = index;
  flushed_at_ = now;
}

std::optional<Index> LogKeeper::edge(const LogCache& log, Index applied) const {
  const Index bound = mutated(replica::Mutant::compact_unflushed) ? applied : std::min(flushed_, applied);
  const Index first{log.first().value - 1};
  Index edge{bound.value - std::min(bound.value, retention_.entries_max)};
  edge = std::max(edge, log.sizes().reaching_back(bound, retention_.bytes_max));
  for (const auto& [receiver, snapshot] : pins_)
    if (log.sizes().behind(std::max(snapshot, first)) <= retention_.pinned_bytes_max)
      edge = std::min(edge, snapshot);
  if (edge <= first) return std::nullopt;
  const bool many = edge.value - first.value >= std::max<std::uint64_t>(1, retention_.entries_max / steps);
  const bool large = log.sizes().behind(first) - log.sizes().behind(edge) >= retention_.bytes_max / steps;
  if (!many && !large) return std::nullopt;
  return edge;
}

const raft::Membership& LogKeeper::cut(Index edge) {
  while (!configs_.empty() && configs_.front().index <= edge) {
    if (!mutated(replica::Mutant::compact_keeps_config)) at_edge_ = std::move(configs_.front().membership);
    configs_.pop_front();
  }
  return at_edge_;
}

StateCare LogKeeper::care(const LogCache& log, Index applied, Moment now) {
  if (flushed_at_ == Moment{}) flushed_at_ = now;
  if (caring_ || applied <= flushed_) return StateCare::none;
  caring_ = true;
  const std::uint64_t behind = log.sizes().behind(flushed_) - log.sizes().behind(applied);
  const bool due = behind >= retention_.flush_bytes || now - flushed_at_ >= retention_.flush_every;
  return due ? StateCare::flush : StateCare::look;
}

}  // namespace troupe
