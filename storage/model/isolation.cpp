#include "storage/model/isolation.hpp"

#include <algorithm>

namespace troupe {
namespace {

bool names_an_image(std::string_view image) {
  if (!image.starts_with(no_image)) return !image.empty();
  const std::string_view rest = image.substr(no_image.size());
  return !rest.empty() && rest.front() != ':';
}

}  // namespace

std::vector<std::string> drivers_enough(std::string_view image, const StringMap& attributes) {
  const auto chosen = attributes.find(std::string(driver_attribute));
  if (chosen != attributes.end() && !chosen->second.empty()) return {chosen->second};
  if (names_an_image(image)) return {"oci", "sim"};
  return {"process", "sim"};
}

bool is_driver_enough(std::string_view driver, std::string_view image, const StringMap& attributes) {
  const auto enough = drivers_enough(image, attributes);
  return std::find(enough.begin(), enough.end(), driver) != enough.end();
}

}  // namespace troupe
