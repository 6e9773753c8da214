// One entity followed on all nodes: each notes its part, and they are merged here.

#include "actors/diagnosis/trace_core.hpp"
#include "actors/diagnosis/trace_merge.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/runtime/logging.hpp"
#include "net/api/reading.hpp"
#include "storage/base/hex.hpp"

namespace troupe::gateway {
namespace {

constexpr std::size_t entity_chars_max = 300;
constexpr std::int64_t messages_default = 1'000, seconds_default = 60;

struct TraceWish {
  std::string entity;
  std::int64_t messages = messages_default;
  std::int64_t seconds = seconds_default;
};

Result<TraceWish> parse_wish(std::string_view text) {
  return api::read_body<TraceWish>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    TraceWish wish;
    wish.entity = reader.required_string("entity");
    const bool is_word = wish.entity.find_first_of(" \t\r\n") == std::string::npos;
    if (violations.empty() && (!is_word || wish.entity.empty() || wish.entity.size() > entity_chars_max))
      reader.complain("entity", "must be job/ID, task/ID, host/NAME or group/NAME");
    const auto messages = api::read_integer(reader, "messages", {1, trace_messages_max});
    const auto seconds = api::read_integer(reader, "seconds", {1, trace_time_max.count() / 1'000});
    wish.messages = messages.value_or(messages_default);
    wish.seconds = seconds.value_or(seconds_default);
    reader.finish();
    return wish;
  });
}

/// Answers the call when the last node has answered, or its patience is over.
struct TraceGathering {
  CallPtr call;
  std::map<NodeId, Result<Bytes>> told;
  std::size_t open = 0;

  void came(NodeId node, const Result<Bytes>& answer) {
    told.insert_or_assign(node, answer);
    if (--open > 0) return;
    const auto merged = merged_trace(told);
    if (!merged.ok()) return call->fail(merged.error());
    call->answer(http::json_response(200, merged.value()));
  }
};

void ask_all(Services& services, const CallPtr& call, const std::string& command) {
  const auto gathering = std::make_shared<TraceGathering>();
  gathering->call = call;
  const auto nodes = services.node().book.all();
  gathering->open = nodes.size();
  for (const auto& [node, address] : nodes)
    services.ask_console(
        node, command, [gathering, node = node](const Result<Bytes>& told) { gathering->came(node, told); });
}

/// Only what we gave out ourselves goes into a command.
bool is_trace_id(std::string_view id) {
  return id.size() == 16 && id.find_first_not_of("0123456789abcdef") == id.npos;
}

void ask_about(Services& services, const CallPtr& call, std::string_view verb) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  const std::string& id = call->captured.at(0);
  if (!is_trace_id(id)) return call->fail({ErrorCode::not_found, "there is no such trace"});
  ask_all(services, call, "trace " + std::string(verb) + ' ' + id);
}

}  // namespace

void start_trace(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto wish = parse_wish(call->request.body);
  if (!wish.ok()) return call->fail(wish.error());
  const JobId drawn = services.random().uuid<JobId>();
  const std::string id = hex_of(drawn.bytes).substr(0, 16);
  logging::info("trace_started node={} trace={} entity={} caller=\"{}\" reason=\"{}\"",
                services.node().self.value, id, wish.value().entity, call->caller, call->reason);
  ask_all(services, call,
          "trace start " + id + ' ' + std::to_string(wish.value().messages) + ' ' +
              std::to_string(wish.value().seconds) + ' ' + wish.value().entity);
}

void get_trace(Services& services, const CallPtr& call) { ask_about(services, call, "show"); }
void stop_trace(Services& services, const CallPtr& call) { ask_about(services, call, "stop"); }

}  // namespace troupe::gateway
