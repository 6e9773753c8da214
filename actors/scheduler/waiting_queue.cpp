#include "actors/scheduler/waiting_queue.hpp"

#include <iterator>
#include <limits>

namespace troupe::scheduler {
namespace {

std::string class_key(const Demand& demand) {
  Bytes key = demand.needs.text();
  PackWriter writer(key);
  pack(writer, demand.resources);
  pack(writer, demand.unique_job);
  pack(writer, demand.needs.exclusive_host);
  return key;
}

}  // namespace

Turn turn_of(const QueuedTask& task) {
  return {task.tier, std::numeric_limits<std::uint32_t>::max() - task.priority, task.order, task.task};
}

TaskClass* WaitingQueue::join(const QueuedTask& task) {
  if (const auto known = by_descriptor_.find(task.descriptor.get()); known != by_descriptor_.end()) {
    ++known->second->tasks;
    return known->second;
  }
  Demand demand;
  demand.resources = task.descriptor->resources;
  demand.needs = needs_of(*task.descriptor);
  if (demand.needs.unique_host) demand.unique_job = task.job;
  std::string key = class_key(demand);
  auto& slot = classes_[key];
  if (!slot) {
    slot = std::make_unique<TaskClass>();
    slot->number = ++count_;
    slot->key = std::move(key);
    slot->demand = std::move(demand);
    slot->demand.pool = inventory_.join_pool(slot->demand.needs);
  }
  ++slot->tasks;
  // Two jobs may share a descriptor, and be two classes for all that.
  if (!slot->demand.needs.unique_host && slot->descriptors.size() < descriptors_max) {
    slot->descriptors.push_back(task.descriptor);
    by_descriptor_.emplace(task.descriptor.get(), slot.get());
  }
  return slot.get();
}

void WaitingQueue::leave(TaskClass* kind) {
  if (--kind->tasks != 0) return;
  TROUPE_CHECK(kind->waiting.empty());
  for (const auto& descriptor : kind->descriptors) by_descriptor_.erase(descriptor.get());
  blocked_.erase(kind->number);
  inventory_.leave_pool(kind->demand.pool);
  classes_.erase(classes_.find(kind->key));
}

void WaitingQueue::lift(TaskClass* kind) {
  if (!kind->is_blocked && !kind->waiting.empty()) heads_.emplace(*kind->waiting.begin(), kind);
}

void WaitingQueue::lower(TaskClass* kind) {
  if (!kind->is_blocked && !kind->waiting.empty()) heads_.erase(*kind->waiting.begin());
}

void WaitingQueue::wait(TaskClass* kind, const Turn& turn) {
  lower(kind);
  kind->waiting.insert(turn);
  lift(kind);
}

void WaitingQueue::stop_waiting(TaskClass* kind, const Turn& turn) {
  lower(kind);
  kind->waiting.erase(turn);
  lift(kind);
}

void WaitingQueue::block(TaskClass* kind) {
  lower(kind);
  kind->is_blocked = true;
  blocked_.emplace(kind->number, kind);
}

void WaitingQueue::unblock() {
  if (!inventory_.has_improved()) return;
  for (auto at = blocked_.begin(); at != blocked_.end();) {
    TaskClass* kind = at->second;
    if (!inventory_.may_help(kind->demand)) {
      ++at;
      continue;
    }
    at = blocked_.erase(at);
    kind->is_blocked = false;
    lift(kind);
  }
  inventory_.clear_improved();
}

std::size_t WaitingQueue::before(const Turn& turn) const {
  std::size_t sum = 0;
  for (const auto& [key, kind] : classes_) {
    sum += static_cast<std::size_t>(std::distance(kind->waiting.begin(), kind->waiting.lower_bound(turn)));
  }
  return sum;
}

}  // namespace troupe::scheduler
