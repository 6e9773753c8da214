#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

CLI::Option* add_node(CLI::App* app, std::uint32_t& node) {
  return app->add_option("node", node, "the node's number")->required()->check(CLI::PositiveNumber);
}

void add_members(CLI::App& cell, Context& context) {
  auto* members =
      cell.add_subcommand("members", "Show the members; add, promote, remove, hand over, take back");
  members->require_subcommand(0, 1);
  members->footer(
      "A third node, step by step:\n"
      "  troupe node --config node-3.yaml          # there, with join: true\n"
      "  troupe cell members add 3 10.0.0.3:7101\n"
      "  troupe cell members                       # until it lags by little\n"
      "  troupe cell members promote 3");
  members->callback([members, &context] {
    if (members->get_subcommands().empty()) finish_with(members_list(context));
  });

  auto* add = members->add_subcommand("add", "Let a new node listen: it gets the log, but does not vote yet");
  auto args = std::make_shared<MemberAdd>();
  add_node(add, args->node);
  add->add_option("address", args->address, "host:port of its peer listener")->required();
  add->footer("Example:\n  troupe cell members add 3 10.0.0.3:7101");
  add->callback([args, &context] { finish_with(member_add(context, *args)); });

  const auto on_node = [&](const char* name, const char* help, int (*act)(Context&, std::uint32_t)) {
    auto* sub = members->add_subcommand(name, help);
    auto node = std::make_shared<std::uint32_t>(0);
    add_node(sub, *node);
    sub->footer(std::string("Example:\n  troupe cell members ") + name + " 3");
    sub->callback([node, act, &context] { finish_with(act(context, *node)); });
  };
  on_node("promote", "Let a node that has caught up vote", member_promote);
  on_node("remove", "Remove a node for good", member_remove);
  on_node("take-back", "Let a node that handed over own shards again", member_take_back);

  auto* over =
      members->add_subcommand("hand-over", "Give a node's shards to the others, before it is stopped");
  auto spared = std::make_shared<MemberHandOver>();
  add_node(over, spared->node);
  over->add_option("--for", spared->time, "for how long at most, up to 1h")->capture_default_str();
  over->footer("Example:\n  troupe cell members hand-over 3 --for 20m --reason 'new disk'");
  over->callback([spared, &context] { finish_with(member_hand_over(context, *spared)); });
}

}  // namespace

void add_member_options(CLI::App& cell, Context& context) {
  add_members(cell, context);
  auto* transfer =
      cell.add_subcommand("transfer-leader", "Hand leadership to another voter, and wait for it");
  auto args = std::make_shared<TransferLeader>();
  add_node(transfer, args->node);
  transfer->add_option("--timeout", args->timeout, "how long to wait")->capture_default_str();
  transfer->footer("Example:\n  troupe cell transfer-leader 2");
  transfer->callback([args, &context] { finish_with(transfer_leader(context, *args)); });
  auto* move = cell.add_subcommand("move-shard", "Give a shard to another node");
  auto wish = std::make_shared<ShardMove>();
  move->add_option("shard", wish->shard, "its number, as in `troupe console -c shards`")->required();
  add_node(move, wish->node);
  move->footer(
      "Shares stay even: where it must, the node gives one of its own back for it. It is in the audit as\n"
      "assign_shards.\n"
      "Example:\n  troupe cell move-shard 17 2 --reason 'node 1 is slow'");
  move->callback([wish, &context] { finish_with(move_shard(context, *wish)); });
}

}  // namespace troupe::cli
