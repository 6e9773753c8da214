// `trace start|show|stop`: one entity's messages, commands and events on all nodes, in causal order.

#include <algorithm>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_interrupt.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds trace_pause{500};
constexpr int trace_pauses_max = 8;  ///< between two looks
constexpr std::string_view traces_url = "/api/v3/traces";

std::string trace_url(const std::string& id) { return std::string(traces_url) + '/' + url_text(id); }

std::string numbers_of(const json::Value& note) {
  std::string text;
  if (const json::Value* nodes = note.find("nodes"))
    for (const auto& node : items_of(*nodes))
      text += (text.empty() ? "" : ",") + std::to_string(node.integer() ? *node.integer() : 0);
  return text;
}

void show_nodes(std::ostream& out, const json::Value& trace) {
  const json::Value* nodes = trace.find("nodes");
  if (nodes == nullptr) return;
  for (const auto& node : items_of(*nodes)) {
    out << "  node " << text_at(node, "node") << ": ";
    if (const auto error = text_at(node, "error"); !error.empty())
      out << printable(error) << '\n';
    else
      out << text_at(node, "messages") << " messages, " << text_at(node, "state")
          << (text_at(node, "why").empty() ? "" : ": " + text_at(node, "why")) << '\n';
  }
}

void show_trace(std::ostream& out, const json::Value& trace) {
  out << "trace " << text_at(trace, "id") << " of " << printable(text_at(trace, "entity")) << ", "
      << text_at(trace, "state") << '\n';
  show_nodes(out, trace);
  Table table({"MS", "NODES", "LOG", "KIND", "ENTITY", "WHAT", "DETAIL"});
  const auto& items = items_of(trace);
  const std::int64_t begin = items.empty() ? 0 : integer_at(items.front(), "at");
  for (const auto& note : items)
    table.add({std::to_string(integer_at(note, "at") - begin), numbers_of(note), text_at(note, "index"),
               text_at(note, "kind"), text_at(note, "entity"), text_at(note, "what"),
               text_at(note, "detail")});
  if (!items.empty()) table.print(out);
}

int tell(Context& context, const Result<Answer>& answer) {
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    show_trace(context.io.out, answer.value().value);
  return exit_ok;
}

Result<Answer> look(Context& context, const std::string& id) {
  return read_anywhere<Answer>(context, [&](CellClient& client) { return client.get(trace_url(id)); });
}

/// Until it is off by itself; an interrupt turns it off before. Each look fetches all notes of all nodes.
int await_end(Context& context, const std::string& id) {
  const InterruptGuard guard(context.io.signals, [] {});
  for (int pauses = 1;; pauses = std::min(2 * pauses, trace_pauses_max)) {
    auto answer = look(context, id);
    if (!answer.ok() || text_at(answer.value().value, "state") == "over") return tell(context, answer);
    for (int n = 0; n < pauses && !guard.was_interrupted(); ++n) context.io.pause(trace_pause);
    if (guard.was_interrupted()) return tell(context, context.client().change("DELETE", trace_url(id)));
  }
}

}  // namespace

int trace_start(Context& context, const TraceStart& args) {
  const auto time = duration_of(args.time);
  if (!time) {
    context.io.err << "troupe: --for must be a time such as 30s or 5m\n";
    return exit_usage;
  }
  json::Writer body;
  body.begin_object();
  body.key("entity");
  body.text(args.entity);
  body.key("messages");
  body.uint(args.messages);
  body.key("seconds");
  body.integer(time->count() / 1'000);
  body.end_object();
  learn_others(context);
  const auto answer = context.client().change("POST", std::string(traces_url), body.take());
  if (!answer.ok()) return report(context.io.err, answer.error());
  const std::string id = text_at(answer.value().value, "id");
  if (args.waits) return await_end(context, id);
  if (context.options.wants_json) return tell(context, answer);
  context.io.out << "trace " << id << " of " << printable(args.entity) << " is on; look at it with:\n"
                 << "  troupe trace show " << id << '\n';
  if (const json::Value* nodes = answer.value().value.find("nodes"))
    for (const auto& node : items_of(*nodes))
      if (const auto error = text_at(node, "error"); !error.empty())
        context.io.err << "troupe: node " << text_at(node, "node") << " takes no part: " << printable(error)
                       << '\n';
  return exit_ok;
}

int trace_show(Context& context, const std::string& id) { return tell(context, look(context, id)); }

int trace_stop(Context& context, const std::string& id) {
  return tell(context, context.client().change("DELETE", trace_url(id)));
}

}  // namespace troupe::cli
