#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/places.hpp"

namespace troupe::gateway {
namespace {

void answer_placed(Services& services, const CallPtr& call, const TaskRecord& task) {
  Places places(services.node().reads());
  json::Writer writer;
  api::placement_json(writer, task, places.host_name(task.host), {});
  call->answer(http::json_response(200, writer.take()));
}

void answer_result(Services& services, const CallPtr& call, const TaskId& id) {
  const Reads& reads = services.node().reads();
  const auto facts = reads.task(id);
  if (!facts) {
    const auto archived = reads.archived_task(id);
    if (!archived.ok()) return call->fail(archived.error());
    if (!archived.value()) return call->fail({ErrorCode::not_found, "there is no task " + to_text(id)});
    return answer_placed(services, call, *archived.value());
  }
  if (facts->record.is_placed()) return answer_placed(services, call, facts->record);
  services.ask_scheduler(id, [call](const Result<Bytes>& told) {
    if (!told.ok()) return call->fail(told.error());
    call->answer(http::json_response(200, told.value()));
  });
}

}  // namespace

void get_scheduler_result(Services& services, const CallPtr& call) {
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return call->fail(id.error());
  const auto consistency = consistency_of(*call, {});
  if (!consistency.ok()) return call->fail(consistency.error());
  services.when_fresh(call, consistency.value(),
                      [&services, call, id = id.value()] { answer_result(services, call, id); });
}

}  // namespace troupe::gateway
