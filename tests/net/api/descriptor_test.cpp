#include "net/api/descriptor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::api {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

constexpr std::string_view whole = R"({
  "owner": {"teamEmail": "film@example.com"},
  "applicationName": "encode",
  "capacityGroup": "batch",
  "jobGroupInfo": {"stack": "prod", "detail": "eu", "sequence": "001"},
  "attributes": {"show": "42", "titusParameter.agent.killWaitSeconds": "25", "titus.createdBy": "somebody"},
  "container": {
    "resources": {"cpu": 1.5, "gpu": 1, "memoryMB": 512, "diskMB": "100", "networkMbps": 128, "shmSizeMB": 0},
    "image": {"name": "film/encode", "tag": "v1.2"},
    "entryPoint": ["/bin/encode"],
    "command": ["--fast", ""],
    "env": {"LEVEL": "7"},
    "hardConstraints": {"constraints": {"uniquehost": "true"}, "expression": ""},
    "softConstraints": {"machineType": "large"}
  },
  "batch": {"size": 3, "runtimeLimitSec": "600", "retryOnRuntimeLimit": true,
            "retryPolicy": {"exponentialBackOff": {"initialDelayMs": "100", "maxDelayIntervalMs": 5000, "retries": 4}}}
})";

constexpr std::string_view small = R"({"owner": {"teamEmail": "a@b"}, "applicationName": "app",
  "container": {"command": ["true"]}, "batch": {"size": 1}})";

/// The small descriptor with one part of its text replaced.
std::string with(std::string_view old_part, std::string_view new_part) {
  std::string text(small);
  const auto at = text.find(old_part);
  EXPECT_NE(at, std::string::npos) << old_part;
  return text.replace(at, old_part.size(), new_part);
}
std::string with_container(std::string_view more) {
  return with(R"(["true"])", R"(["true"], )" + std::string(more));
}
std::string with_resources(std::string_view inside) {
  return with_container(R"("resources": {)" + std::string(inside) + "}");
}

std::vector<Violation> violations_of(std::string_view text) {
  const auto result = parse_job_descriptor(text);
  if (result.ok()) return {};
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  return result.error().violations;
}

