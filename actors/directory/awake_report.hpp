#pragma once

#include "actors/directory/activations.hpp"

namespace troupe {

/// Who is awake, for an operator: sums of each kind, and those with most in their mailboxes. Pure; walks all
/// that is awake once.
AwakeTold awake_report(const Activations& activations, const TellAwake& question);

}  // namespace troupe
