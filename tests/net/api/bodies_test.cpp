#include "net/api/bodies.hpp"

#include <gtest/gtest.h>

#include "net/api/entity_json.hpp"

namespace troupe::api {
namespace {

std::string complaint(const auto& result) {
  if (result.ok()) return "none";
  const auto& first = result.error().violations.at(0);
  return first.path + ": " + first.message;
}

TEST(ParseCapacity, WantsTheWholeTriple) {
  const auto capacity = parse_capacity(R"({"min": 1, "desired": "2", "max": 3})");
  ASSERT_TRUE(capacity.ok()) << capacity.error().message;
  EXPECT_EQ(capacity.value(), (Capacity{1, 2, 3}));
  EXPECT_EQ(complaint(parse_capacity(R"({"min": 1, "max": 3})")), "desired: is required");
  EXPECT_EQ(complaint(parse_capacity(R"({"min": 3, "desired": 2, "max": 3})")),
            ": must have min <= desired <= max");
  EXPECT_EQ(complaint(parse_capacity(R"({"min": 0, "desired": 0, "max": 2501})")),
            "max: must be from 0 to 2500");
  EXPECT_EQ(complaint(parse_capacity(R"({"min": 0, "desired": 0, "max": 1, "mx": 1})")),
            "mx: is not a known field; did you mean max?");
  EXPECT_EQ(complaint(parse_capacity("[]")), ": must be an object, is a list");
}

TEST(ParseTaskMove, WantsThreeIdsOfTwoJobs) {
  const std::string task = "81d0f3a2-0000-4000-8000-000000000001",
                    from = "6f1c2a70-0000-4000-8000-000000000002",
                    to = "6f1c2a70-0000-4000-8000-000000000003";
  const auto text = [&](const std::string& target) {
    return R"({"taskId": ")" + task + R"(", "sourceJobId": ")" + from + R"(", "targetJobId": ")" + target +
           "\"}";
  };
  const auto move = parse_task_move(text(to));
  ASSERT_TRUE(move.ok()) << move.error().message;
  EXPECT_EQ(to_text(move.value().task), task);
  EXPECT_EQ(to_text(move.value().source), from);
  EXPECT_EQ(to_text(move.value().target), to);
  EXPECT_EQ(complaint(parse_task_move(text(from))), "targetJobId: must be another job than sourceJobId");
  EXPECT_EQ(complaint(parse_task_move(text("6f1c"))),
            "targetJobId: must be an id, such as 6f1c2a70-3d8e-4b21-9c55-0a1b2c3d4e5f");
  EXPECT_EQ(complaint(parse_task_move("{}")), "taskId: is required");
}

TEST(ParseCapacityChange, TakesAnyPart) {
  const auto desired = parse_capacity_change(R"({"desired": 7})");
  ASSERT_TRUE(desired.ok());
  EXPECT_EQ(desired.value(), (CapacityChange{std::nullopt, 7, std::nullopt}));
  EXPECT_EQ(complaint(parse_capacity_change("{}")), ": must have at least one of min, desired, max");
  EXPECT_EQ(complaint(parse_capacity_change(R"({"min": 3, "max": 2})")), "min: must be at most max");
  EXPECT_EQ(complaint(parse_capacity_change(R"({"min": 3, "desired": 2})")), "min: must be at most desired");
  EXPECT_EQ(complaint(parse_capacity_change(R"({"desired": 3, "max": 2})")), "desired: must be at most max");
  EXPECT_EQ(complaint(parse_capacity_change(R"({"desired": -1})")), "desired: must be from 0 to 2500");
}

constexpr std::string_view group_text =
    R"({"appName":"film","tier":"Critical","instanceCPU":0.5,"instanceMemoryMB":512,"instanceDiskMB":0,)"
    R"("instanceNetworkMbs":128,"instanceGPU":0,"instanceCount":4,"tasksMax":100,"jobsMax":7,)"
    R"("launchBurst":5,"launchesPerMinute":60,"launchesMax":9})";

TEST(ParseGroup, ReadsWhatIsPrinted) {
  const auto group = parse_group(group_text, "film");
  ASSERT_TRUE(group.ok()) << group.error().message;
  EXPECT_EQ(group.value().tier, Tier::critical);
  EXPECT_EQ(group.value().instance, (Resources{500, 512, 0, 128, 0}));
  EXPECT_EQ(group.value().instance_count, 4u);
  EXPECT_EQ(group.value().tasks_max, 100u);
  EXPECT_EQ(group.value().jobs_max, 7u);
  json::Writer writer;
  group_json(writer, group.value());
  EXPECT_EQ(writer.take(), group_text);
}

TEST(ParseGroup, TakesTheNameFromThePath) {
  const auto group = parse_group(R"({"instanceCPU": 1, "instanceMemoryMB": 1, "instanceCount": 1})", "film");
  ASSERT_TRUE(group.ok()) << group.error().message;
  EXPECT_EQ(group.value().name, "film");
  EXPECT_EQ(group.value().tier, Tier::flex);
}

TEST(ParseGroup, RefusesWhatIsWrong) {
  EXPECT_EQ(complaint(parse_group(group_text, "other")), "appName: is not the group that the path names");
  EXPECT_EQ(complaint(parse_group(R"({"instanceCPU": 1, "instanceMemoryMB": 1, "instanceCount": 1})", {})),
            "appName: is required and must not be blank");
  EXPECT_EQ(complaint(parse_group(R"({"instanceMemoryMB": 1, "instanceCount": 1})", "a")),
            "instanceCPU: is required");
  EXPECT_EQ(complaint(parse_group(R"({"instanceCPU": 1, "instanceMemoryMB": 1, "instanceCount": 0})", "a")),
            "instanceCount: must be from 1 to 1000000");
  EXPECT_EQ(complaint(parse_group(
                R"({"tier": "Gold", "instanceCPU": 1, "instanceMemoryMB": 1, "instanceCount": 1})", "a")),
            "tier: must be Critical or Flex");
}

}  // namespace
}  // namespace troupe::api
