#include "actors/operations/standing_core.hpp"

#include <charconv>

#include "net/json/writer.hpp"

namespace troupe::operations {
namespace {

/// What one node said, as a tree; null: it said nothing that can be read.
struct Heard {
  const NodeSaid* said = nullptr;
  json::Value value;
};
using HeardAll = std::map<NodeId, Heard>;

std::uint64_t number_at(const json::Value* value) {
  std::uint64_t number = 0;
  if (value == nullptr) return 0;
  if (const auto* text = value->text()) std::from_chars(text->data(), text->data() + text->size(), number);
  if (const auto* integer = value->integer()) number = static_cast<std::uint64_t>(*integer);
  return number;
}

std::uint64_t number_at(const json::Value& value, std::string_view name) {
  return number_at(value.find(name));
}

/// Whoever says of itself that it leads, in the latest term.
const json::Value* leader_of(const HeardAll& heard) {
  const json::Value* best = nullptr;
  for (const auto& [node, one] : heard) {
    if (one.value.is_null() || number_at(one.value, "leader") != node.value) continue;
    if (best == nullptr || number_at(one.value, "term") > number_at(*best, "term")) best = &one.value;
  }
  return best;
}

const json::Value* member_in(const json::Value& members, NodeId node) {
  const json::Value* items = members.find("items");
  if (items == nullptr || items->array() == nullptr) return nullptr;
  for (const json::Value& member : *items->array())
    if (number_at(member, "node") == node.value) return &member;
  return nullptr;
}

void copy(json::Writer& writer, const json::Value* from, std::string_view name) {
  const json::Value* value = from == nullptr ? nullptr : from->find(name);
  if (value == nullptr) return;
  writer.key(name);
  json::write_value(writer, *value);
}

void put_text(json::Writer& writer, std::string_view key, std::string_view value) {
  writer.key(key);
  writer.text(value);
}

void node_json(json::Writer& writer, NodeId node, const Heard& heard, const json::Value* leader) {
  const json::Value& own = heard.value;
  const json::Value* member = leader == nullptr ? nullptr : member_in(*leader, node);
  const json::Value* as_it_sees = own.is_null() ? nullptr : member_in(own, node);
  const json::Value* role = member != nullptr ? member->find("role") : nullptr;
  if (leader == nullptr && as_it_sees != nullptr) role = as_it_sees->find("role");
  writer.begin_object();
  writer.key("node");
  writer.uint(node.value);
  put_text(writer, "role", role != nullptr && role->text() != nullptr ? *role->text() : "NONE");
  writer.key("reachable");
  writer.boolean(!own.is_null());
  if (own.is_null()) put_text(writer, "why", heard.said->why);
  put_text(writer, "address", heard.said->address);
  put_text(writer, "http", heard.said->http);
  for (const char* name :
       {"term", "last", "commit", "applied", "snapshot", "voteWithheld", "build", "shardsOwned"})
    copy(writer, own.is_null() ? nullptr : &own, name);
  for (const char* name : {"lag", "lastContactMs"}) copy(writer, member, name);
  writer.end_object();
}

}  // namespace

std::string standing_json(const std::map<NodeId, NodeSaid>& said) {
  HeardAll heard;
  for (const auto& [node, one] : said) {
    Heard& at = heard[node];
    at.said = &one;
    if (!one.members) continue;
    if (auto value = json::parse(*one.members); value.ok()) at.value = std::move(value).value();
  }
  const json::Value* leader = leader_of(heard);
  json::Writer writer;
  writer.begin_object();
  writer.key("leader");
  writer.uint(leader == nullptr ? 0 : number_at(*leader, "leader"));
  put_text(writer, "term", std::to_string(leader == nullptr ? 0 : number_at(*leader, "term")));
  put_text(writer, "commit", std::to_string(leader == nullptr ? 0 : number_at(*leader, "commit")));
  copy(writer, leader, "spared");
  writer.key("items");
  writer.begin_array();
  for (const auto& [node, one] : heard) node_json(writer, node, one, leader);
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::operations
