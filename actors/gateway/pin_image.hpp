#pragma once

#include "actors/gateway/services.hpp"

namespace troupe::gateway {

/// Hands on the job as it is to be stored: an image that is named by tag has its digest too, where this node
/// asks registries for it. An unknown tag is answered here, 400, and `then` does not run. A registry that
/// does not answer: the job goes on unresolved and says so in unresolved_image_attribute, or, if the node's
/// settings want it, is answered here, 503. Notes in the call which feature level the command needs.
void pin_image(Services& services, const CallPtr& call, JobDescriptor job,
               std::function<void(DescriptorPtr)> then);

}  // namespace troupe::gateway
