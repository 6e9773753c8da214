#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "storage/base/check.hpp"

namespace troupe {

/// Records in chunks at addresses that stay, with an index of four bytes per record: the id lies in the
/// record itself. Linear probing with backward-shift deletion (Knuth 6.4R). One writer; readers under the
/// owner's lock.
///
/// Entry must have `id()` returning the Id. Order of iteration is not deterministic across restarts: never
/// decide by it.
template <class Entry, class Id>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (std::uint32_t n = 0; n < buckets_.size(); ++n)
      if (buckets_[n] != 0) at(buckets_[n] - 1).~Entry();
  }

  std::size_t size() const { return size_; }

  Entry* find(const Id& id) { return const_cast<Entry*>(std::as_const(*this).find(id)); }
  const Entry* find(const Id& id) const {
    if (size_ == 0) return nullptr;
    for (std::size_t n = home(id);; n = (n + 1) & mask()) {
      if (buckets_[n] == 0) return nullptr;
      const Entry& entry = at(buckets_[n] - 1);
      if (entry.id() == id) return &entry;
    }
  }

  /// The id must be new.
  Entry& insert(Entry entry) {
    if ((size_ + 1) * 10 > buckets_.size() * 7) grow();
    const std::uint32_t place = take_place();
    Entry* made = new (address(place)) Entry(std::move(entry));
    std::size_t n = home(made->id());
    for (; buckets_[n] != 0; n = (n + 1) & mask()) TROUPE_CHECK(!(at(buckets_[n] - 1).id() == made->id()));
    buckets_[n] = place + 1;
    taken_[place] = true;
    ++size_;
    return *made;
  }

  void erase(const Id& id) {
    std::size_t n = home(id);
    for (;; n = (n + 1) & mask()) {
      TROUPE_CHECK(buckets_[n] != 0);
      if (at(buckets_[n] - 1).id() == id) break;
    }
    const std::uint32_t place = buckets_[n] - 1;
    at(place).~Entry();
    taken_[place] = false;
    free_.push_back(place);
    close_gap(n);
    --size_;
  }

  template <class Visit>
  void each(Visit visit) {
    for (const std::uint32_t bucket : buckets_)
      if (bucket != 0) visit(at(bucket - 1));
  }
  template <class Visit>
  void each(Visit visit) const {
    for (const std::uint32_t bucket : buckets_)
      if (bucket != 0) visit(at(bucket - 1));
  }

  /// In the order of memory, which is many times faster than by buckets: visits what is at the next `count`
  /// places from `first` on. Answers where to go on; nothing after the last place. What stays in the slab
  /// from the first to the last call is met once, whatever came and went between them.
  template <class Visit>
  std::optional<std::size_t> scan(std::size_t first, std::size_t count, Visit visit) const {
    const std::size_t end = std::min(taken_.size(), first + count);
    for (std::size_t place = first; place < end; ++place)
      if (taken_[place]) visit(at(static_cast<std::uint32_t>(place)));
    return end < taken_.size() ? std::optional(end) : std::nullopt;
  }

 private:
  static constexpr std::uint32_t chunk_entries = 256;
  struct alignas(Entry) Room {
    std::byte bytes[sizeof(Entry)];
  };

  std::size_t mask() const { return buckets_.size() - 1; }
  std::size_t home(const Id& id) const {
    return static_cast<std::size_t>(id.hash() * 0x9e3779b97f4a7c15ULL >> 20) & mask();
  }
  Room* address(std::uint32_t place) const { return &chunks_[place / chunk_entries][place % chunk_entries]; }
  Entry& at(std::uint32_t place) const { return *std::launder(reinterpret_cast<Entry*>(address(place))); }

  std::uint32_t take_place() {
    if (free_.empty()) {
      const auto base = static_cast<std::uint32_t>(chunks_.size()) * chunk_entries;
      chunks_.push_back(std::make_unique<Room[]>(chunk_entries));
      taken_.resize(taken_.size() + chunk_entries);
      for (std::uint32_t i = chunk_entries; i > 0; --i) free_.push_back(base + i - 1);
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }

  void grow() {
    std::vector<std::uint32_t> old(buckets_.empty() ? 16 : buckets_.size() * 2, 0);
    old.swap(buckets_);
    for (const std::uint32_t bucket : old) {
      if (bucket == 0) continue;
      std::size_t n = home(at(bucket - 1).id());
      while (buckets_[n] != 0) n = (n + 1) & mask();
      buckets_[n] = bucket;
    }
  }

  void close_gap(std::size_t gap) {
    buckets_[gap] = 0;
    for (std::size_t n = (gap + 1) & mask(); buckets_[n] != 0; n = (n + 1) & mask()) {
      const std::size_t wanted = home(at(buckets_[n] - 1).id());
      // Moves back only what the gap now hides from its home, cyclically.
      if (((n - wanted) & mask()) < ((n - gap) & mask())) continue;
      buckets_[gap] = buckets_[n];
      buckets_[n] = 0;
      gap = n;
    }
  }

  std::vector<std::unique_ptr<Room[]>> chunks_;
  std::vector<bool> taken_;  ///< by place
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> buckets_;  ///< place + 1; 0 is empty
  std::size_t size_ = 0;
};

}  // namespace troupe
