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
  if (body.name.empty() || body.shard_count == 0 || body.shard_count > shard_count_max)
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
    const Epoch epoch = stage_.shard(move.shard).epoch;
    if (epoch != move.expected) return Error{ErrorCode::precondition_failed, "the shard has moved already"};
    stage_.put_shard({move.shard, move.owner, epoch.next()});
    return std::nullopt;
  });
}

Result<void> CommandApply::operator()(const PutGroup& body) {
  if (body.group.name.empty() || body.group.name.size() > 256)
    return Error{ErrorCode::invalid_argument, "a capacity group's name has 1 to 256 characters"};
  GroupRecord group = body.group;
  const auto& groups = stage_.tables().cell.groups;
  if (const auto found = groups.find(group.name); found != groups.end()) {
    group.version = found->second.version;
    if (group == found->second) return {};
  }
  group.version = stage_.index();
  stage_.put_group(std::move(group));
  return {};
}

const RareText* CommandApply::set_aside_mark(const EntityRef& entity) const {
  switch (entity.kind) {
    case EntityKind::job: {
      const JobRecord* job = stage_.job(entity.job());
      return job != nullptr ? &job->set_aside : nullptr;
    }
    case EntityKind::task: {
      const TaskRecord* task = stage_.task(entity.task());
      return task != nullptr ? &task->set_aside : nullptr;
    }
    case EntityKind::host: {
      const HostRecord* host = stage_.host(entity.host());
      return host != nullptr ? &host->set_aside : nullptr;
    }
    case EntityKind::group:
      return nullptr;
  }
  return nullptr;
}

RareText& CommandApply::edit_set_aside_mark(const EntityRef& entity) {
  TROUPE_CHECK(entity.kind != EntityKind::group);
  if (entity.kind == EntityKind::job) return stage_.edit_job(entity.job()).set_aside;
  if (entity.kind == EntityKind::task) return stage_.edit_task(entity.task()).set_aside;
  return stage_.edit_host(entity.host()).set_aside;
}

Result<void> CommandApply::operator()(const SetAside& body) {
  const RareText* mark = set_aside_mark(body.entity);
  if (mark == nullptr) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (!mark->empty()) return {};
  edit_set_aside_mark(body.entity) =
      body.why.empty() ? std::string_view("set aside") : std::string_view(body.why);
  return {};
}

Result<void> CommandApply::operator()(const Release& body) {
  const RareText* mark = set_aside_mark(body.entity);
  if (mark == nullptr) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (mark->empty()) return Error{ErrorCode::precondition_failed, body.entity.text() + " is not set aside"};
  edit_set_aside_mark(body.entity).clear();
  return {};
}

}  // namespace troupe
