#pragma once
// Which container drivers are enough for a job: one rule for the scheduler, who chooses the host, and for the
// agent, who checks the order once more. A job never runs with less isolation than it asks for.

#include <string>
#include <string_view>
#include <vector>

#include "storage/model/job_descriptor.hpp"

namespace troupe {

/// The job attribute that names a driver: "oci", "process" or "sim".
constexpr std::string_view driver_attribute = "troupe.driver";
/// The job attribute that gives a container the host's own network when it is "host".
constexpr std::string_view network_attribute = "troupe.network";
/// What hosts offer, beside "oci", whose configuration lets containers into their network.
constexpr std::string_view host_network_driver = "oci.hostNetwork";
/// An image of this name is none: the host's own programs are meant.
constexpr std::string_view no_image = "process";

/// An explicit choice alone; else whatever isolates, for a job with an image, and what runs the host's own
/// programs for one without. `sim` pretends either. Never empty. The image's name may carry a tag or a
/// digest.
std::vector<std::string> drivers_enough(std::string_view image, const StringMap& attributes);
bool wants_host_network(const StringMap& attributes);
bool is_driver_enough(std::string_view driver, std::string_view image, const StringMap& attributes);

}  // namespace troupe
