#pragma once
// What befalls a simulated cell: crashes, cuts, wrong clocks, lost disks; and what is done about it.

#include <functional>
#include <set>
#include <string>

#include "cmd/simulation/members.hpp"
#include "cmd/simulation/plan.hpp"
#include "storage/base/random.hpp"

namespace troupe::simulation {

/// Carries out a plan's faults and repairs, within what a cell must survive: one wrong clock at a time, and
/// one log or disk that lost what it held until its node has everything again. One thread.
class Troubles {
 public:
  using Note = std::function<void(const std::string& what)>;
  Troubles(embedded::SimCluster& cluster, const Plan& plan, Note note);

  /// A fault or repair, from the dice of its step.
  void strike(StepKind kind, Random& random);
  /// To be called often.
  void poll();
  /// Nothing is broken any more, or will be mended by itself.
  void mend_all();
  /// Of what mend_all() began.
  std::string not_mended();

 private:
  void strike_node(StepKind kind, std::uint32_t node, Random& random);
  void strike_host(StepKind kind, std::uint32_t host, Random& random);
  void transfer(std::uint32_t to);
  void crash(std::uint32_t node);
  void crash_all();
  void restart(std::uint32_t node);
  void restart_those_down(std::uint32_t node, Random& random);
  void restart_agents();
  void freeze(std::uint32_t node);
  void heal();
  void leap(std::uint32_t node, Random& random);
  void drift(std::uint32_t node, Random& random);
  void break_disk(std::uint32_t node, Random& random);
  void change_build(std::uint32_t node, Random& random);
  void damage_log(std::uint32_t node, Random& random);
  void lose_disk(std::uint32_t node);
  void resize(std::uint32_t host, Random& random);
  void slow(std::uint32_t host, Random& random);
  bool may_go_wild(std::uint32_t node);
  bool may_lose(std::uint32_t node);

  embedded::SimCluster& cluster_;
  const Plan& plan_;
  Note note_;
  Members members_;
  std::set<std::uint32_t> frozen_, broken_, resized_;
  std::uint32_t wild_clock_ = 0;
  std::uint32_t damaged_ = 0;  ///< lost what it held, and does not have it again; 0: nobody
  std::uint64_t damaged_in_term_ = 0, term_seen_ = 0;
};

}  // namespace troupe::simulation
