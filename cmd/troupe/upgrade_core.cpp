#include "cmd/troupe/upgrade_core.hpp"

#include <algorithm>
#include <set>

namespace troupe::cli {
namespace {

using Kind = UpgradeStep::Kind;

constexpr std::uint64_t hosts_back_percent = 98;  // Among many hosts some come and go all the time.

std::string name_of(std::uint32_t node) { return "node " + std::to_string(node); }

const UpgradeNode* find(const UpgradeView& view, std::uint32_t number) {
  const auto found = std::ranges::find(view.nodes, number, &UpgradeNode::number);
  return found == view.nodes.end() ? nullptr : &*found;
}

/// What keeps this node from being counted on; empty: nothing.
std::string trouble_of(const UpgradeNode& node) {
  if (!node.trouble.empty()) return name_of(node.number) + ": " + node.trouble;
  if (node.lag > upgrade_lag_max)
    return name_of(node.number) + " lags by " + std::to_string(node.lag) + " entries";
  return {};
}

std::string text_of(const std::set<std::string>& builds) {
  std::string text;
  for (const auto& build : builds) text += (text.empty() ? "" : ", ") + build;
  return text;
}

std::string joined(const std::vector<std::string>& complaints) {
  std::string text;
  for (const auto& complaint : complaints) text += (text.empty() ? "" : "; ") + complaint;
  return text;
}

int rank_of(const UpgradeView& view, const UpgradeNode& node) {
  if (node.number == view.leader) return 2;
  return node.is_voter() ? 1 : 0;
}

}  // namespace

bool is_build(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_spared_for(const UpgradeView& view, const UpgradePlan& plan, std::uint32_t node) {
  return node != 0 && view.spared == node && view.spared_run == plan.run;
}

std::vector<std::string> upgrade_complaints(const UpgradeView& view, const UpgradePlan& plan) {
  std::vector<std::string> complaints;
  std::size_t voters = 0;
  std::set<std::string> others;
  for (const UpgradeNode& node : view.nodes) {
    if (!node.is_member()) continue;
    voters += node.is_voter() ? 1 : 0;
    if (auto trouble = trouble_of(node); !trouble.empty()) complaints.push_back(std::move(trouble));
    if (!node.build.empty() && node.build != plan.build) others.insert(node.build);
  }
  if (view.leader == 0) complaints.emplace_back("no node leads");
  if (voters < 3)
    complaints.push_back("the cell has " + std::to_string(voters) + (voters == 1 ? " voter" : " voters") +
                         ": without one of them it stands still; an upgrade node by node needs three");
  if (view.spared != 0 && view.spared_run != plan.run && !plan.takes_over)
    complaints.push_back(name_of(view.spared) + " hands over for " + view.spared_by +
                         ": another upgrade is under way; if it was ended half-way and its hook does not run "
                         "any more, go on with --take-over");
  if (others.size() > 1)
    complaints.push_back("the nodes have several other builds (" + text_of(others) +
                         "): another upgrade is under way");
  return complaints;
}

std::vector<std::uint32_t> upgrade_order(const UpgradeView& view, const std::string& build) {
  std::vector<const UpgradeNode*> nodes;
  for (const UpgradeNode& node : view.nodes)
    if (node.is_member() && node.build != build) nodes.push_back(&node);
  std::ranges::sort(nodes, {},
                    [&](const UpgradeNode* node) { return std::pair(rank_of(view, *node), node->number); });
  std::vector<std::uint32_t> order;
  for (const UpgradeNode* node : nodes) order.push_back(node->number);
  return order;
}

void UpgradeCore::enter(Phase phase, Moment deadline) {
  phase_ = phase;
  deadline_ = deadline;
}

UpgradeStep UpgradeCore::stop(std::string why) {
  const bool is_spared = phase_ != Phase::begin && phase_ != Phase::transferring;
  return {Kind::stop, is_spared ? node_ : 0, std::move(why)};
}

UpgradeStep UpgradeCore::next(const UpgradeView& view, Moment now) {
  if (view.nodes.empty()) {
    if (!silent_until_) silent_until_ = now + plan_.settle_max;
    return now < *silent_until_ ? UpgradeStep{} : stop("no node of the cell answers");
  }
  silent_until_.reset();
  if (!hosts_ && view.leader != 0) hosts_ = view.hosts_connected;
  switch (phase_) {
    case Phase::begin:
      return begin(view, now);
    case Phase::handing_over:
      return hand_over(view, now);
    case Phase::replacing:
      return hook_trouble_.empty() ? UpgradeStep{Kind::replace, node_} : stop(hook_trouble_);
    case Phase::returning:
      return await_return(view, now);
    case Phase::transferring:
      return await_leader(view, now);
  }
  return {};
}

UpgradeStep UpgradeCore::begin(const UpgradeView& view, Moment now) {
  auto complaints = upgrade_complaints(view, plan_);
  if (replaced_ > 0 && view.hosts_connected * 100 < hosts_.value_or(0) * hosts_back_percent)
    complaints.push_back("only " + std::to_string(view.hosts_connected) + " of " + std::to_string(*hosts_) +
                         " hosts are connected again");
  if (complaints.empty()) return choose(view, now);
  // Before the first node nothing is waited for: whoever asked shall see it at once.
  if (!deadline_) deadline_ = replaced_ == 0 ? now : now + plan_.settle_max;
  if (now < *deadline_) return {};
  return stop(joined(complaints));
}

/// Of this run it is what a lost answer left, else of one that ended half-way.
UpgradeStep UpgradeCore::take_back(const UpgradeView& view, Moment now) {
  if (!release_until_) {
    release_until_ = now + plan_.settle_max;
    return {Kind::take_back, view.spared, "it still handed over for " + view.spared_by};
  }
  if (now < *release_until_) return {};
  return stop(name_of(view.spared) + " still hands over for " + view.spared_by);
}

UpgradeStep UpgradeCore::choose(const UpgradeView& view, Moment now) {
  deadline_.reset();
  if (view.spared != 0) return take_back(view, now);
  release_until_.reset();
  plan_.takes_over = false;  // Whoever comes later is under way.
  const auto order = upgrade_order(view, plan_.build);
  if (order.empty()) return {Kind::done};
  node_ = order.front();
  old_build_ = find(view, node_)->build;
  knows_hand_over_ = true;
  if (node_ != view.leader) {
    enter(Phase::handing_over, now + plan_.hand_over_max);
    return {Kind::hand_over, node_};
  }
  const UpgradeNode* heir = nullptr;
  for (const UpgradeNode& node : view.nodes)
    if (node.is_voter() && node.number != node_ && (heir == nullptr || node.lag < heir->lag)) heir = &node;
  if (heir == nullptr) return stop("there is no other voter to lead");
  enter(Phase::transferring, now + plan_.hand_over_max);
  return {Kind::transfer, heir->number};
}

/// What keeps the hook from being run; empty: nothing. All that was so at the beginning must still be so: the
/// cell could not stand somebody else's failure and that of this node, too.
std::string UpgradeCore::hook_complaint(const UpgradeView& view, const UpgradeNode& node) const {
  if (const auto shards = node.shards.value_or(0); knows_hand_over_ && shards > 0)
    return name_of(node_) + " still owns " + std::to_string(shards) + " shards";
  UpgradeView others = view;
  for (UpgradeNode& one : others.nodes) {
    if (one.number != node_) continue;
    one.trouble.clear();
    one.lag = 0;
  }
  if (auto complaints = upgrade_complaints(others, plan_); !complaints.empty()) return joined(complaints);
  if (knows_hand_over_ && !is_spared_for(view, plan_, node_))
    return name_of(node_) + " does not hand over for this upgrade";
  return {};
}

UpgradeStep UpgradeCore::hand_over(const UpgradeView& view, Moment now) {
  const UpgradeNode* node = find(view, node_);
  if (node == nullptr) return stop(name_of(node_) + " is no member any more");
  if (view.leader == node_) return stop(name_of(node_) + " leads now");
  // A new leader knows nothing of what the one before was told.
  const bool is_forgotten = knows_hand_over_ && view.leader != 0 && view.spared == 0;
  if (is_forgotten && now < *deadline_) return {Kind::hand_over, node_};
  const std::string why = hook_complaint(view, *node);
  if (why.empty()) {
    enter(Phase::replacing, now);
    return {Kind::replace, node_};
  }
  return now < *deadline_ ? UpgradeStep{} : stop(why);
}

void UpgradeCore::hook_ended(const std::string& trouble, Moment now) {
  hook_trouble_ = trouble;
  if (trouble.empty()) enter(Phase::returning, now + plan_.return_max);
}

UpgradeStep UpgradeCore::await_return(const UpgradeView& view, Moment now) {
  const UpgradeNode* node = find(view, node_);
  if (node == nullptr) return stop(name_of(node_) + " is no member any more");
  const std::string trouble = trouble_of(*node);
  const bool has_build = node->build == plan_.build;
  if (has_build && trouble.empty() && view.leader != 0) {
    ++replaced_;
    phase_ = Phase::begin;
    deadline_.reset();
    return {Kind::take_back, node_};
  }
  const bool is_third = !node->build.empty() && !has_build && node->build != old_build_;
  if (is_third) return stop(name_of(node_) + " came back with build " + node->build + ", not " + plan_.build);
  if (now < *deadline_) return {};
  if (!trouble.empty()) return stop(trouble);
  if (has_build) return stop("no node leads");
  return stop(name_of(node_) + " still has build " + (node->build.empty() ? "(not told)" : node->build) +
              ": the hook did not replace it");
}

UpgradeStep UpgradeCore::await_leader(const UpgradeView& view, Moment now) {
  if (view.leader != 0 && view.leader != node_) {
    phase_ = Phase::begin;
    return begin(view, now);
  }
  if (now < *deadline_) return {};
  return stop("leadership did not move away from " + name_of(node_));
}

}  // namespace troupe::cli
