#pragma once
// Which entities are awake, when they want to be woken, and how often their actors crashed. Pure bookkeeping
// of the directory; nothing survives.

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>

#include <algorithm>
#include <array>

#include "actors/entities/entity_meter.hpp"
#include "actors/messages.hpp"

namespace troupe {

/// A restart's pause doubles with each crash; OTP's restart intensity, as data.
struct CrashRule {
  static constexpr milliseconds pause_first{10};
  static constexpr milliseconds window{60'000};
  static constexpr int crashes_max = 5;  ///< within the window; the next sets the entity aside
};

class Activations {
 public:
  struct Active {
    caf::actor actor;
    std::uint64_t nudges = 0;
    Instant wake;  ///< unset: none
    Instant since;
    EntityMeterPtr meter;
    std::uint64_t sent = 0;  ///< messages; the meter has those handled
    std::string last_error;

    std::uint64_t handled() const { return meter->handled.load(std::memory_order_relaxed); }
    std::uint64_t waiting() const { return sent - std::min(sent, handled()); }
  };
  /// Of one kind, since the node started; who is awake now not included in `handled`.
  struct Past {
    std::uint64_t activations = 0;
    std::uint64_t handled = 0;
    std::uint64_t crashes = 0;
  };

  Active* find(const EntityRef& entity) {
    const auto found = active_.find(entity);
    return found == active_.end() ? nullptr : &found->second;
  }
  Active& add(const EntityRef& entity, caf::actor actor, EntityMeterPtr meter, Instant now) {
    by_address_.emplace(actor.address(), entity);
    ++past_of(entity.kind).activations;
    Active& active = active_[entity];
    active = {std::move(actor), 0, {}, now, std::move(meter), 0, {}};
    if (const auto found = crashes_.find(entity); found != crashes_.end())
      active.last_error = found->second.why;
    return active;
  }
  /// The actor, to be told; its later down message is nobody's.
  caf::actor remove(const EntityRef& entity) {
    const auto found = active_.find(entity);
    caf::actor actor = found->second.actor;
    set_wake(found->second, entity, {});
    past_of(entity.kind).handled += found->second.handled();
    by_address_.erase(actor.address());
    active_.erase(found);
    return actor;
  }
  std::optional<EntityRef> entity_of(const caf::actor_addr& address) const {
    const auto found = by_address_.find(address);
    if (found == by_address_.end()) return std::nullopt;
    return found->second;
  }
  void set_wake(Active& active, const EntityRef& entity, Instant at) {
    if (active.wake.is_set()) wakes_.erase({active.wake, entity});
    active.wake = at;
    if (at.is_set()) wakes_.insert({at, entity});
  }
  /// Due ones, each once.
  std::vector<EntityRef> take_due(Instant now) {
    std::vector<EntityRef> due;
    while (!wakes_.empty() && wakes_.begin()->first <= now) {
      const EntityRef entity = wakes_.begin()->second;
      wakes_.erase(wakes_.begin());
      active_.at(entity).wake = {};
      due.push_back(entity);
    }
    return due;
  }
  std::vector<EntityRef> all() const {
    std::vector<EntityRef> entities;
    for (const auto& [entity, active] : active_) entities.push_back(entity);
    return entities;
  }
  std::vector<EntityRef> all_of(EntityKind kind) const {
    std::vector<EntityRef> entities;
    for (auto next = active_.lower_bound(EntityRef{kind, {}});
         next != active_.end() && next->first.kind == kind; ++next)
      entities.push_back(next->first);
    return entities;
  }
  const absl::btree_map<EntityRef, Active>& active() const { return active_; }

  // ---- crashes ----
  /// Notes a crash. The time before which it is not activated again; nullopt: set it aside.
  std::optional<Instant> crashed(const EntityRef& entity, Instant now, const std::string& why) {
    ++past_of(entity.kind).crashes;
    Crashes& crashes = crashes_[entity];
    if (now - crashes.first > CrashRule::window) crashes = {now, 0, {}, {}};
    crashes.why = why;
    if (++crashes.count > CrashRule::crashes_max) {
      crashes_.erase(entity);
      return std::nullopt;
    }
    crashes.not_before = now + CrashRule::pause_first * (1 << (crashes.count - 1));
    return crashes.not_before;
  }
  /// It is given another chance at once.
  void forgive(const EntityRef& entity) { crashes_.erase(entity); }
  void forgive_all() { crashes_.clear(); }
  int crashes(const EntityRef& entity) const {
    const auto found = crashes_.find(entity);
    return found == crashes_.end() ? 0 : found->second.count;
  }
  const Past& past(EntityKind kind) const { return past_.at(static_cast<std::size_t>(kind)); }
  bool may_activate(const EntityRef& entity, Instant now) const {
    const auto found = crashes_.find(entity);
    return found == crashes_.end() || found->second.not_before <= now;
  }
  void forget_old_crashes(Instant now) {
    for (auto next = crashes_.begin(); next != crashes_.end();) {
      const auto at = next++;
      if (now - at->second.first > CrashRule::window) crashes_.erase(at);
    }
  }

 private:
  struct Crashes {
    Instant first;
    int count = 0;
    Instant not_before;
    std::string why;
  };
  Past& past_of(EntityKind kind) { return past_.at(static_cast<std::size_t>(kind)); }
  absl::btree_map<EntityRef, Active> active_;
  std::map<caf::actor_addr, EntityRef> by_address_;
  absl::btree_set<std::pair<Instant, EntityRef>> wakes_;
  std::map<EntityRef, Crashes> crashes_;
  std::array<Past, static_cast<std::size_t>(max_value(EntityKind::group)) + 1> past_;
};

}  // namespace troupe
