#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

constexpr std::string_view path = "/api/v2/management/applications";
constexpr const char* payments =
    R"({"appName":"payments","tier":"Critical","instanceCPU":2,"instanceMemoryMB":4096,"instanceDiskMB":1000,)"
    R"("instanceNetworkMbs":128,"instanceCount":10,"tasksMax":50})";

TEST(GatewayGroups, AreMadeReadAndChangedAsInTitus) {
  Scene scene;
  EXPECT_EQ(scene.call("POST", path, payments)->response.status, 201);
  const auto made = scene.get(std::string(path) + "/payments");
  EXPECT_EQ(made->response.status, 200);
  EXPECT_THAT(made->response.body, HasSubstr(R"("tier":"Critical")"));
  EXPECT_THAT(made->response.body, HasSubstr(R"("instanceCount":10)"));
  EXPECT_EQ(scene.call("POST", path, payments)->response.status, 409);

  std::string larger = payments;
  larger.replace(larger.find("\"instanceCount\":10"), 18, "\"instanceCount\":20");
  EXPECT_EQ(scene.call("PUT", std::string(path) + "/payments", larger)->response.status, 200);
  EXPECT_EQ(scene.cell.reads().group("payments")->record.instance_count, 20U);
  EXPECT_THAT(scene.get(path)->response.body, HasSubstr("DEFAULT"));
  EXPECT_EQ(scene.call("DELETE", std::string(path) + "/payments")->response.status, 409)
      << "the cell's level does not know it yet";
  scene.cell.apply(RaiseLevel{1}, scene.cell.term_fence());
  scene.cell.apply(RaiseLevel{2}, scene.cell.term_fence());
  EXPECT_EQ(scene.call("DELETE", std::string(path) + "/payments")->response.status, 200);
  EXPECT_EQ(scene.get(std::string(path) + "/payments")->response.status, 404);
  EXPECT_EQ(scene.call("DELETE", std::string(path) + "/payments")->response.status, 404);
  EXPECT_EQ(scene.call("DELETE", std::string(path) + "/DEFAULT")->response.status, 400);
}

TEST(GatewayGroups, RefuseWhatIsWrong) {
  Scene scene;
  EXPECT_EQ(scene.call("PUT", std::string(path) + "/payments", payments)->response.status, 404);
  EXPECT_EQ(scene.call("PUT", std::string(path) + "/other", payments)->response.status, 400);
  const auto empty = scene.call("POST", path, "{}");
  EXPECT_EQ(empty->response.status, 400);
  EXPECT_THAT(empty->response.body, HasSubstr("instanceCPU"));
  EXPECT_EQ(scene.get(std::string(path) + "/nobody")->response.status, 404);
  EXPECT_EQ(scene.get("/api/v3/groups/nobody")->response.status, 404);
}

TEST(GatewayGroups, SayWhatTheyUseAndWhatIsLeftOfTheirReservation) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  scene.call("PUT", std::string(path) + "/DEFAULT",
             R"({"tier":"Flex","instanceCPU":1,"instanceMemoryMB":1000,"instanceCount":4})");
  const JobId job = scene.cell.submit(batch_of(3));
  scene.cell.running(job, 0, host);
  scene.cell.start(job, 1);
  const auto seen = scene.get("/api/v3/groups/DEFAULT");
  ASSERT_EQ(seen->response.status, 200);
  const Resources used = scene.cell.reads().group("DEFAULT")->use.placed;
  const json::Value standing = seen->json();
  const auto number = [&](const char* part, const char* member) {
    return *standing.find(part)->find(member)->integer();
  };
  EXPECT_EQ(number("reservation", "memoryMB"), 4'000);
  EXPECT_EQ(number("used", "memoryMB"), used.memory_mb);
  EXPECT_EQ(number("headroom", "memoryMB"), 4'000 - used.memory_mb);
  EXPECT_EQ(number("headroom", "gpu"), 0);
  EXPECT_THAT(seen->response.body,
              HasSubstr(R"("tasks":2,"tasksWanted":3,"tasksMax":0,"tasksStarting":0,"tasksWaiting":1)"));
  EXPECT_THAT(scene.get("/api/v3/groups")->response.body, HasSubstr(R"([{"name":"DEFAULT")"));
}

}  // namespace
}  // namespace troupe
