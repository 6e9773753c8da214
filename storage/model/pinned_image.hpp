#pragma once
// What gateways add to a job that names its image by tag: the digest that the tag stood for, or that nobody
// could say.

#include "storage/model/command.hpp"

namespace troupe {

/// On a job whose image a gateway was to resolve and could not: "true". Users cannot set it.
constexpr const char* unresolved_image_attribute = "titus.sanitization.skipped.image";

/// As request_hash of its body, but without what a gateway has added: the same request is known again when
/// the tag has moved since, or its registry is down.
std::uint64_t request_hash(const Command& command);

}  // namespace troupe
