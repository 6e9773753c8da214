#include "actors/scheduler/explanation_json.hpp"

#include "net/json/writer.hpp"

namespace troupe::scheduler {
namespace {

std::string_view standing_text(Explanation::Standing standing) {
  switch (standing) {
    case Explanation::Standing::unknown:
      return "unknown";
    case Explanation::Standing::waiting:
      return "waiting";
    case Explanation::Standing::in_flight:
      return "inFlight";
  }
  return {};
}

}  // namespace

std::string explanation_json(TaskId task, const Explanation& explanation) {
  json::Writer writer;
  writer.begin_object();
  writer.key("taskId");
  writer.text(to_text(task));
  writer.key("failures");
  writer.begin_object();
  writer.key("failures");
  writer.begin_array();
  for (const auto& [reason, hosts] : explanation.reasons) {
    writer.begin_object();
    writer.key("reason");
    writer.text(reason);
    writer.key("failureCount");
    writer.uint(hosts);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  writer.key("queue");
  writer.begin_object();
  writer.key("standing");
  writer.text(standing_text(explanation.standing));
  writer.key("position");
  writer.uint(explanation.position);
  writer.key("hosts");
  writer.uint(explanation.hosts);
  writer.key("fitting");
  writer.uint(explanation.fitting);
  writer.key("lastRefusal");
  writer.text(explanation.last_refusal);
  writer.end_object();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::scheduler