TEST(ParseDescriptor, ReadsEveryField) {
  const auto result = parse_job_descriptor(whole);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const JobDescriptor& job = result.value();
  EXPECT_EQ(job.team_email, "film@example.com");
  EXPECT_EQ(job.capacity_group, "batch");
  EXPECT_EQ(job.unique_name(), "encode-prod-eu-001");
  EXPECT_EQ(job.attributes, (StringMap{{"show", "42"}, {"titusParameter.agent.killWaitSeconds", "25"}}));
  EXPECT_EQ(job.kill_grace, milliseconds(25'000));
  EXPECT_EQ(job.resources, (Resources{1500, 512, 100, 128, 1}));
  EXPECT_EQ(job.image, (Image{"film/encode", "v1.2", ""}));
  EXPECT_EQ(job.entry_point, std::vector<std::string>{"/bin/encode"});
  EXPECT_EQ(job.command, (std::vector<std::string>{"--fast", ""}));
  EXPECT_EQ(job.env, (StringMap{{"LEVEL", "7"}}));
  EXPECT_EQ(job.hard_constraints, (StringMap{{"uniqueHost", "true"}}));
  EXPECT_EQ(job.soft_constraints, (StringMap{{"machineType", "large"}}));
  const BatchSpec batch{3,
                        milliseconds(600'000),
                        true,
                        {RetryPolicy::Kind::exponential, 4, milliseconds(100), milliseconds(5000)}};
  ASSERT_TRUE(job.is_batch());
  EXPECT_EQ(*job.batch(), batch);
}

TEST(ParseDescriptor, TheSizeOfSharedMemoryIsAnAttributeAndIsPrintedAsItWasSent) {
  const auto result = parse_job_descriptor(with_resources(R"("shmSizeMB": 48)"));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().attributes, (StringMap{{"troupe.shmMB", "48"}}));
  json::Writer writer;
  descriptor_json(writer, result.value());
  const std::string printed = writer.take();
  EXPECT_NE(printed.find(R"("shmSizeMB":48)"), std::string::npos) << printed;
  EXPECT_EQ(parse_job_descriptor(printed).value(), result.value());
  EXPECT_TRUE(parse_job_descriptor(with_resources(R"("shmSizeMB": 0)")).value().attributes.empty());
}

TEST(ParseDescriptor, OnlyTheCellSaysThatAnImageWasNotResolved) {
  const auto result = parse_job_descriptor(
      with(R"("container")", R"("attributes": {"titus.sanitization.skipped.image": "true"}, "container")"));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_TRUE(result.value().attributes.empty());
}

TEST(ParseDescriptor, FillsInTheDefaults) {
  const auto result = parse_job_descriptor(small);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().capacity_group, "DEFAULT");
  EXPECT_EQ(result.value().resources, (Resources{100, 64, 16, 0, 0}));
  EXPECT_EQ(result.value().batch()->runtime_limit, std::chrono::days(5));
  EXPECT_EQ(result.value().retry(), RetryPolicy{});
  EXPECT_EQ(result.value().kill_grace, milliseconds(10'000));
}

TEST(ParseDescriptor, ReadsAService) {
  const auto result = parse_job_descriptor(
      with(R"("batch": {"size": 1})", R"("service": {"capacity": {"desired": 2, "max": 2500},
      "retryPolicy": {"delayed": {"delayMs": 50, "retries": 1}}, "migrationPolicy": {"systemDefault": {}},
      "serviceJobProcesses": {"disableIncreaseDesired": true}})"));
  ASSERT_TRUE(result.ok()) << result.error().message;
  const ServiceSpec service{
      {0, 2, 2500}, true, {RetryPolicy::Kind::delayed, 1, milliseconds(50), milliseconds(0)}, {true, false}};
  ASSERT_NE(result.value().service(), nullptr);
  EXPECT_EQ(*result.value().service(), service);
}

TEST(ParseDescriptor, PointsAtTheOffendingValue) {
  const auto violations = violations_of(
      "{\"owner\": {\"teamEmail\": \"a@b\"}, \"applicationName\": \"app\",\n"
      " \"container\": {\"command\": [\"true\"],\n"
      "  \"env\": {\"PATH\": null}}, \"batch\": {\"size\": 1}}");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0], (Violation{"container.env.PATH", "must be a string, is null", 3, 19}));
}

TEST(ParseDescriptor, TellsEverythingThatIsWrongAtOnce) {
  const auto violations = violations_of(R"({"owner": {"teamEmail": "nobody"}, "applicationName": " ",
    "container": {"resources": {"cpu": -1, "memoryMB": 8}, "env": {"A=B": "1"}}, "batch": {"size": 0},
    "service": {}, "disruptionBudget": {"selfManaged": {"relocationTimeMs": "-5"}}})");
  std::vector<std::string> paths;
  for (const auto& violation : violations) paths.push_back(violation.path);
  EXPECT_THAT(paths, testing::UnorderedElementsAre("owner.teamEmail", "applicationName",
                                                   "container.resources.cpu", "container.resources.memoryMB",
                                                   "container.env.A=B", "container.command", "",
                                                   "disruptionBudget.selfManaged.relocationTimeMs"));
}

