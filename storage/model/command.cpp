#include "storage/model/command.hpp"

#include <xxhash.h>

#include <algorithm>

#include "storage/model/command_table.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/gang.hpp"

namespace troupe {
namespace {

constexpr char command_magic = '\x01';     // The first format; another byte would be another format.
constexpr std::size_t envelope_parts = 8;  // A newer release may write more behind the body.

template <std::size_t I = 0>
bool unpack_body(PackReader& r, std::size_t index, CommandBody& body) {
  if constexpr (I < std::variant_size_v<CommandBody>) {
    if (index != I) return unpack_body<I + 1>(r, index, body);
    unpack(r, body.emplace<I>());
    return true;
  } else {
    return false;
  }
}

/// The command's number is the seed: bodies of two commands may look alike.
std::uint64_t hash_of(BytesView bytes, std::size_t number) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), number);
}

}  // namespace

std::string_view kind_text(EntityKind kind) {
  switch (kind) {
    case EntityKind::job:
      return "job";
    case EntityKind::task:
      return "task";
    case EntityKind::host:
      return "host";
    case EntityKind::group:
      return "group";
  }
  return {};
}

EntityRef EntityRef::of(HostId id) {
  EntityRef ref{EntityKind::host, {}};
  std::memcpy(ref.key.data(), &id.value, sizeof id.value);
  return ref;
}

EntityRef EntityRef::of_group(std::string_view name) {
  EntityRef ref{EntityKind::group, {}};
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(name.data(), name.size()));
  std::memcpy(ref.key.data(), hash.digest, ref.key.size());
  return ref;
}

HostId EntityRef::host() const {
  HostId id;
  std::memcpy(&id.value, key.data(), sizeof id.value);
  return id;
}

std::string EntityRef::text() const {
  std::string out(kind_text(kind));
  out += '/';
  out += kind == EntityKind::host ? to_text(host()) : uuid_text(key);
  return out;
}

ShardId shard_of(const EntityRef& entity, std::uint16_t shard_count) {
  if (entity.kind == EntityKind::host) return shard_of(entity.host(), shard_count);
  return shard_of(entity.job(), shard_count);
}

std::string SchedulingScope::text() const {
  if (kind == Kind::group) return "group/" + group;
  return kind == Kind::host ? "host/" + to_text(host) : std::string("cell");
}

std::string_view command_name(const Command& command) { return command_row(command.number()).name; }

namespace {

std::string subject(const CreateJob& b) { return EntityRef::of(b.job).text(); }
std::string subject(const KillJob& b) { return EntityRef::of(b.job).text(); }
std::string subject(const ResizeJob& b) { return EntityRef::of(b.job).text(); }
std::string subject(const ChangeJob& b) { return EntityRef::of(b.job).text(); }
std::string subject(const ChangeTask& b) { return EntityRef::of(b.task).text(); }
std::string subject(const ShrinkJob& b) { return EntityRef::of(b.task).text(); }
std::string subject(const RetryJob& b) { return EntityRef::of(b.job).text(); }
std::string subject(const MoveTask& b) { return EntityRef::of(b.task).text(); }
std::string subject(const KillTasks& b) {
  return b.items.empty() ? std::string("cell") : EntityRef::of(b.items.front().task).text();
}
std::string subject(const SetHostPhase& b) { return EntityRef::of(b.host).text(); }
std::string subject(const RegisterHost& b) { return "host/" + b.name; }
std::string subject(const PutGroup& b) { return "group/" + b.group.name; }
std::string subject(const DeleteGroup& b) { return "group/" + b.name; }
std::string subject(const NoteOperation& b) { return b.what; }
std::string subject(const PauseScheduling& b) { return b.scope.text(); }
std::string subject(const SetAside& b) { return b.entity.text(); }
std::string subject(const Release& b) { return b.entity.text(); }
template <class Body>
std::string subject(const Body&) {
  return "cell";
}

}  // namespace

