// `cell upgrade`: the nodes get another build, one after the other. What to do next is decided by the core;
// here it is looked at, done and told.

#include <algorithm>
#include <istream>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_hook.hpp"
#include "cmd/troupe/cli_interrupt.hpp"
#include "cmd/troupe/cli_nodes.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/upgrade_core.hpp"
#include "net/json/writer.hpp"
#include "storage/base/build_id.hpp"
#include "storage/model/records.hpp"

namespace troupe::cli {
namespace {

using Kind = UpgradeStep::Kind;

constexpr milliseconds upgrade_look_every{200};
constexpr std::int64_t return_grace_s =
    60;  ///< a node that was handed over is given shards again after all times

constexpr std::size_t run_chars = 8;
constexpr std::string_view run_mark = " (upgrade ";
std::string marked(const std::string& reason, const std::string& run) {
  return reason + std::string(run_mark) + run + ')';
}
/// Of such a reason, its run; empty: it is not of an upgrade.
std::string run_of(const std::string& reason) {
  const auto mark = reason.rfind(run_mark);
  if (mark == std::string::npos || reason.back() != ')') return {};
  const auto begin = mark + run_mark.size();
  return reason.substr(begin, reason.size() - begin - 1);
}

struct Addresses {
  std::string peer, http;
};

struct Look {
  UpgradeView view;
  std::map<std::uint32_t, Addresses> at;
};

/// What the node itself says, at its own gateway.
void ask_itself(Context& context, UpgradeNode& node, const std::string& http, UpgradeView& view) {
  if (http.empty()) {
    node.trouble = "its HTTP address is not known";
    return;
  }
  Options options = context.options;
  options.address = http;
  const auto cell = CellClient(options, context.io).get("/api/v3/cell?consistency=stale");
  if (!cell.ok()) {
    node.trouble = "does not answer: " + cell.error().message;
    return;
  }
  node.build = text_at(cell.value().value, "build");
  if (!is_true_at(cell.value().value, "ready")) node.trouble = "does not serve yet";
  if (node.number == view.leader)
    view.hosts_connected = static_cast<std::uint64_t>(integer_at(cell.value().value, "hostsConnected"));
}

Look look_of(Context& context, const json::Value& status) {
  Look look;
  look.view.leader = static_cast<std::uint32_t>(integer_at(status, "leader"));
  look.view.spared = static_cast<std::uint32_t>(integer_at(status, "spared/node"));
  look.view.spared_by = text_at(status, "spared/by");
  look.view.spared_run = run_of(text_at(status, "spared/reason"));
  for (const auto& item : items_of(status)) {
    UpgradeNode node;
    node.number = static_cast<std::uint32_t>(integer_at(item, "node"));
    node.role = text_at(item, "role");
    node.lag = static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer_at(item, "lag")));
    if (item.find("shardsOwned") != nullptr)
      node.shards = static_cast<std::uint64_t>(integer_at(item, "shardsOwned"));
    if (const auto withheld = text_at(item, "voteWithheld"); !withheld.empty())
      node.trouble = "does not vote: " + withheld;
    look.at[node.number] = {text_at(item, "address"), text_at(item, "http")};
    ask_itself(context, node, look.at[node.number].http, look.view);
    look.view.nodes.push_back(std::move(node));
  }
  return look;
}

/// Orders go to the leader, which is replaced last; the others take over where it does not answer.
void attach(Context& context, const Look& look) {
  const auto leader = look.at.find(look.view.leader);
  if (leader == look.at.end() || leader->second.http.empty()) return;
  context.options.address = leader->second.http;
  context.others.clear();
  for (const auto& [node, at] : look.at)
    if (node != look.view.leader && config_of(at.http).ok()) context.others.push_back(at.http);
}

Result<Look> look_at_all(Context& context) {
  const auto status =
      read_anywhere<Answer>(context, [](CellClient& client) { return client.get("/api/v3/cell/status"); });
  if (!status.ok()) return status.error();
  Look look = look_of(context, status.value().value);
  attach(context, look);
  return look;
}

class Upgrade {
 public:
  Upgrade(Context& context, const CellUpgrade& args, UpgradePlan plan)
      : context_(context), args_(args), plan_(plan), core_(std::move(plan)) {}

  int run();