TEST(ParseDescriptor, CpusHaveThreeDecimalsExactly) {
  const auto cpu_of = [](std::string_view cpu) {
    const auto result = parse_job_descriptor(with_resources(R"("cpu": )" + std::string(cpu)));
    return result.ok() ? result.value().resources.cpu_milli : -1;
  };
  EXPECT_EQ(cpu_of("0.1"), 100);
  EXPECT_EQ(cpu_of("0.333"), 333);
  EXPECT_EQ(cpu_of("95.999"), 95'999);
  EXPECT_EQ(cpu_of("2"), 2000);
  EXPECT_EQ(cpu_of("0.3335"), -1);
  EXPECT_EQ(cpu_of("0.33300000001"), -1);
  EXPECT_EQ(cpu_of("0.099"), -1);
  EXPECT_EQ(cpu_of("96.001"), -1);
  EXPECT_EQ(cpu_of("1e300"), -1);
}

TEST(ParseDescriptor, LimitsAreParameters) {
  DescriptorLimits limits;
  limits.ceiling.memory_mb = 63;
  limits.batch_size_max = 1;
  limits.fallback.memory_mb = 32;
  EXPECT_FALSE(parse_job_descriptor(with_resources(R"("memoryMB": 64)"), limits).ok());
  EXPECT_TRUE(parse_job_descriptor(with_resources(R"("memoryMB": 63)"), limits).ok());
  EXPECT_FALSE(parse_job_descriptor(with(R"("size": 1)", R"("size": 2)"), limits).ok());
  EXPECT_EQ(parse_job_descriptor(small, limits).value().resources.memory_mb, 32);
}

TEST(ParseDescriptor, KeepsTheUsersAttributesButNotTheCellsOwn) {
  const auto text =
      with(R"("container")", R"("attributes": {"titus.callReason": "x", "a": ""}, "container")");
  const auto result = parse_job_descriptor(text);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().attributes, (StringMap{{"a", ""}}));
}

struct Case {
  std::string name;
  std::string text;
  std::string path;
  std::string message;
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, WithPathAndReason) {
  const auto& wanted = GetParam();
  EXPECT_THAT(violations_of(wanted.text),
              Contains(AllOf(Field(&Violation::path, wanted.path),
                             Field(&Violation::message, HasSubstr(wanted.message)),
                             Field(&Violation::line, testing::Gt(0u)))))
      << wanted.text;
}

std::string repeated(std::size_t count, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out.append(i == 0 ? "" : ",").append(text);
  return out;
}

std::string numbered(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"v\"";
  return out;
}

std::string batch(std::string_view inside) { return with(R"({"size": 1})", inside); }
std::string retry(std::string_view policy) {
  return batch(R"({"size": 1, "retryPolicy": )" + std::string(policy) + "}");
}
std::string service(std::string_view inside) {
  return with(R"("batch": {"size": 1})", R"("service": )" + std::string(inside));
}
std::string attributes(std::string_view inside) {
  return with(R"("container")", R"("attributes": {)" + std::string(inside) + R"(}, "container")");
}
std::string top(std::string_view more) {
  return with(R"("container")", std::string(more) + R"(, "container")");
}

