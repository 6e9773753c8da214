#include "actors/agent/oci/ready_parts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/agent/oci/id_namespace.hpp"

namespace troupe::agent {

ReadyParts::ReadyParts(EmptyDisks* disks) : disks_(disks), thread_([this] { work(); }) {}

ReadyParts::~ReadyParts() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  for (const ReadyDisk& disk : unwanted_) unlink(disk.image.c_str());
  for (const auto& [size, disks] : ready_)
    for (const ReadyDisk& disk : disks) unlink(disk.image.c_str());
}

std::optional<ReadyDisk> ReadyParts::take_disk(std::int64_t disk_mb) {
  if (disks_ == nullptr) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(sizes_, disk_mb, &Size::disk_mb);
  const Size size{disk_mb, known == sizes_.end() ? 1 : known->asked + 1};
  if (known != sizes_.end()) sizes_.erase(known);
  sizes_.push_front(size);
  if (sizes_.size() > sizes_max) {
    std::ranges::move(ready_[sizes_.back().disk_mb], std::back_inserter(unwanted_));
    ready_.erase(sizes_.back().disk_mb);
    sizes_.pop_back();
  }
  changed_.notify_one();
  auto& disks = ready_[disk_mb];
  if (disks.empty()) return std::nullopt;
  ReadyDisk disk = std::move(disks.front());
  disks.pop_front();
  return disk;
}

Fd ReadyParts::ids_of(std::uint32_t uid_first, std::uint32_t uid_count) {
  const std::lock_guard lock(mutex_);
  if (!ranges_.contains(uid_first) && ranges_.size() >= ranges_max) return {};
  Range& range = ranges_[uid_first];
  range.count = uid_count;
  if (range.ids.is_open()) return Fd(fcntl(range.ids.get(), F_DUPFD_CLOEXEC, 0));
  changed_.notify_one();
  return {};
}

void ReadyParts::await_made() {
  std::unique_lock lock(mutex_);
  made_.wait(lock, [this] { return unwanted_.empty() && !missing_disk() && !missing_ids(); });
}

void ReadyParts::work() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    if (drop_unwanted(lock)) continue;
    if (const auto disk_mb = missing_disk()) {
      make_disk(*disk_mb, lock);
    } else if (const auto uid_first = missing_ids()) {
      make_ids(*uid_first, lock);
    } else {
      made_.notify_all();
      changed_.wait(lock);
    }
  }
}

bool ReadyParts::drop_unwanted(std::unique_lock<std::mutex>& lock) {
  if (unwanted_.empty()) return false;
  std::vector<ReadyDisk> dropped = std::exchange(unwanted_, {});
  lock.unlock();
  for (const ReadyDisk& disk : dropped) unlink(disk.image.c_str());
  dropped.clear();
  lock.lock();
  return true;
}

std::optional<std::int64_t> ReadyParts::missing_disk() const {
  for (const Size& size : sizes_) {
    const auto disks = ready_.find(size.disk_mb);
    const bool is_full = disks != ready_.end() && disks->second.size() >= disks_each_max;
    if (size.asked >= asked_min && !is_full) return size.disk_mb;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> ReadyParts::missing_ids() const {
  for (const auto& [first, range] : ranges_)
    if (!range.ids.is_open() && !range.has_failed) return first;
  return std::nullopt;
}

void ReadyParts::make_disk(std::int64_t disk_mb, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto disk = disks_->make_ready(disk_mb);
  lock.lock();
  const auto size = std::ranges::find(sizes_, disk_mb, &Size::disk_mb);
  if (disk.ok() && size != sizes_.end())
    ready_[disk_mb].push_back(std::move(disk).value());
  else if (disk.ok())
    unwanted_.push_back(std::move(disk).value());
  else if (size != sizes_.end())
    size->asked = 0;  // Not again before it is asked for again.
}

void ReadyParts::make_ids(std::uint32_t uid_first, std::unique_lock<std::mutex>& lock) {
  const std::uint32_t count = ranges_.at(uid_first).count;
  lock.unlock();
  Fd ids = make_id_namespace(uid_first, count);
  lock.lock();
  Range& range = ranges_.at(uid_first);
  range.has_failed = !ids.is_open();
  range.ids = std::move(ids);
}

}  // namespace troupe::agent