namespace {

bool has_limits(const CellPolicy& policy) {
  const CellPolicy usual;
  return policy.relaunch_burst != usual.relaunch_burst ||
         policy.relaunches_per_minute != usual.relaunches_per_minute ||
         policy.launch_burst != usual.launch_burst || !policy.launch_limit().is_none() ||
         policy.host_launch_burst != usual.host_launch_burst || !policy.host_launch_limit().is_none() ||
         policy.host_rest_first != usual.host_rest_first || policy.host_rest_max != usual.host_rest_max;
}

bool needs_ports(const CommandBody& body) {
  if (const auto* create = std::get_if<CreateJob>(&body))
    return create->descriptor != nullptr && create->descriptor->resources.ports != 0;
  const auto* group = std::get_if<PutGroup>(&body);
  return group != nullptr && group->group.instance.ports != 0;
}

}  // namespace

std::string subject_of(const CommandBody& body) {
  return std::visit([](const auto& any) { return subject(any); }, body);
}

Bytes encode(const Command& command) {
  Bytes out(1, command_magic);
  PackWriter w(out);
  w.array(envelope_parts);
  pack(w, command.number());
  pack(w, command.level);
  pack(w, command.fence);
  pack(w, command.proposal);
  pack(w, command.request);
  pack(w, command.caller);
  pack(w, command.reason);
  std::visit([&](const auto& body) { pack(w, body); }, command.body);
  return out;
}

Result<Command> decode_command(BytesView bytes) {
  const Error corrupt{ErrorCode::corrupt, "malformed command"};
  if (bytes.empty() || bytes.front() != command_magic) return corrupt;
  PackReader r(bytes.substr(1));
  const std::size_t parts = r.array();
  if (parts < envelope_parts) return corrupt;
  Command command;
  const std::uint64_t number = r.uint();
  unpack(r, command.level);
  unpack(r, command.fence);
  unpack(r, command.proposal);
  unpack(r, command.request);
  unpack(r, command.caller);
  unpack(r, command.reason);
  if (r.failed()) return corrupt;
  if (number == 0 || !unpack_body(r, number - 1, command.body))
    return Error{ErrorCode::unavailable, "unknown command number " + std::to_string(number) +
                                             ": this build is older than the log; upgrade this node"};
  for (std::size_t n = envelope_parts; n < parts && !r.failed(); ++n) r.skip();
  if (r.failed() || !r.at_end()) return corrupt;
  return command;
}

std::uint32_t level_needed(const CommandBody& body) {
  if (needs_ports(body)) return level_of_ports;
  constexpr std::uint32_t planned = 2;
  if (const auto* create = std::get_if<CreateJob>(&body); create != nullptr && !create->places.empty()) {
    const bool ends_others =
        std::ranges::any_of(create->places, [](const auto& place) { return !place.victims.empty(); });
    const bool is_gang = create->descriptor != nullptr && gang_patience(*create->descriptor).has_value();
    return ends_others && is_gang ? level_of_gang_plans : planned;
  }
  if (const auto* resize = std::get_if<ResizeJob>(&body); resize != nullptr && !resize->places.empty())
    return planned;
  if (const auto* place = std::get_if<PlaceTasks>(&body); place != nullptr && !place->together.empty())
    return planned;
  if (const auto* preempt = std::get_if<PreemptTasks>(&body);
      preempt != nullptr && !preempt->together.empty())
    return level_of_preempting_gangs;
  const auto* policy = std::get_if<SetPolicy>(&body);
  const auto* group = std::get_if<PutGroup>(&body);
  if ((policy != nullptr && has_limits(policy->policy)) ||
      (group != nullptr && (group->group.launch_burst != 1 || !group->group.launch_limit().is_none())))
    return level_of_budgets;
  return command_row(static_cast<std::uint16_t>(body.index() + 1)).level;
}

namespace {

/// Each attempt mints other ids.
std::vector<PlannedPlace> without_ids(std::vector<PlannedPlace> places) {
  for (PlannedPlace& place : places) place.task = {};
  return places;
}

}  // namespace

std::uint64_t request_hash(const CommandBody& body) {
  if (const auto* create = std::get_if<CreateJob>(&body)) {
    if (create->descriptor == nullptr) return 0;
    Bytes bytes = packed(*create->descriptor);
    if (!create->places.empty()) bytes += packed(without_ids(create->places));
    return hash_of(bytes, body.index());
  }
  if (const auto* resize = std::get_if<ResizeJob>(&body); resize != nullptr && !resize->places.empty()) {
    ResizeJob same = *resize;
    same.places = without_ids(std::move(same.places));
    return hash_of(packed(same), body.index());
  }
  return std::visit([&](const auto& any) { return hash_of(packed(any), body.index()); }, body);
}

}  // namespace troupe
