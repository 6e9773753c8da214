#include "tests/storage/raft/exhaustive/explorer.hpp"

#include <absl/container/flat_hash_set.h>
#include <xxhash.h>

#include <algorithm>

namespace troupe::raft::test {

namespace {

class Explorer {
 public:
  Explorer(const Scope& scope, std::uint64_t states_max)
      : space_(scope.nodes), moves_(space_, scope), states_max_(states_max) {}

  Found run() {
    meet(moves_.first(), 0, 0);
    while (!next_.empty() && !found_.wrong && came_from_.size() < states_max_) {
      const std::vector<Waiting> level = std::exchange(next_, {});
      for (const Waiting& each : level) {
        expand(each);
        if (found_.wrong || came_from_.size() >= states_max_) break;
      }
      if (!found_.wrong && came_from_.size() < states_max_) ++found_.depth;
    }
    found_.complete = next_.empty() && !found_.wrong && came_from_.size() < states_max_;
    found_.states = came_from_.size();
    found_.node_states = space_.nodes();
    found_.messages = space_.messages();
    return std::move(found_);
  }

 private:
  struct Waiting {
    std::string world;
    std::uint32_t number;
  };
  struct CameFrom {
    std::uint32_t parent;
    std::uint32_t ordinal;  ///< among the parent's moves
  };

  bool meet(World&& world, std::uint32_t parent, std::uint32_t ordinal) {
    std::string code = world.encode();
    if (!seen_.insert(XXH3_64bits(code.data(), code.size())).second) return false;
    next_.push_back({std::move(code), static_cast<std::uint32_t>(came_from_.size())});
    came_from_.push_back({parent, ordinal});
    return true;
  }

  void expand(const Waiting& from) {
    const World world = World::decode(from.world);
    std::uint32_t ordinal = 0;
    moves_.each(world, [&](World&& next, const Move&, const std::optional<std::string>& wrong) {
      ++found_.moves;
      found_.leaders += next.leaders != world.leaders;
      found_.commits += next.committed.size() > world.committed.size();
      if (wrong && !found_.wrong) {
        found_.wrong = wrong;
        tell_way(from.number, ordinal);
      }
      meet(std::move(next), from.number, ordinal++);
    });
  }

  void tell_way(std::uint32_t number, std::uint32_t last) {
    std::vector<std::uint32_t> ordinals{last};
    for (; number != 0; number = came_from_[number].parent) ordinals.push_back(came_from_[number].ordinal);
    World world = moves_.first();
    for (auto at = ordinals.rbegin(); at != ordinals.rend(); ++at) {
      std::uint32_t ordinal = 0;
      World after;
      moves_.each(world, [&](World&& next, const Move& move, const std::optional<std::string>&) {
        if (ordinal++ != *at) return;
        after = std::move(next);
        found_.way.push_back(moves_.text(move));
      });
      world = std::move(after);
    }
  }

  Space space_;
  Moves moves_;
  const std::uint64_t states_max_;
  absl::flat_hash_set<std::uint64_t> seen_;
  std::vector<CameFrom> came_from_;
  std::vector<Waiting> next_;
  Found found_;
};

}  // namespace

Found explore(const Scope& scope, std::uint64_t states_max) { return Explorer(scope, states_max).run(); }

std::string summary(const Found& found) {
  std::string out = "states=" + std::to_string(found.states) + " moves=" + std::to_string(found.moves) +
                    " depth=" + std::to_string(found.depth) + (found.complete ? " complete" : " bounded") +
                    " node_states=" + std::to_string(found.node_states) +
                    " messages=" + std::to_string(found.messages) +
                    " leaders=" + std::to_string(found.leaders) + " commits=" + std::to_string(found.commits);
  if (!found.wrong) return out;
  out += " violation=" + *found.wrong;
  for (const std::string& line : found.way) out += "\n  " + line;
  return out;
}

}  // namespace troupe::raft::test
