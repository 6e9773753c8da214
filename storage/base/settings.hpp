#pragma once
// Settings. Each is declared once, beside its user: name with unit, default, bounds, one sentence. The manual
// is printed from the declarations; an unknown key or a value out of bounds is refused.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe {

/// A declared number. Declare as a namespace-scope constant; values live in a Settings object.
struct Setting {
  std::string_view name;  ///< snake_case with its unit last: lease_ms
  std::int64_t fallback;
  std::int64_t low;
  std::int64_t high;
  std::string_view help;
};

/// Values that differ from the declared defaults. A copyable value; read-only once a node runs.
class Settings {
 public:
  std::int64_t get(const Setting& setting) const;
  /// Errors: invalid_argument for an unknown name (listing near ones), a non-number or a value out of bounds.
  Result<void> set(std::string_view name, std::string_view value,
                   const std::vector<const Setting*>& declared);
  /// For code that knows the setting it means; out of bounds is a bug.
  void set(const Setting& setting, std::int64_t value);

 private:
  std::map<std::string, std::int64_t, std::less<>> values_;
};

}  // namespace troupe
