#pragma once

#include <memory>

#include "actors/agent/images/registry_reference.hpp"
#include "actors/node/image_resolver.hpp"
#include "storage/base/settings.hpp"

namespace troupe::embedded {

/// Asks these registries for the images of submitted jobs, with threads of its own; several nodes may share
/// it. Null without a registry.
std::shared_ptr<ImageResolver> make_image_resolver(const agent::RegistriesConfig& registries,
                                                   const Settings& settings);

}  // namespace troupe::embedded
