#include "actors/scheduler/explanation_json.hpp"

#include <gtest/gtest.h>

namespace troupe::scheduler {
namespace {

TEST(ExplanationJson, counts_hosts_per_reason_in_the_shape_that_clients_read) {
  Explanation explanation;
  explanation.standing = Explanation::Standing::waiting;
  explanation.position = 2;
  explanation.hosts = 4;
  explanation.reasons = {{"cpu", 3}, {"not connected", 1}};
  explanation.last_refusal = "the host is full";
  explanation.group.name = "DEFAULT";
  explanation.nearest = {{HostId{7}, "host-7", {{"cpu", "500 free"}}}};
  explanation.changes = {{Change::Kind::resource, "cpu", 4'000, 1'500, 3},
                         {Change::Kind::constraint, "machineId", 0, 0, 1}};
  EXPECT_EQ(
      explanation_json(TaskId{}, explanation),
      R"({"taskId":"00000000-0000-0000-0000-000000000000","failures":{"failures":[)"
      R"({"reason":"cpu","failureCount":3},{"reason":"not connected","failureCount":1}]},)"
      R"("queue":{"standing":"waiting","position":2,"hosts":4,"fitting":0,"lastRefusal":"the host is full"},)"
      R"("capacityGroup":{"name":"DEFAULT","tier":"Flex",)"
      R"("reservation":{"cpu":0,"memory":0,"disk":0,"network":0,"gpu":0,"ports":0},)"
      R"("used":{"cpu":0,"memory":0,"disk":0,"network":0,"gpu":0,"ports":0},)"
      R"("isAboveReservation":false,"isAtCeiling":false},)"
      R"("preemption":{"sentence":"","host":"","victims":[]},)"
      R"("nearest":[{"host":"host-7","lacks":[{"reason":"cpu","detail":"500 free"}]}],)"
      R"("changes":[{"kind":"resource","what":"cpu","from":4000,"to":1500,"hosts":3,)"
      R"("sentence":"ask for at most 1500 of cpu instead of 4000: 3 hosts take it then"},)"
      R"({"kind":"constraint","what":"machineId","hosts":1,)"
      R"("sentence":"give up the constraint machineId: 1 host takes it then"}]})");
}

}  // namespace
}  // namespace troupe::scheduler