 private:
  void show(const Look& look) const;
  int rehearse(const Look& look) const;
  bool is_agreed(const Look& look) const;
  int go(const InterruptGuard& guard);
  std::optional<int> perform(const UpgradeStep& step, const Look& look);
  Result<void> order(std::uint32_t node, const std::string& what, const std::string& body) const;
  Result<void> begin_changes();
  std::optional<int> hand_over(const UpgradeStep& step);
  std::optional<int> take_back(const UpgradeStep& step, const Look& look);
  void release(std::uint32_t node);
  Result<void> limit_level(std::uint64_t level) const;
  Result<void> hold_level() const;
  int end_well();
  int end_badly(const UpgradeStep& step);
  int interrupted(const UpgradeStep& step);
  void tell(std::string_view step, std::uint32_t node, const std::string& text) const;
  void tell_where(std::ostream& out);

  Context& context_;
  const CellUpgrade& args_;
  UpgradePlan plan_;
  UpgradeCore core_;
  bool has_begun_ = false;
  std::uint32_t handed_over_ = 0;  ///< the node that was ordered to last
};

void Upgrade::tell(std::string_view step, std::uint32_t node, const std::string& text) const {
  if (!context_.options.wants_json) {
    context_.io.out << text << std::endl;
    return;
  }
  json::Writer writer;
  writer.begin_object();
  writer.key("step");
  writer.text(step);
  if (node != 0) {
    writer.key("node");
    writer.uint(node);
  }
  writer.key("text");
  writer.text(text);
  writer.end_object();
  print_json(context_, writer.take());
}

void Upgrade::show(const Look& look) const {
  const auto order = upgrade_order(look.view, plan_.build);
  std::ostream& out = context_.options.wants_json ? context_.io.err : context_.io.out;
  out << "upgrade: " << order.size() << " of " << look.view.nodes.size() << " nodes to build " << plan_.build
      << '\n';
  Table table({"NODE", "ROLE", "BUILD", "LAG", "SHARDS", "TURN"});
  for (const UpgradeNode& node : look.view.nodes) {
    const auto turn = std::ranges::find(order, node.number);
    table.add({std::to_string(node.number), node.role, node.build.empty() ? "?" : node.build,
               std::to_string(node.lag), node.shards ? std::to_string(*node.shards) : "?",
               turn == order.end() ? "-" : std::to_string(turn - order.begin() + 1)});
  }
  table.print(out);
}

int Upgrade::rehearse(const Look& look) const {
  const auto complaints = upgrade_complaints(look.view, plan_);
  for (const std::string& complaint : complaints) tell("check", 0, "would not begin: " + complaint);
  if (complaints.empty()) tell("check", 0, "every check is passed; nothing was changed");
  return complaints.empty() ? exit_ok : exit_refused;
}

bool Upgrade::is_agreed(const Look& look) const {
  if (args_.is_confirmed || upgrade_order(look.view, plan_.build).empty()) return true;
  if (!context_.io.has_person) {
    context_.io.err << "troupe: every node of the cell is replaced, and nobody is here to be asked: say "
                       "--yes if that is meant\n";
    return false;
  }
  context_.io.err << "every node of the cell is replaced. Type yes to go on: " << std::flush;
  std::string answer;
  std::getline(context_.io.in, answer);
  if (answer == "yes") return true;
  context_.io.err << "nothing was changed\n";
  return false;
}

int Upgrade::run() {
  const auto look = look_at_all(context_);
  if (!look.ok()) return report(context_.io.err, look.error());
  show(look.value());
  if (args_.is_dry_run) return rehearse(look.value());
  if (!is_agreed(look.value())) return exit_refused;
  const InterruptGuard guard(context_.io.signals, [] {});
  return go(guard);
}

int Upgrade::go(const InterruptGuard& guard) {
  for (;;) {
    const auto look = look_at_all(context_);
    // The leader may have changed just now; the core knows how long that may take.
    const Look seen = look.ok() ? look.value() : Look{};
    const UpgradeStep step = core_.next(seen.view, context_.io.clock.steady());
    if (guard.was_interrupted() &&
        (step.kind == Kind::hand_over || step.kind == Kind::transfer || step.kind == Kind::replace))
      return interrupted(step);
    if (const auto code = perform(step, seen)) return *code;
  }
}

