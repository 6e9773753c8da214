// The cell's own commands: bootstrap, level, policy, shards, quarantine.

#include <fmt/core.h>

#include <set>

#include "storage/base/planted_bug.hpp"
#include "storage/state/apply.hpp"

namespace troupe {

namespace {

constexpr std::string_view fallback_group = "DEFAULT";

}  // namespace

std::string clipped(std::string text) {
  if (text.size() <= message_bytes_max) return text;
  std::size_t end = message_bytes_max;
  // Not inside a character of UTF-8: its later bytes begin with the bits 10.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

bool is_possible(const Resources& resources) {
  bool possible = true;
  each_field(resources, [&](std::string_view, std::int64_t amount) {
    possible = possible && amount >= 0 && amount <= resource_max;
  });
  return possible;
}

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
    if (tables.shard(fence->shard).record.epoch != fence->epoch && !planted(Bug::stale_owner_accepted))
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
  fallback.name = std::string(fallback_group);
  fallback.version = stage_.index();
  stage_.put_group(std::move(fallback));
  return {};
}

Result<void> CommandApply::operator()(const RaiseLevel& body) {
  if (body.level <= stage_.cell().level) return {};
  if (body.level != stage_.cell().level + 1)
    return Error{ErrorCode::precondition_failed, "levels are raised one at a time"};
  stage_.edit_cell().level = body.level;
  if (body.level == level_of_ports) count_ports_of_hosts();
  return {};
}

namespace {

std::optional<Error> check_rates(const std::vector<RateRule>& rates) {
  const auto refuse = [](std::string why) { return Error{ErrorCode::invalid_argument, std::move(why)}; };
  if (rates.size() > rate_rules_max) return refuse(fmt::format("at most {} rates are kept", rate_rules_max));
  std::set<std::string_view> names;
  for (const RateRule& rule : rates) {
    if (rule.name.empty() || rule.name.size() > rate_text_bytes_max || !names.insert(rule.name).second)
      return refuse("each rate needs a name of its own");
    if (rule.caller.size() > rate_text_bytes_max || rule.endpoint.size() > rate_text_bytes_max)
      return refuse(fmt::format("a rate's patterns have at most {} bytes", rate_text_bytes_max));
    if (rule.burst == 0 || rule.per_minute == 0)
      return refuse("a rate lets through at least one call at once and one in a minute");
  }
  return std::nullopt;
}

}  // namespace

Result<void> CommandApply::operator()(const SetPolicy& body) {
  if (const auto wrong = check_rates(body.policy.rates)) return *wrong;
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
  if (!is_possible(body.group.instance) || body.group.instance_count > group_instances_max)
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("a group's reservation is out of bounds: at most {} instances, each amount 0 to {}",
                    group_instances_max, resource_max)};
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

Result<void> CommandApply::operator()(const PauseScheduling& body) {
  const CellTables& cell = stage_.tables().cell;
  const SchedulingScope& scope = body.scope;
  if (scope.kind == SchedulingScope::Kind::group && !cell.groups.contains(scope.group))
    return Error{ErrorCode::not_found, "there is no capacity group " + scope.group};
  if (scope.kind == SchedulingScope::Kind::host && stage_.host(scope.host) == nullptr)
    return Error{ErrorCode::not_found, "no host " + to_text(scope.host)};
  if (cell.pauses.contains(scope.text()) == body.paused) return {};
  std::optional<PauseRecord> pause;
  if (body.paused) pause = PauseRecord{stage_.now(), clipped(command_.caller), clipped(command_.reason)};
  stage_.put_pause(scope, std::move(pause));
  return {};
}

CommandApply::Check CommandApply::check_pauses(HostId host, const std::string& group) const {
  const auto& pauses = stage_.tables().cell.pauses;
  if (pauses.empty()) return std::nullopt;
  using Kind = SchedulingScope::Kind;
  for (const SchedulingScope& one :
       {SchedulingScope{}, SchedulingScope{Kind::group, group, {}}, SchedulingScope{Kind::host, {}, host}})
    if (const std::string scope = one.text(); pauses.contains(scope))
      return Error{ErrorCode::precondition_failed, "scheduling of " + scope + " is paused"};
  return std::nullopt;
}

Result<void> CommandApply::operator()(const DeleteGroup& body) {
  const CellTables& cell = stage_.tables().cell;
  if (!cell.groups.contains(body.name))
    return Error{ErrorCode::not_found, "there is no capacity group " + body.name};
  if (body.name == fallback_group)
    return Error{ErrorCode::invalid_argument, "the capacity group " + body.name + " cannot be deleted"};
  const auto entry = cell.group_entries.find(body.name);
  if (const std::uint64_t jobs = entry == cell.group_entries.end() ? 0 : entry->second.use.jobs; jobs > 0)
    return Error{ErrorCode::precondition_failed,
                 fmt::format("{} live jobs use the capacity group {}: end them first", jobs, body.name)};
  stage_.drop_group(body.name);
  return {};
}

Result<void> CommandApply::operator()(const NoteGroups& body) {
  return each_item(body.items, [&](const NoteGroups::Item& item) { return note(item); });
}

CommandApply::Check CommandApply::note(const NoteGroups::Item& item) {
  auto condition = stage_.condition(item.name);
  if (!condition) return Error{ErrorCode::not_found, "no such capacity group"};
  const auto* fence = std::get_if<EpochFence>(&command_.fence);
  if (fence == nullptr || shard_of(EntityRef::of_group(item.name), stage_.cell().shard_count) != fence->shard)
    return Error{ErrorCode::fenced, "of another shard"};
  if (condition->version != item.expected)
    return Error{ErrorCode::precondition_failed, "the group's condition has changed"};
  const bool is_over = !item.waiting_since.is_set();
  if (is_over || !condition->is_raised()) condition->raised = is_over ? Instant{} : stage_.now();
  condition->noted = is_over ? Instant{} : stage_.now();
  condition->waiting_since = item.waiting_since;
  condition->waiting = is_over ? 0 : item.waiting;
  stage_.put_condition(*std::move(condition));
  return std::nullopt;
}

namespace {

template <class Record>
std::optional<std::string> mark_of(const Record* record) {
  if (record == nullptr) return std::nullopt;
  return std::string(std::string_view(record->set_aside));
}

}  // namespace

std::optional<std::string> CommandApply::set_aside_mark(const EntityRef& entity) const {
  switch (entity.kind) {
    case EntityKind::job:
      return mark_of(stage_.job(entity.job()));
    case EntityKind::task:
      return mark_of(stage_.task(entity.task()));
    case EntityKind::host:
      return mark_of(stage_.host(entity.host()));
    case EntityKind::group: {
      const auto condition = stage_.condition(entity);
      return mark_of(condition ? &*condition : nullptr);
    }
  }
  return std::nullopt;
}

void CommandApply::put_set_aside_mark(const EntityRef& entity, std::string why) {
  switch (entity.kind) {
    case EntityKind::job:
      stage_.edit_job(entity.job()).set_aside = why;
      return;
    case EntityKind::task:
      stage_.edit_task(entity.task()).set_aside = why;
      return;
    case EntityKind::host:
      stage_.edit_host(entity.host()).set_aside = why;
      return;
    case EntityKind::group: {
      auto condition = stage_.condition(entity);
      TROUPE_CHECK(condition.has_value());
      condition->set_aside = std::move(why);
      stage_.put_condition(*std::move(condition));
      return;
    }
  }
}

Result<void> CommandApply::operator()(const SetAside& body) {
  const auto mark = set_aside_mark(body.entity);
  if (!mark) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (!mark->empty()) return {};
  put_set_aside_mark(body.entity, body.why.empty() ? "set aside" : clipped(body.why));
  return {};
}

Result<void> CommandApply::operator()(const Release& body) {
  const auto mark = set_aside_mark(body.entity);
  if (!mark) return Error{ErrorCode::not_found, body.entity.text() + " does not live"};
  if (mark->empty()) return Error{ErrorCode::precondition_failed, body.entity.text() + " is not set aside"};
  put_set_aside_mark(body.entity, {});
  return {};
}

}  // namespace troupe
