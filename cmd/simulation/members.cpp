#include "cmd/simulation/members.hpp"

#include <algorithm>

namespace troupe::simulation {
namespace {

using Kind = raft::MemberChangeKind;

constexpr milliseconds answer_within{5'000};
constexpr milliseconds again_after{300};

std::string_view kind_text(Kind kind) {
  constexpr std::string_view texts[] = {"add_learner", "promote", "remove"};
  return texts[static_cast<std::size_t>(kind)];
}

/// An earlier try whose outcome nobody heard has done it.
bool is_done_already(const Error& error) {
  for (const std::string_view said : {"is a member already", "is not a learner", "is not a member"})
    if (error.message.find(said) != std::string::npos) return true;
  return false;
}

}  // namespace

bool Members::may_go(std::uint32_t node) const {
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](std::uint32_t other) { return other != node && other <= first_nodes_; });
}

void Members::join() {
  cluster_.join_node(++last_);
  changes_.push_back({Kind::add_learner, last_});
  changes_.push_back({Kind::promote, last_});
}

void Members::add() {
  if (is_idle() && cluster_.nodes().size() <= first_nodes_) join();
}

void Members::remove(std::uint32_t node) {
  if (is_idle() && cluster_.nodes().size() > first_nodes_ && may_go(node))
    changes_.push_back({Kind::remove, node});
}

void Members::replace(std::uint32_t node) {
  changes_.push_back({Kind::remove, node});
  join();
}

bool Members::restore() {
  if (!is_idle()) return false;
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  if (nodes.size() > first_nodes_) remove(nodes.back());
  return is_idle();
}

void Members::poll() {
  if (is_idle()) return;
  if (outcome_ && *outcome_) return take(**std::exchange(outcome_, nullptr));
  if (cluster_.now() < until_) return;
  outcome_.reset();
  ask();
}

void Members::ask() {
  until_ = cluster_.now() + again_after;
  const std::uint32_t leader = cluster_.leader();
  if (leader == 0) return;
  until_ = cluster_.now() + answer_within;
  outcome_ = cluster_.begin_change(leader, changes_.front().kind, changes_.front().node);
}

void Members::take(const Result<Index>& outcome) {
  until_ = cluster_.now() + again_after;
  if (!outcome.ok() && !is_done_already(outcome.error())) return;
  const Change change = changes_.front();
  changes_.pop_front();
  note_("  " + std::string(kind_text(change.kind)) + " " + std::to_string(change.node) + " is done");
  if (change.kind == Kind::remove) cluster_.retire_node(change.node);
}

}  // namespace troupe::simulation