/// Of the leader. Error: not_found, of a build that does not know how.
Result<void> Upgrade::order(std::uint32_t node, const std::string& what, const std::string& body) const {
  const auto answer =
      context_.client().change("POST", "/api/v3/cell/members/" + std::to_string(node) + '/' + what, body);
  return answer.ok() ? Result<void>() : Result<void>(answer.error());
}

/// What another run spares meanwhile is its own business.
void Upgrade::release(std::uint32_t node) {
  const auto look = look_at_all(context_);
  if (look.ok() && is_spared_for(look.value().view, plan_, node)) (void)order(node, "takeBack", {});
}

Result<void> Upgrade::limit_level(std::uint64_t level) const {
  const auto answer =
      context_.client().change("PUT", "/api/v3/cell/policy", "{\"levelMax\":" + std::to_string(level) + "}");
  return answer.ok() ? Result<void>() : Result<void>(answer.error());
}

Result<void> Upgrade::hold_level() const {
  const auto cell = context_.client().get("/api/v3/cell");
  if (!cell.ok()) return cell.error();
  const auto level = integer_at(cell.value().value, "level");
  if (auto held = limit_level(static_cast<std::uint64_t>(level)); !held.ok()) return held;
  tell("holdLevel", 0, "the cell stays at feature level " + std::to_string(level));
  return {};
}

/// Before the first change of any kind.
Result<void> Upgrade::begin_changes() {
  return !std::exchange(has_begun_, true) && args_.holds_level ? hold_level() : Result<void>();
}

