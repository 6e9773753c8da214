#include "actors/scheduler/vain_searches.hpp"

namespace troupe::scheduler {

void VainSearches::note(const Resources& need, std::uint64_t since) {
  std::erase_if(kept_,
                [&](const Found& known) { return need.fits_into(known.need) && known.since <= since; });
  if (kept_.size() == kept_max) kept_.erase(kept_.begin());
  kept_.push_back({need, since});
}

std::optional<std::uint64_t> VainSearches::since(const Resources& need) const {
  std::optional<std::uint64_t> latest;
  for (const Found& known : kept_)
    if ((!latest || known.since > *latest) && known.need.fits_into(need)) latest = known.since;
  return latest;
}

}  // namespace troupe::scheduler
