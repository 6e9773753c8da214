#include "storage/model/gang.hpp"

#include <charconv>

namespace troupe {

std::optional<milliseconds> gang_patience_from_text(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 1 || seconds > gang_seconds_max)
    return std::nullopt;
  return milliseconds(seconds * 1'000);
}

std::optional<milliseconds> gang_patience(const JobDescriptor& descriptor) {
  if (descriptor.attributes.empty() || !descriptor.is_batch()) return std::nullopt;
  const auto found = descriptor.attributes.find(std::string(gang_attribute));
  return found == descriptor.attributes.end() ? std::nullopt : gang_patience_from_text(found->second);
}

}  // namespace troupe