std::optional<int> Upgrade::hand_over(const UpgradeStep& step) {
  const std::string node = "node " + std::to_string(step.node);
  const auto all = std::chrono::duration_cast<std::chrono::seconds>(plan_.hand_over_max + args_.hook_max +
                                                                    plan_.return_max);
  const auto seconds = std::min<std::int64_t>(3'600, all.count() + return_grace_s);
  if (std::exchange(handed_over_, step.node) == step.node)
    context_.io.pause(upgrade_look_every);
  else
    tell("handOver", step.node, node + " hands over its shards");
  const auto ordered = order(step.node, "handOver", "{\"seconds\":" + std::to_string(seconds) + "}");
  if (ordered.ok()) return std::nullopt;
  if (ordered.error().code != ErrorCode::not_found)
    return end_badly({Kind::stop, step.node, node + ": " + ordered.error().message});
  // It is stopped as it is: its shards are taken over when it is gone.
  core_.hand_over_unknown();
  return std::nullopt;
}

std::optional<int> Upgrade::take_back(const UpgradeStep& step, const Look& look) {
  const std::string node = "node " + std::to_string(step.node);
  if (step.why.empty())
    tell("back", step.node, node + " is back with build " + plan_.build + " and has caught up");
  else
    tell("takeBack", step.node, node + " may own shards again: " + step.why);
  if (step.why.empty() && !is_spared_for(look.view, plan_, step.node)) return std::nullopt;
  const auto ordered = order(step.node, "takeBack", {});
  if (ordered.ok() || ordered.error().code == ErrorCode::not_found) return std::nullopt;
  return end_badly({Kind::stop, step.node, node + ": " + ordered.error().message});
}

std::optional<int> Upgrade::perform(const UpgradeStep& step, const Look& look) {
  const std::string node = "node " + std::to_string(step.node);
  const auto fail = [&](const Error& error) {
    return end_badly({Kind::stop, step.kind == Kind::transfer ? 0 : step.node, node + ": " + error.message});
  };
  switch (step.kind) {
    case Kind::wait:
      context_.io.pause(upgrade_look_every);
      return std::nullopt;
    case Kind::hand_over:
      if (const auto begun = begin_changes(); !begun.ok()) return fail(begun.error());
      return hand_over(step);
    case Kind::replace: {
      const Addresses& at = look.at.at(step.node);
      const std::string command =
          filled_in(args_.hook, {{"node", std::to_string(step.node)}, {"peer", at.peer}, {"http", at.http}});
      const bool has_handed_over = is_spared_for(look.view, plan_, step.node);
      tell("replace", step.node,
           node + (has_handed_over ? " owns nothing; runs " : " is replaced as it is; runs ") + command);
      const auto ended = run_hook(command, args_.hook_max);
      core_.hook_ended(ended.ok() ? "" : node + ": the hook failed: " + ended.error().message,
                       context_.io.clock.steady());
      return std::nullopt;
    }
    case Kind::take_back:
      return take_back(step, look);
    case Kind::transfer: {
      if (const auto begun = begin_changes(); !begun.ok()) return fail(begun.error());
      tell("transfer", step.node, node + " shall lead, so that the last one can be replaced");
      const auto answer = context_.client().change("PUT", "/api/v3/cell/leader",
                                                   "{\"node\":" + std::to_string(step.node) + "}");
      if (!answer.ok() && !may_be_dead(answer.error())) return fail(answer.error());
      return std::nullopt;
    }
    case Kind::done:
      return end_well();
    case Kind::stop:
      return end_badly(step);
  }
  return exit_internal;
}

int Upgrade::end_well() {
  tell("done", 0,
       core_.replaced() == 0 ? "nothing to do: every node has build " + plan_.build
                             : "every node has build " + plan_.build);
  if (args_.raises_level) {
    if (const auto raised = limit_level(CellPolicy::level_unbounded); !raised.ok())
      return report(context_.io.err, raised.error());
    tell("raiseLevel", 0, "the cell rises to the feature level that every node knows");
    return exit_ok;
  }
  const auto cell = context_.client().get("/api/v3/cell");
  if (cell.ok())
    tell("level", 0,
         "feature level " + text_at(cell.value().value, "level") + ", at most " +
             text_at(cell.value().value, "policy/levelMax") + " by the policy (--raise-level lets it rise)");
  return exit_ok;
}

void Upgrade::tell_where(std::ostream& out) {
  const auto look = look_at_all(context_);
  if (!look.ok()) return;
  for (const UpgradeNode& node : look.value().view.nodes)
    out << "  node " << node.number << ": "
        << (!node.trouble.empty()       ? node.trouble
            : node.build == plan_.build ? "has the new build"
                                        : "has build " + (node.build.empty() ? "(not told)" : node.build))
        << '\n';
  out << "  put right what is wrong; the same command goes on from there\n";
}

int Upgrade::end_badly(const UpgradeStep& step) {
  if (step.node != 0) release(step.node);
  if (context_.options.wants_json) tell("stopped", step.node, step.why);
  context_.io.err << "troupe: stopped: " << step.why << '\n';
  tell_where(context_.io.err);
  return has_begun_ || core_.replaced() > 0 ? exit_failed : exit_refused;
}

int Upgrade::interrupted(const UpgradeStep& step) {
  if (step.kind != Kind::transfer) release(step.node);
  context_.io.err << "troupe: interrupted, with no node half-way\n";
  tell_where(context_.io.err);
  return exit_interrupted;
}

std::string complaint_of(const Context& context, const CellUpgrade& args) {
  if (args.is_dry_run) return {};
  if (args.hook.find("{node}") == std::string::npos)
    return "say how a node's program is replaced: --hook COMMAND, with {node} in it";
  if (context.options.reason.find_first_not_of(' ') == std::string::npos)
    return "say why: --reason TEXT (it is kept in the audit)";
  return {};
}

}  // namespace

int cell_upgrade(Context& context, const CellUpgrade& given) {
  CellUpgrade args = given;
  const auto hook = duration_of(args.hook_timeout), back = duration_of(args.return_timeout);
  auto complaint = complaint_of(context, args);
  if (!hook || !back) complaint = "--hook-timeout and --return-timeout must be times such as 90s or 5m";
  UpgradePlan plan;
  plan.build = args.build.empty() ? build_id() : args.build;
  // Nodes without an id all say the same of theirs: each would look replaced.
  if (!is_build(plan.build))
    complaint = "this program has no build id; say --build, of 16 hexadecimal digits";
  if (!complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  args.hook_max = *hook;
  plan.run = new_key().substr(0, run_chars);
  plan.return_max = *back;
  plan.takes_over = args.takes_over;
  // In the audit it shall be seen which orders belong together; by it a run knows what it spared itself.
  context.options.reason = marked(context.options.reason, plan.run);
  return Upgrade(context, args, std::move(plan)).run();
}

}  // namespace troupe::cli
