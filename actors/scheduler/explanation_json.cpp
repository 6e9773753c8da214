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

std::string explanation_json(const Explanation& explanation) {
  json::Writer writer;
  writer.begin_object();
  writer.key("standing");
  writer.text(standing_text(explanation.standing));
  writer.key("position");
  writer.uint(explanation.position);
  writer.key("hosts");
  writer.uint(explanation.hosts);
  writer.key("fitting");
  writer.uint(explanation.fitting);
  writer.key("reasons");
  writer.begin_object();
  for (const auto& [reason, hosts] : explanation.reasons) {
    writer.key(reason);
    writer.uint(hosts);
  }
  writer.end_object();
  writer.key("lastRefusal");
  writer.text(explanation.last_refusal);
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::scheduler
