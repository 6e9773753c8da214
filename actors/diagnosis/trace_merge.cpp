#include "actors/diagnosis/trace_merge.hpp"

#include <charconv>
#include <list>
#include <optional>
#include <tuple>
#include <vector>

#include "net/json/value.hpp"
#include "net/json/writer.hpp"

namespace troupe {
namespace {

std::string_view text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  return member != nullptr && member->text() != nullptr ? std::string_view(*member->text())
                                                        : std::string_view();
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Told {
  json::Value value;
  std::string error;  ///< not empty: it did not answer
  const std::vector<json::Value>* notes = nullptr;
  std::size_t next = 0;
  const json::Value* head() const {
    return notes == nullptr || next == notes->size() ? nullptr : &(*notes)[next];
  }
};
using AllTold = std::map<NodeId, Told>;

struct Merged {
  const json::Value* note = nullptr;
  std::vector<NodeId> nodes;
};

class Merge {
 public:
  explicit Merge(AllTold& told) : told_(told) {
    for (const auto& [node, one] : told_)
      for (std::size_t n = 0; one.notes != nullptr && n < one.notes->size(); ++n)
        if (text_of((*one.notes)[n], "kind") == "forwarded") ++sent_[text_of((*one.notes)[n], "link")];
  }

  std::list<Merged> run() {
    while (const auto node = next()) take(*node);
    return std::move(merged_);
  }

 private:
  /// Something that is on its way still: the other side's note comes first.
  bool waits(const json::Value& note) const {
    if (text_of(note, "kind") != "taken") return false;
    const auto sent = sent_.find(text_of(note, "link"));
    return sent != sent_.end() && sent->second > 0;
  }

  std::optional<NodeId> next() const {
    using Order = std::tuple<bool, std::uint64_t, bool, std::uint64_t>;
    std::optional<std::pair<Order, NodeId>> best;
    for (const auto& [node, one] : told_) {
      const json::Value* note = one.head();
      if (note == nullptr) continue;
      const Order order{waits(*note), number_of(text_of(*note, "index")), text_of(*note, "kind") != "applied",
                        number_of(text_of(*note, "at"))};
      if (!best || std::pair(order, node) < *best) best = {order, node};
    }
    return best ? std::optional(best->second) : std::nullopt;
  }

  void take(NodeId node) {
    Told& one = told_.at(node);
    const json::Value& note = *one.head();
    ++one.next;
    const std::string_view link = text_of(note, "link");
    if (text_of(note, "kind") == "forwarded") --sent_[link];
    if (text_of(note, "kind") != "applied") return merged_.push_back({&note, {node}});
    Merged*& fact = facts_[link];
    if (fact != nullptr) return fact->nodes.push_back(node);
    merged_.push_back({&note, {node}});
    fact = &merged_.back();
  }

  AllTold& told_;
  std::map<std::string_view, std::size_t> sent_;  ///< by link, those that were not reached yet
  std::map<std::string_view, Merged*> facts_;     ///< by link
  std::list<Merged> merged_;
};

void node_json(json::Writer& writer, NodeId node, const Told& told) {
  writer.begin_object();
  writer.key("node");
  writer.uint(node.value);
  if (!told.error.empty()) {
    writer.key("error");
    writer.text(told.error);
  }
  for (const char* name : {"state", "why", "messages"}) {
    const json::Value* member = told.error.empty() ? told.value.find(name) : nullptr;
    if (member == nullptr) continue;
    writer.key(name);
    json::write_value(writer, *member);
  }
  writer.end_object();
}

void note_json(json::Writer& writer, const Merged& merged) {
  writer.begin_object();
  writer.key("nodes");
  writer.begin_array();
  for (const NodeId node : merged.nodes) writer.uint(node.value);
  writer.end_array();
  for (const auto& [name, at, member] : *merged.note->object()) {
    writer.key(name);
    json::write_value(writer, member);
  }
  writer.end_object();
}

AllTold read(const std::map<NodeId, Result<Bytes>>& told) {
  AllTold all;
  for (const auto& [node, answer] : told) {
    Told& one = all[node];
    auto value = answer.ok() ? json::parse(answer.value()) : Result<json::Value>(answer.error());
    if (!value.ok()) {
      one.error = value.error().message;
      continue;
    }
    one.value = std::move(value).value();
    const json::Value* items = one.value.find("items");
    if (items != nullptr) one.notes = items->array();
  }
  return all;
}

}  // namespace

Result<std::string> merged_trace(const std::map<NodeId, Result<Bytes>>& told) {
  AllTold all = read(told);
  const Told* first = nullptr;
  bool is_on = false;
  for (const auto& [node, one] : all) {
    if (!one.error.empty()) continue;
    if (first == nullptr) first = &one;
    is_on = is_on || text_of(one.value, "state") == "on";
  }
  if (first == nullptr) {
    for (const auto& [node, answer] : told)
      if (!answer.ok()) return answer.error();
    return Error{ErrorCode::not_found, "no node has this trace"};
  }
  json::Writer writer;
  writer.begin_object();
  for (const char* name : {"id", "entity"}) {
    writer.key(name);
    writer.text(text_of(first->value, name));
  }
  writer.key("state");
  writer.text(is_on ? "on" : "over");
  writer.key("nodes");
  writer.begin_array();
  for (const auto& [node, one] : all) node_json(writer, node, one);
  writer.end_array();
  writer.key("items");
  writer.begin_array();
  for (const Merged& merged : Merge(all).run()) note_json(writer, merged);
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe
