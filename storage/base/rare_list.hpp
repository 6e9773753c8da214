#pragma once

#include <memory>
#include <vector>

#include "storage/base/msgpack.hpp"

namespace troupe {

/// Values that are nearly always none, for records of which a million live at once: eight bytes while they
/// are. Packed like a vector.
template <class T>
class RareList {
 public:
  RareList() = default;
  RareList(std::vector<T> values) { *this = std::move(values); }
  RareList(const RareList& other) : RareList(other.values()) {}
  RareList(RareList&&) noexcept = default;
  ~RareList() = default;
  RareList& operator=(const RareList& other) { return *this = std::vector<T>(other.values()); }
  RareList& operator=(RareList&&) noexcept = default;
  RareList& operator=(std::vector<T> values) {
    values_ = values.empty() ? nullptr : std::make_unique<const std::vector<T>>(std::move(values));
    return *this;
  }

  bool empty() const { return values_ == nullptr; }
  const std::vector<T>& values() const {
    static const std::vector<T> nothing;
    return values_ != nullptr ? *values_ : nothing;
  }
  friend bool operator==(const RareList& a, const RareList& b) { return a.values() == b.values(); }

 private:
  std::unique_ptr<const std::vector<T>> values_;  ///< never an empty one
};

template <class T>
void pack(PackWriter& w, const RareList<T>& list) {
  pack(w, list.values());
}
template <class T>
void unpack(PackReader& r, RareList<T>& list) {
  std::vector<T> values;
  unpack(r, values);
  list = std::move(values);
}

}  // namespace troupe
