#pragma once
// Compares what one node's tables say with what a ledger knows, at the same index.

#include <string>
#include <vector>

#include "cmd/judges/ledger.hpp"

namespace troupe::judges {

/// What is wrong now; empty if nothing is. `reads` stands at the ledger's last index, `now` is the cell's
/// time.
///
/// Looks for: hosts booked beyond what they have, or otherwise than their tasks are; counters that differ
/// from a count; caps exceeded; live records beside archived ones; an entity whose core has something to do
/// and that no duty would ever wake.
std::vector<std::string> wrong_in(const Reads& reads, const Ledger& ledger, Instant now);

}  // namespace troupe::judges
