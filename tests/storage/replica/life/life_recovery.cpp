// All faults end; then the cell must get well, and stay so.

#include <algorithm>

#include "tests/storage/replica/life/life.hpp"

namespace troupe {
namespace {

constexpr std::int64_t step_ns = 20'000'000;
constexpr int rounds_to_get_well = 1'500;
constexpr std::int64_t quiet_us_max = 500;  // Of every delay, when all is well.
constexpr std::uint32_t well_election_times = 6;

}  // namespace

void Life::get_well() {
  healed_ = true;
  cuts_.clear();
  loss_percent_ = duplicate_percent_ = 0;
  delay_us_max_ = sync_us_max_ = apply_us_max_ = lazy_us_max_ = quiet_us_max;
  for (auto& [id, host] : hosts_) {
    host->machine.options_.level_known = 1;
    host->slow = false;
    set_rate(*host, 1000);
    if (std::exchange(host->wild, false)) host->wall_off = milliseconds(0);
    go_on(*host);
    if (host->hurt && host->up()) crash(*host, nullptr);
    if (!host->up()) host->machine.crash();  // What its disk was told to do is forgotten.
    for (auto& [other, unused] : hosts_)
      if (other != id) tell_link(*host, other, true);
  }
  bool asked = false;
  for (int round = 0; round < rounds_to_get_well && !judge_.violation(); ++round) {
    happen_until(truth_ns_ + step_ns);
    Host* leads = leader();
    if (leads == nullptr || round < 20) continue;
    if (!std::exchange(asked, true) || round % 50 == 0) {
      guarded(*leads, [this](Host& at) { propose_filler(at); });
      if (leads->up()) flush_soon(*leads);
    } else if (is_well() && members_read()) {
      return stay_well();
    }
  }
  if (judge_.violation()) return;
  std::string what = "never_well_again";
  for (auto& [id, host] : hosts_) what += state_of(*host);
  judge_.fail(what);
}

// One leader, equal states that have everything; machines whose logs are damaged are left out.
bool Life::is_well() {
  Host* leads = leader();
  if (leads == nullptr) return false;
  const raft::Membership members = leads->driver().status().membership;
  if (leads->driver().last() != leads->machine.state_.index) return false;
  const auto equal = [&](NodeId id) {
    Host& one = host(id);
    if (one.damaged) return true;
    return one.up() && one.driver().leader() == leads->id() &&
           one.driver().last() == leads->driver().last() && one.machine.state_ == leads->machine.state_;
  };
  return std::ranges::all_of(members.voters, equal) && std::ranges::all_of(members.learners, equal);
}

bool Life::members_read() {
  std::vector<raft::ReadToken> asked;
  const raft::Membership members = leader()->driver().status().membership;
  std::vector<NodeId> all = members.voters;
  all.insert(all.end(), members.learners.begin(), members.learners.end());
  for (const NodeId id : all) {
    if (host(id).damaged) continue;
    asked.push_back(next_token_++);
    guarded(host(id), [&](Host& at) { (void)read(at, asked.back()); });
    if (host(id).up()) flush_soon(host(id));
  }
  happen_until(truth_ns_ + 20 * step_ns);
  return std::ranges::all_of(asked, [&](raft::ReadToken token) { return answered_.contains(token); });
}

// Nobody has a reason to change the leader now, and if everything stands still together nobody has one
// either.
void Life::stay_well() {
  const NodeId id = leader()->id();
  const Term term = leader()->driver().term();
  const std::int64_t while_ns = well_election_times * tunables_.machine.raft.election_ticks * 10'000'000;
  const auto same = [&] {
    const Host* leads = leader();
    return leads != nullptr && leads->id() == id && leads->machine.driver_->term() == term;
  };
  happen_until(truth_ns_ + while_ns);
  if (!same() && !judge_.violation()) return judge_.fail("deposed_though_all_was_well");
  for (auto& [unused, host] : hosts_) stand_still(*host);
  happen_until(truth_ns_ + static_cast<std::int64_t>(1 + random_.below(12)) * 1'000'000'000);
  for (auto& [unused, host] : hosts_) go_on(*host);
  happen_until(truth_ns_ + while_ns);
  if (!same() && !judge_.violation()) judge_.fail("deposed_by_a_stall_of_all" + state_of(host(id)));
}

std::string Life::state_of(Host& host) {
  std::string out = "\n  node=" + to_text(host.id());
  if (!host.up()) return out + (host.damaged ? " damaged" : " down: " + host.machine.unusable_);
  const raft::Status status = host.driver().status();
  out += " role=" + std::to_string(static_cast<int>(status.role)) + " term=" + to_text(status.term) +
         " leader=" + to_text(status.leader) + " first=" + to_text(status.first) +
         " last=" + to_text(status.last) + " durable=" + to_text(status.durable) +
         " commit=" + to_text(status.commit) + " applied=" + to_text(host.machine.state_.index) + " voters=";
  for (const NodeId id : status.membership.voters) out += to_text(id) + ",";
  out += " learners=";
  for (const NodeId id : status.membership.learners) out += to_text(id) + ",";
  for (const raft::PeerStatus& peer : status.peers)
    out += "\n    peer=" + to_text(peer.id) + " state=" + std::to_string(static_cast<int>(peer.state)) +
           " match=" + to_text(peer.match) + " next=" + to_text(peer.next) +
           " inflight=" + std::to_string(peer.inflight);
  return out;
}

}  // namespace troupe
