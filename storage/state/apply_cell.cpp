// The cell's own commands: bootstrap, level, policy, shards, quarantine.

#include <fmt/core.h>

#include "storage/state/apply.hpp"

namespace troupe {

Result<void> CommandApply::run() {
  if (command_.level > stage_.cell().level)
    return Error{ErrorCode::precondition_failed, fmt::format("needs feature level {}, the cell is at {}",
                                                             command_.level, stage_.cell().level)};
  if (auto fence = check_fence(); !fence.ok()) return fence;
  if (stage_.cell().name.empty() && !std::holds_alternative<BootstrapCell>(command_.body))
    return Error{ErrorCode::unavailable, "the cell is not bootstrapped yet"};
  return std::visit(*this, command_.body);
}

Result<void> CommandApply::check_fence() const {
  const FenceKind wanted = command_row(command_.number()).fence;
  if (const auto* fence = std::get_if<TermFence>(&command_.fence)) {
    if (wanted != FenceKind::term) return Error{ErrorCode::fenced, "this command takes no term fence"};
    if (fence->term != term_) return Error{ErrorCode::fenced, "proposed in another term"};
    return {};
  }
  if (const auto* fence = std::get_if<EpochFence>(&command_.fence)) {
    if (wanted != FenceKind::epoch && wanted != FenceKind::optional_epoch)
      return Error{ErrorCode::fenced, "this command takes no epoch fence"};
    const Tables& tables = stage_.tables();
    if (fence->shard.value >= tables.shards.size()) return Error{ErrorCode::fenced, "no such shard"};
    if (tables.shard(fence->shard).record.epoch != fence->epoch)
      return Error{ErrorCode::fenced, "the shard has moved to another owner"};
    return {};
  }
  if (wanted == FenceKind::term || wanted == FenceKind::epoch)
    return Error{ErrorCode::fenced, "this command needs a fence"};
  return {};
}

Result<void> CommandApply::operator()(const BootstrapCell& body) {
  if (!stage_.cell().name.empty())
    return Error{ErrorCode::precondition_failed, "the cell is bootstrapped already"};
  if (body.name.empty() || body.shard_count == 0 || body.shard_count > 256)
    return Error{ErrorCode::invalid_argument, "a cell needs a name and 1 to 256 shards"};
  CellRecord& cell = stage_.edit_cell();
  cell.name = body.name;
  cell.shard_count = body.shard_count;
  cell.policy = body.policy;
  for (std::uint16_t n = 0; n < body.shard_count; ++n) stage_.put_shard({ShardId{n}, NodeId{}, Epoch{}});
  GroupRecord fallback;
  fallback.name = "DEFAULT";
  fallback.version = stage_.index();
  stage_.put_group(std::move(fallback));
  return {};
}

Result<void> CommandApply::operator()(const RaiseLevel& body) {
  if (body.level <= stage_.cell().level) return {};
  if (body.level != stage_.cell().level + 1)
    return Error{ErrorCode::precondition_failed, "levels are raised one at a time"};
  stage_.edit_cell().level = body.level;
  return {};
}

Result<void> CommandApply::operator()(const SetPolicy& body) {
  if (stage_.cell().policy == body.policy) return {};
  stage_.edit_cell().policy = body.policy;
  return {};
}

Result<void> CommandApply::operator()(const AssignShards& body) {
  return each_item(body.moves, [&](const AssignShards::Move& move) -> Check {
    if (move.shard.value >= stage_.tables().shards.size())
      return Error{ErrorCode::not_found, "no such shard"};
    const ShardRecord& before = stage_.tables().shard(move.shard).record;
    if (before.epoch != move.expected)
      return Error{ErrorCode::precondition_failed, "the shard has moved already"};
    stage_.put_shard({move.shard, move.owner, before.epoch.next()});
    return std::nullopt;
  });
}

Result<void> CommandApply::operator()(const PutGroup& body) {
  if (body.group.name.empty() || body.group.name.size() > 256)
    return Error{ErrorCode::invalid_argument, "a capacity group's name has 1 to 256 characters"};
  GroupRecord group = body.group;
  group.version = stage_.index();
  stage_.put_group(std::move(group));
  return {};
}

std::string* CommandApply::set_aside_mark(const EntityRef& entity) {
  switch (entity.kind) {
    case EntityKind::job:
      return stage_.job(entity.job()) ? &stage_.edit_job(entity.job()).set_aside : nullptr;
    case EntityKind::task:
      return stage_.task(entity.task()) ? &stage_.edit_task(entity.task()).set_aside : nullptr;
    case EntityKind::host:
      return stage_.host(entity.host()) ? &stage_.edit_host(entity.host()).set_aside : nullptr;
    case EntityKind::group:
      return nullptr;
  }
  return nullptr;
}

Result<void> CommandApply::operator()(const SetAside& body) {
  std::string* mark = set_aside_mark(body.entity);
  if (mark == nullptr) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (mark->empty()) *mark = body.why.empty() ? "set aside" : body.why;
  return {};
}

Result<void> CommandApply::operator()(const Release& body) {
  std::string* mark = set_aside_mark(body.entity);
  if (mark == nullptr) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (mark->empty()) return Error{ErrorCode::precondition_failed, body.entity.text() + " is not set aside"};
  mark->clear();
  return {};
}

}  // namespace troupe
