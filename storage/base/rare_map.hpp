#pragma once

#include <map>
#include <memory>
#include <string>

#include "storage/base/msgpack.hpp"

namespace troupe {

/// Names and values that are nearly always none, for records of which a million live at once: eight bytes
/// while they are. Packed like a map.
class RareMap {
 public:
  using Map = std::map<std::string, std::string>;
  RareMap() = default;
  RareMap(Map map) { *this = std::move(map); }
  RareMap(const RareMap& other) : RareMap(other.map()) {}
  RareMap(RareMap&&) noexcept = default;
  ~RareMap() = default;
  RareMap& operator=(const RareMap& other) { return *this = other.map(); }
  RareMap& operator=(RareMap&&) noexcept = default;
  RareMap& operator=(Map map) {
    map_ = map.empty() ? nullptr : std::make_unique<const Map>(std::move(map));
    return *this;
  }

  bool empty() const { return map_ == nullptr; }
  const Map& map() const {
    static const Map nothing;
    return map_ != nullptr ? *map_ : nothing;
  }
  friend bool operator==(const RareMap& a, const RareMap& b) { return a.map() == b.map(); }

 private:
  std::unique_ptr<const Map> map_;  ///< never an empty one
};

inline void pack(PackWriter& w, const RareMap& value) { pack(w, value.map()); }
inline void unpack(PackReader& r, RareMap& value) {
  RareMap::Map map;
  unpack(r, map);
  value = std::move(map);
}

}  // namespace troupe
