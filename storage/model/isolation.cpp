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

bool wants_host_network(const StringMap& attributes) {
  const auto network = attributes.find(std::string(network_attribute));
  return network != attributes.end() && network->second == "host";
}

std::vector<std::string> drivers_enough(std::string_view image, const StringMap& attributes) {
  const auto chosen = attributes.find(std::string(driver_attribute));
  // A right, not a protection: only hosts that grant it.
  const std::string containers(wants_host_network(attributes) ? host_network_driver : "oci");
  if (chosen != attributes.end() && !chosen->second.empty())
    return {chosen->second == "oci" ? containers : chosen->second};
  if (names_an_image(image)) return {containers, "sim"};
  return {"process", "sim"};
}

bool is_driver_enough(std::string_view driver, std::string_view image, const StringMap& attributes) {
  const auto enough = drivers_enough(image, attributes);
  return std::find(enough.begin(), enough.end(), driver) != enough.end();
}

}  // namespace troupe
