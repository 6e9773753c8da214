#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::json {

/// The known name that somebody most likely meant, without regard to case: `did you mean hostGroup?`.
class Nearest {
 public:
  explicit Nearest(std::string_view name);
  void consider(std::string_view known);
  /// Empty: nothing is near.
  const std::string& best() const { return best_; }
  /// "; did you mean hostGroup?", or nothing.
  std::string hint() const;

 private:
  std::string_view name_;
  std::string best_;
  std::size_t best_distance_;  ///< only what is nearer counts
};

}  // namespace troupe::json