INSTANTIATE_TEST_SUITE_P(
    Top, Refused,
    testing::Values(
        Case{"NoObject", "[]", "", "must be an object"},
        Case{"NoOwner", with(R"("owner": {"teamEmail": "a@b"}, )", ""), "owner", "is required"},
        Case{"NoEmail", with(R"("teamEmail": "a@b")", ""), "owner.teamEmail", "is required"},
        Case{"BadEmail", with("a@b", "ab"), "owner.teamEmail", "e-mail"},
        Case{"EmailNumber", with(R"("a@b")", "5"), "owner.teamEmail", "must be a string"},
        Case{"OwnerExtra", with(R"("a@b")", R"("a@b", "phone": "1")"), "owner.phone", "not a known field"},
        Case{"NoApplication", with(R"("applicationName": "app",)", ""), "applicationName", "is required"},
        Case{"BlankApplication", with(R"("app")", R"("  ")"), "applicationName", "blank"},
        Case{"ControlCharacter", with(R"("app")", R"("a\nb")"), "applicationName", "control"},
        Case{"LongApplication", with(R"("app")", '"' + std::string(513, 'a') + '"'), "applicationName",
             "bytes"},
        Case{"Typo", with("applicationName", "aplicationName"), "aplicationName",
             "did you mean applicationName"},
        Case{"GroupInfo", top(R"("jobGroupInfo": {"stack": 1})"), "jobGroupInfo.stack", "must be a string"},
        Case{"GroupInfoExtra", top(R"("jobGroupInfo": {"stak": ""})"), "jobGroupInfo.stak", "mean stack"},
        Case{"NullAttribute", attributes(R"("a": null)"), "attributes.a", "is null"},
        Case{"ReservedAttribute", attributes(R"("titus.x": "1")"), "attributes.titus.x", "reserved"},
        Case{"UnknownKnob", attributes(R"("titusParameter.agent.fuseEnabled": "true")"),
             "attributes.titusParameter.agent.fuseEnabled", "not supported"},
        Case{"NamelessAttribute", attributes(R"("": "1")"), "attributes", "must have a name"},
        Case{"ManyAttributes", attributes(numbered(201)), "attributes", "at most 200"},
        Case{"BigAttributes", attributes(R"("a": ")" + std::string(65'536, 'x') + '"'), "attributes",
             "bytes"},
        Case{"KillWait", attributes(R"("titusParameter.agent.killWaitSeconds": "301")"),
             "attributes.titusParameter.agent.killWaitSeconds", "from 0 to 300"},
        Case{"Budget", top(R"("disruptionBudget": {"selfManaged": {}})"),
             "disruptionBudget.selfManaged.relocationTimeMs", "is required"},
        Case{
            "BudgetPolicies",
            top(R"("disruptionBudget": {"selfManaged": {"relocationTimeMs": 1}, "relocationLimit": {"limit": 1}})"),
            "disruptionBudget", "exactly one of"},
        Case{"BudgetWindow", top(R"("disruptionBudget": {"selfManaged": {"relocationTimeMs": 1},
                 "timeWindows": [{"hourlyTimeWindows": [{"startHour": 9, "endHour": 9}]}]})"),
             "disruptionBudget.timeWindows[0].hourlyTimeWindows[0].startHour", "below endHour"},
        Case{"Network", top(R"("networkConfiguration": {"networkMode": "Ipv4Only"})"), "networkConfiguration",
             "not supported"},
        Case{"Sidecars", top(R"("platformSidecars": [{"name": "x"}])"), "platformSidecars", "not supported"},
        Case{"Extra", top(R"("extraContainers": [{}])"), "extraContainers", "not supported"},
        Case{"Volumes", top(R"("volumes": [{}])"), "volumes", "not supported"},
        Case{"NoKind", with(R"(, "batch": {"size": 1})", ""), "", "exactly one of batch, service"},
        Case{"BothKinds", top(R"("service": {})"), "", "exactly one of batch, service, has 2"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Container, Refused,
    testing::Values(
        Case{"NoContainer", with(R"("container": {"command": ["true"]}, )", ""), "container", "is required"},
        Case{"NoCommand", with(R"("command": ["true"])", ""), "container.command", "name a program"},
        Case{"EmptyCommand", with(R"(["true"])", "[]"), "container.command", "name a program"},
        Case{"EmptyProgram", with(R"(["true"])", R"([""])"), "container.command", "name a program"},
        Case{"EmptyEntryPoint", with_container(R"("entryPoint": [""])"), "container.command",
             "name a program"},
        Case{"CommandText", with(R"(["true"])", R"("true")"), "container.command", "list of strings"},
        Case{"CommandNumber", with(R"(["true"])", R"(["true", 1])"), "container.command[1]",
             "must be a string"},
        Case{"LongCommand", with(R"(["true"])", "[" + repeated(1025, R"("a")") + "]"), "container.command",
             "1024 words"},
        Case{"BigCommand", with(R"(["true"])", "[\"" + std::string(16'384, 'a') + "\"]"), "container.command",
             "16384 bytes"},
        Case{"BigEntryPoint", with_container(R"("entryPoint": [")" + std::string(16'384, 'a') + "\"]"),
             "container.entryPoint", "16384 bytes"},
        Case{"EnvEquals", with_container(R"("env": {"A=": "1"})"), "container.env.A=", "name must not"},
        Case{"EnvNameless", with_container(R"("env": {"": "1"})"), "container.env", "name must not"},
        Case{"EnvBig", with_container(R"("env": {"A": ")" + std::string(32'766, 'x') + "\"}"),
             "container.env", "32768 bytes"},
        Case{"CpuText", with_resources(R"("cpu": "much")"), "container.resources.cpu", "must be a number"},
        Case{"CpuLow", with_resources(R"("cpu": 0)"), "container.resources.cpu", "from 0.1 to 96.0"},
        Case{"CpuFine", with_resources(R"("cpu": 0.12345)"), "container.resources.cpu", "three decimals"},
        Case{"MemoryLow", with_resources(R"("memoryMB": 15)"), "container.resources.memoryMB", "from 16"},
        Case{"MemoryNegative", with_resources(R"("memoryMB": "-5")"), "container.resources.memoryMB",
             "from 16"},
        Case{"MemoryFraction", with_resources(R"("memoryMB": 64.5)"), "container.resources.memoryMB",
             "integer"},
        Case{"MemoryHuge", with_resources(R"("memoryMB": 18446744073709551615)"),
             "container.resources.memoryMB", "from 16"},
        Case{"DiskNegative", with_resources(R"("diskMB": -1)"), "container.resources.diskMB", "from 0"},
        Case{"NetworkHigh", with_resources(R"("networkMbps": 400001)"), "container.resources.networkMbps",
             "to 400000"},
        Case{"GpuHigh", with_resources(R"("gpu": 17)"), "container.resources.gpu", "to 16"},
        Case{"PortsOfAContainer",
             with_container(R"("image": {"name": "film/encode", "tag": "1"}, "resources": {"ports": 1})"),
             "container.resources.ports", "troupe.network: host"},
        Case{"PortsHigh", with_resources(R"("ports": 101)"), "container.resources.ports", "to 100"},
        Case{"GpuWord", with_resources(R"("gpu": "two")"), "container.resources.gpu",
             "string that holds none"},
        Case{"SharedMemory", with_resources(R"("shmSizeMB": 65)"), "container.resources.shmSizeMB", "to 64"},
        Case{
            "SharedMemoryTwice",
            with(
                R"("container": {"command")",
                R"("attributes": {"troupe.shmMB": "32"}, "container": {"resources": {"shmSizeMB": 64}, "command")"),
            "container.resources.shmSizeMB", "another than the attribute troupe.shmMB"},
        Case{"ImageNameless", with_container(R"("image": {"tag": "x"})"), "container.image.name", "required"},
        Case{"ImageName", with_container(R"("image": {"name": "a b", "tag": "x"})"), "container.image.name",
             "letters"},
        Case{"ImageTag", with_container(R"("image": {"name": "a", "tag": "x y"})"), "container.image.tag",
             "letters"},
        Case{"ImageDigest", with_container(R"("image": {"name": "a", "digest": "sha256:12"})"),
             "container.image.digest", "32 digits"},
        Case{"ImageBare", with_container(R"("image": {"name": "a"})"), "container.image", "tag or a digest"},
        Case{"Constraint", with_container(R"("hardConstraints": {"constraints": {"moon": "full"}})"),
             "container.hardConstraints.constraints.moon", "there are exclusiveHost"},
        Case{"ConstraintBoolean", with_container(R"("softConstraints": {"uniqueHost": "yes"})"),
             "container.softConstraints.uniqueHost", "true"},
        Case{"ConstraintBlank", with_container(R"("softConstraints": {"machineId": ""})"),
             "container.softConstraints.machineId", "blank"},
        Case{"ConstraintTwice", with_container(R"("softConstraints": {"machineId": "a", "machineID": "b"})"),
             "container.softConstraints.machineId", "twice"},
        Case{"ConstraintBoth", with_container(R"("softConstraints": {"machineId": "a"},
             "hardConstraints": {"machineId": "a"})"),
             "container.softConstraints", "only one of both"},
        Case{"ConstraintLong",
             with_container(R"("softConstraints": {"machineId": ")" + std::string(513, 'x') + "\"}"),
             "container.softConstraints.machineId", "512 bytes"},
        Case{"ConstraintMany", with_container(R"("softConstraints": {)" + numbered(33) + "}"),
             "container.softConstraints", "at most 32"},
        Case{"Expression", with_container(R"("hardConstraints": {"constraints": {}, "expression": "a &&"})"),
             "container.hardConstraints.expression", "lacks an attribute's name (at character 5)"},
        Case{"Spread", with_container(R"("hardConstraints": {"topologySpread": "zone:0"})"),
             "container.hardConstraints.topologySpread", "a skew of 1 to 1000"},
        Case{"Affinity", with_container(R"("hardConstraints": {"jobAffinity": "zone=job-7"})"),
             "container.hardConstraints.jobAffinity", "a job's id"},
        Case{"Tolerations", with_container(R"("hardConstraints": {"tolerations": "spot,"})"),
             "container.hardConstraints.tolerations", "an empty term"},
        Case{"Security", with_container(R"("securityProfile": {"iamRole": "x"})"),
             "container.securityProfile", "not supported"},
        Case{"Knobs", with_container(R"("attributes": {"a": "x"})"), "container.attributes", "not supported"},
        Case{"Mounts", with_container(R"("volumeMounts": [{}])"), "container.volumeMounts", "not supported"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Kind, Refused,
    testing::Values(
        Case{"NoSize", batch("{}"), "batch.size", "is required"},
        Case{"SizeZero", batch(R"({"size": 0})"), "batch.size", "from 1 to 1000"},
        Case{"SizeHigh", batch(R"({"size": 1001})"), "batch.size", "from 1 to 1000"},
        Case{"LimitZero", batch(R"({"size": 1, "runtimeLimitSec": 0})"), "batch.runtimeLimitSec", "from 5"},
        Case{"LimitHigh", batch(R"({"size": 1, "runtimeLimitSec": "864001"})"), "batch.runtimeLimitSec",
             "to 864000"},
        Case{"RetryWord", batch(R"({"size": 1, "retryOnRuntimeLimit": "no"})"), "batch.retryOnRuntimeLimit",
             "boolean"},
        Case{"BatchExtra", batch(R"({"size": 1, "sise": 2})"), "batch.sise", "mean size"},
        Case{"NoPolicy", retry("{}"), "batch.retryPolicy", "exactly one of immediate"},
        Case{"TwoPolicies", retry(R"({"immediate": {}, "delayed": {}})"), "batch.retryPolicy", "has 2"},
        Case{"NegativeRetries", retry(R"({"immediate": {"retries": -1}})"),
             "batch.retryPolicy.immediate.retries", "from 0"},
        Case{"PolicyExtra", retry(R"({"immediate": {"delayMs": 5}})"), "batch.retryPolicy.immediate.delayMs",
             "not a known field"},
        Case{"InitialDelay", retry(R"({"delayed": {"initialDelayMs": 5, "delayMs": 5, "retries": 1}})"),
             "batch.retryPolicy.delayed.initialDelayMs", "not supported"},
        Case{"LongDelay", retry(R"({"delayed": {"delayMs": "86400001"}})"),
             "batch.retryPolicy.delayed.delayMs", "to 86400000"},
        Case{"ShrinkingDelay",
             retry(R"({"exponentialBackOff": {"initialDelayMs": 9, "maxDelayIntervalMs": 8}})"),
             "batch.retryPolicy.exponentialBackOff.maxDelayIntervalMs", "at least initialDelayMs"},
        Case{"NoCapacity", service("{}"), "service.capacity", "is required"},
        Case{"CapacityOrder", service(R"({"capacity": {"min": 2, "desired": 1, "max": 3}})"),
             "service.capacity", "min <= desired <= max"},
        Case{"CapacityHigh", service(R"({"capacity": {"max": 2501}})"), "service.capacity.max", "to 2500"},
        Case{"CapacityNegative", service(R"({"capacity": {"min": -1}})"), "service.capacity.min", "from 0"},
        Case{"Migration", service(R"({"capacity": {}, "migrationPolicy": {"selfManaged": {"a": 1}}})"),
             "service.migrationPolicy.selfManaged", "not supported"},
        Case{"Processes", service(R"({"capacity": {}, "serviceJobProcesses": {"disableIncrease": true}})"),
             "service.serviceJobProcesses.disableIncrease", "not a known field"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace troupe::api
