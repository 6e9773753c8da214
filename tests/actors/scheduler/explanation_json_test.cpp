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
  EXPECT_EQ(
      explanation_json(TaskId{}, explanation),
      R"({"taskId":"00000000-0000-0000-0000-000000000000","failures":{"failures":[)"
      R"({"reason":"cpu","failureCount":3},{"reason":"not connected","failureCount":1}]},)"
      R"("queue":{"standing":"waiting","position":2,"hosts":4,"fitting":0,"lastRefusal":"the host is full"}})");
}

}  // namespace
}  // namespace troupe::scheduler
