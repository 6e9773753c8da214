#include <algorithm>

#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {
namespace {

int wish_kept(const BoundRelation& relation, const Host& host) {
  const std::uint32_t there = relation.job->count(relation.kind, host.places[relation.kind]);
  if (relation.what.kind == Relation::Kind::together) return there > 0 ? score_max : 0;
  return score_max / static_cast<int>(1 + std::min<std::uint32_t>(there, score_max));
}

}  // namespace

const Score neighbour_score{"neighbours",
                            "Prefers the places that the job's soft relations to other tasks want.",
                            [](const Host& host, const Demand& demand) {
                              int sum = 0;
                              int asked = 0;
                              for (const BoundRelation& relation : demand.relations) {
                                if (relation.what.is_hard) continue;
                                ++asked;
                                sum += wish_kept(relation, host);
                              }
                              return asked == 0 ? score_max : sum / asked;
                            }};

}  // namespace troupe::scheduler
