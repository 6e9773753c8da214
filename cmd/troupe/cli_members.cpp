// The cell's own members: who votes, who listens, who leads.

#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::string_view members_url = "/api/v3/cell/members";
constexpr milliseconds look_every{100};  ///< while leadership moves

std::string member_url(std::uint32_t node) { return std::string(members_url) + '/' + std::to_string(node); }

std::string silence_text(const json::Value& member) {
  if (text_at(member, "role") == "LEADER") return "-";
  return text_at(member, "lastContactMs") + " ms";
}

/// The cell's answer as it came for --json, else `said`.
int tell(Context& context, const Result<Answer>& answer, const std::string& said) {
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    context.io.out << said << '\n';
  return exit_ok;
}

std::string added_text(const MemberAdd& args) {
  const std::string node = std::to_string(args.node);
  return "node " + node + " at " + args.address +
         " listens; when it has caught up (troupe cell members), let it vote:\n  troupe cell members "
         "promote " +
         node;
}

}  // namespace

int members_list(Context& context) {
  auto client = context.client();
  const auto answer = client.get(std::string(members_url));
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json) {
    print_json(context, answer.value().text);
    return exit_ok;
  }
  Table table({"NODE", "ROLE", "ADDRESS", "STATE", "MATCH", "LAG", "LAST CONTACT", "LEVEL KNOWN"});
  for (const auto& member : items_of(answer.value().value))
    table.add({text_at(member, "node"), text_at(member, "role"), text_at(member, "address"),
               text_at(member, "state"), text_at(member, "match"), text_at(member, "lag"),
               silence_text(member), text_at(member, "levelKnown")});
  table.print(context.io.out);
  return exit_ok;
}

int member_add(Context& context, const MemberAdd& args) {
  json::Writer body;
  body.begin_object();
  body.key("node");
  body.uint(args.node);
  body.key("address");
  body.text(args.address);
  body.end_object();
  auto client = context.client();
  return tell(context, client.change("POST", std::string(members_url), body.take()), added_text(args));
}

int move_shard(Context& context, const ShardMove& args) {
  auto client = context.client();
  const std::string shard = std::to_string(args.shard), node = std::to_string(args.node);
  return tell(context,
              client.change("PUT", "/api/v3/cell/shards/" + shard + "/owner", R"({"node":)" + node + "}"),
              "shard " + shard + " is node " + node + "'s");
}

int member_promote(Context& context, std::uint32_t node) {
  auto client = context.client();
  return tell(context, client.change("POST", member_url(node) + "/promote"),
              "node " + std::to_string(node) + " votes");
}

int member_remove(Context& context, std::uint32_t node) {
  auto client = context.client();
  return tell(context, client.change("DELETE", member_url(node)),
              "node " + std::to_string(node) +
                  " is no member any more; end its process, and do not start it on its "
                  "old folder again");
}

int member_hand_over(Context& context, const MemberHandOver& args) {
  const auto time = duration_of(args.time);
  if (!time) {
    context.io.err << "troupe: --for must be a time such as 10m\n";
    return exit_usage;
  }
  if (context.options.reason.find_first_not_of(' ') == std::string::npos) {
    context.io.err << "troupe: say why: --reason TEXT (it is kept in the audit)\n";
    return exit_usage;
  }
  auto client = context.client();
  const std::string node = std::to_string(args.node);
  return tell(context,
              client.change("POST", member_url(args.node) + "/handOver",
                            "{\"seconds\":" + std::to_string(time->count() / 1'000) + "}"),
              "node " + node + " owns no shards, and gets none for " + args.time +
                  " at most; when it is back:\n  troupe cell members take-back " + node);
}

int member_take_back(Context& context, std::uint32_t node) {
  auto client = context.client();
  return tell(context, client.change("POST", member_url(node) + "/takeBack"),
              "node " + std::to_string(node) + " may own shards again");
}

int transfer_leader(Context& context, const TransferLeader& args) {
  const auto timeout = duration_of(args.timeout);
  if (!timeout) {
    context.io.err << "troupe: --timeout must be a time such as 10s\n";
    return exit_usage;
  }
  auto client = context.client();
  const std::string wanted = std::to_string(args.node);
  const auto answer = client.change("PUT", "/api/v3/cell/leader", "{\"node\":" + wanted + "}");
  if (!answer.ok()) return report(context.io.err, answer.error());
  const Moment deadline = context.io.clock.steady() + *timeout;
  for (;;) {
    const auto cell = client.get("/api/v3/cell");
    if (cell.ok() && text_at(cell.value().value, "leader") == wanted)
      return tell(context, cell, "node " + wanted + " leads");
    if (context.io.clock.steady() >= deadline) break;
    context.io.pause(look_every);
  }
  return report(context.io.err,
                Error{ErrorCode::unavailable, "node " + wanted + " does not lead after " + args.timeout +
                                                  "; look at: troupe cell members"});
}

}  // namespace troupe::cli
