#pragma once
// One representative of each command and record, every field set, for codecs and golden bytes. Never change
// a value: the golden bytes follow from them.

#include <vector>

#include "storage/model/command.hpp"

namespace troupe::samples {

template <class Id>
Id id(std::uint8_t seed) {
  Id made;
  for (std::size_t n = 0; n < made.bytes.size(); ++n) made.bytes[n] = static_cast<std::uint8_t>(seed + n);
  return made;
}

JobDescriptor batch_descriptor();
JobDescriptor service_descriptor();
DisruptionBudget budget();
JobRecord job();
SlotRecord slot();
TaskRecord task();
HostRecord host();
GroupRecord group();
GroupCondition condition();
CellRecord cell();
RequestRecord request();
/// In the order of their numbers, complete envelopes.
std::vector<Command> commands();

}  // namespace troupe::samples
