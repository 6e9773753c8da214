// The cell's own members: who votes, who listens, who leads. Orders go to the leader's replica.

#include <charconv>

#include "actors/balancer/shard_plan.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/reading.hpp"

namespace troupe::gateway {
namespace {

using raft::MemberChangeKind;

constexpr std::size_t address_chars_max = 256;
constexpr std::uint32_t node_max = 65'535;
constexpr std::int64_t spared_seconds_max = 3'600;

NodeId read_node(json::ObjectReader& reader) {
  return NodeId{
      static_cast<decltype(NodeId::value)>(api::read_required_integer(reader, "node", {1, node_max}))};
}

bool is_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > address_chars_max) return false;
  std::uint16_t port = 0;
  const auto [stop, fault] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return fault == std::errc{} && stop == text.data() + text.size() && port != 0;
}

Result<CellOrder> parse_add(std::string_view text) {
  return api::read_body<CellOrder>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    CellOrder order{CellOrder::Kind::change, MemberChangeKind::add_learner, read_node(reader), {}};
    order.address = reader.required_string("address");
    if (violations.empty() && !is_address(order.address))
      reader.complain("address", "must be the host:port of the node's peer listener");
    reader.finish();
    return order;
  });
}

Result<CellOrder> parse_transfer(std::string_view text) {
  return api::read_body<CellOrder>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    const CellOrder order{CellOrder::Kind::transfer, {}, read_node(reader), {}};
    reader.finish();
    return order;
  });
}

Result<milliseconds> parse_spared_time(std::string_view text) {
  return api::read_body<milliseconds>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    const auto seconds = api::read_required_integer(reader, "seconds", {1, spared_seconds_max});
    reader.finish();
    return milliseconds(1'000 * seconds);
  });
}

Result<NodeId> parse_owner(std::string_view text) {
  return api::read_body<NodeId>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    const NodeId node = read_node(reader);
    reader.finish();
    return node;
  });
}

Result<CellOrder> captured_change(const Call& call, MemberChangeKind change) {
  const std::string& text = call.captured.at(0);
  NodeId node;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), node.value);
  if (fault != std::errc{} || stop != text.data() + text.size() || node == NodeId{} || node.value > node_max)
    return Error{ErrorCode::invalid_argument, "the path must name a node by its number"};
  return CellOrder{CellOrder::Kind::change, change, node, {}};
}

void give(Services& services, const CallPtr& call, const Result<CellOrder>& order) {
  if (!order.ok()) return call->fail(order.error());
  services.ask_cell(order.value(), [call](const Result<Bytes>& told) {
    if (!told.ok()) return call->fail(told.error());
    call->answer(http::json_response(200, told.value()));
  });
}

/// Noted in the audit first.
void give_noted(Services& services, const CallPtr& call, const Result<CellOrder>& order,
                const std::string& what) {
  if (!order.ok()) return give(services, call, order);
  note_then(services, call, what + "/" + to_text(order.value().node),
            [&services, call, order] { give(services, call, order); });
}

}  // namespace

void note_then(Services& services, const CallPtr& call, const std::string& what, std::function<void()> give) {
  constexpr std::uint32_t noted_from_level = 2;
  if (services.node().reads().level() < noted_from_level) return give();
  Command note;
  note.request = call->request_id;
  note.caller = call->caller;
  note.reason = call->reason;
  note.body = NoteOperation{what};
  services.propose(std::move(note), [call, give = std::move(give)](const Result<Outcome>& noted) {
    if (!noted.ok()) return call->fail(noted.error());
    if (noted.value().error) return call->fail(*noted.value().error);
    give();
  });
}

void list_members(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  give(services, call, CellOrder{});
}

void add_member(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  give_noted(services, call, parse_add(call->request.body), "members/add");
}

void promote_member(Services& services, const CallPtr& call) {
  give_noted(services, call, captured_change(*call, MemberChangeKind::promote), "members/promote");
}

void remove_member(Services& services, const CallPtr& call) {
  give_noted(services, call, captured_change(*call, MemberChangeKind::remove), "members/remove");
}

void hand_over(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto order = captured_change(*call, {});
  if (!order.ok()) return call->fail(order.error());
  const auto time = parse_spared_time(call->request.body);
  if (!time.ok()) return call->fail(time.error());
  order.value().kind = CellOrder::Kind::hand_over;
  order.value().at_most = time.value();
  order.value().caller = call->caller;
  order.value().reason = call->reason;
  give_noted(services, call, order, "members/hand-over");
}

void take_back(Services& services, const CallPtr& call) {
  auto order = captured_change(*call, {});
  if (order.ok()) order.value().kind = CellOrder::Kind::take_back;
  give_noted(services, call, order, "members/take-back");
}

void put_shard_owner(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto node = parse_owner(call->request.body);
  if (!node.ok()) return call->fail(node.error());
  const std::string& text = call->captured.at(0);
  ShardId shard;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), shard.value);
  if (fault != std::errc{} || stop != text.data() + text.size())
    return call->fail({ErrorCode::invalid_argument, "the path must name a shard by its number"});
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, shard, node = node.value()] {
    const NodeContext& here = services.node();
    const auto voters = here.book.voters();
    if (std::ranges::find(voters, node) == voters.end())
      return call->fail(
          {ErrorCode::precondition_failed, "node " + to_text(node) + " is no voter of the cell"});
    const auto spared = here.spared.get();
    if (spared && spared->node == node)
      return call->fail({ErrorCode::precondition_failed, "node " + to_text(node) + " hands its shards over"});
    auto moves = plan_move(here.reads().shards(), shard, node);
    if (!moves.ok()) return call->fail(moves.error());
    mutate(services, call, AssignShards{std::move(moves).value()},
           {.status = 200, .entity_url = "/api/v3/console?command=shards"},
           TermFence{Term{here.status.term.load()}});
  });
}

void put_leader(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  give_noted(services, call, parse_transfer(call->request.body), "leader");
}

}  // namespace troupe::gateway
