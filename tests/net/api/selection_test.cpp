#include "net/api/selection.hpp"

#include <gmock/gmock.h>

#include "tests/net/api/example_records.hpp"

namespace troupe::api {
namespace {

using testing::HasSubstr;

constexpr Instant selection_now{10'000'000};

struct AHost {
  HostRecord record;
  Resources used{1500, 2048, 0, 0, 0};
  std::size_t tasks = 3;
  AHost() {
    record.id = {7};
    record.name = "host-7";
    record.host_group = "flex-1";
    record.resources = {4000, 8192, 102'400, 1000, 1};
    record.attributes = {{"zone", "a"}, {"cores", "32"}, {"my key", "x"}};
    record.drivers = {"process", "oci"};
    record.session = example_id<SessionId>(1);
    record.session_node = {2};
    record.registered = {1'000'000};
    record.connected = {9'000'000};
    record.disconnected = {};
    record.version = {44};
  }
};

/// 'y' or 'n', or what is wrong.
std::string asked(const AHost& host, std::string_view text) {
  const auto condition = Condition::parse(SelectionKind::host, text);
  if (!condition.ok()) return condition.error().message;
  return condition.value().holds(HostSubject{host.record, host.used, host.tasks}, selection_now) ? "y" : "n";
}
std::string asked(std::string_view text) { return asked(AHost{}, text); }

TEST(Condition, ComparesTextsNumbersFlagsAndLists) {
  for (const char* holds : {"name = host-7",
                            "name == host-7",
                            "name != host-8",
                            "name in (host-1, host-7)",
                            "name not in (a, b)",
                            "name ~ host-*",
                            "name ~ '*7'",
                            "name ~ host-?",
                            "phase = Active",
                            "phase in (Active, Draining)",
                            "connected",
                            "connected = true",
                            "not connected = false",
                            "taskCount = 3",
                            "taskCount >= 3",
                            "taskCount < 4",
                            "resources.cpu = 4",
                            "used.cpu = 1.5",
                            "used.cpu > 1.25",
                            "resources.cpu in (3, 4)",
                            "drivers = oci",
                            "drivers ~ pro*",
                            "drivers != docker",
                            "id = 7",
                            "version.index >= 44",
                            "setAside is not set",
                            "connectedAt is set",
                            "disconnectedAt is not set"})
    EXPECT_EQ(asked(holds), "y") << holds;
  for (const char* fails : {"name = host", "name != host-7", "name ~ host", "name ~ ?", "name in (host)",
                            "phase = Draining", "not connected", "connected != true", "taskCount > 3",
                            "drivers = docker", "drivers != oci", "drivers not in (oci)", "setAside is set"})
    EXPECT_EQ(asked(fails), "n") << fails;
}

TEST(Condition, JoinsWithAndBeforeOr) {
  EXPECT_EQ(asked("connected or connected and not connected"), "y");
  EXPECT_EQ(asked("(connected or connected) and not connected"), "n");
  EXPECT_EQ(asked("not (connected and taskCount = 0)"), "y");
  EXPECT_EQ(asked("not not connected"), "y");
  EXPECT_EQ(asked("NOT connected OR taskCount IN (3)"), "y");
  EXPECT_EQ(asked("taskCount=3and connected"), "column 11: expected a number, found '3and'");
}

TEST(Condition, KnowsSizesAndDurations) {
  EXPECT_EQ(asked("resources.memoryMB = 8GB and resources.memoryMB >= 8GiB and used.memoryMB < 2049M"), "y");
  EXPECT_EQ(asked("resources.diskMB = 100GB and resources.diskMB < 1TB"), "y");
  // Connected 1000 s ago, registered 9000 s ago.
  EXPECT_EQ(asked("connectedAt < 16m ago and connectedAt > 17m ago"), "y");
  EXPECT_EQ(asked("registered < 2h and not registered < 3h ago"), "y");
  EXPECT_EQ(asked("connectedAt = 9000000"), "y");
  EXPECT_THAT(asked("connectedAt < soon"),
              HasSubstr("column 15: expected a duration back from now such as 10m"));
  EXPECT_THAT(asked("resources.memoryMB > 4XB"), HasSubstr("or a size such as 4GB, found '4XB'"));
  EXPECT_THAT(asked("taskCount > 1e999"), HasSubstr("expected a number"));
  EXPECT_THAT(asked("taskCount > nan"), HasSubstr("expected a number"));
}

TEST(Condition, AttributesAreTextsThatHaveAnOrderAsNumbers) {
  EXPECT_EQ(asked("attributes.zone = a and attributes.cores >= 32 and attributes.cores < 100"), "y");
  EXPECT_EQ(asked("attributes.zone > 1"), "n");
  EXPECT_EQ(asked("attributes.rack = r1"), "n");
  EXPECT_EQ(asked("attributes.rack != r1"), "y") << "what is not set is not equal";
  EXPECT_EQ(asked("attributes.rack is not set and attributes.zone is set"), "y");
  EXPECT_EQ(asked("'attributes.my key' = x"), "y");
  EXPECT_THAT(asked("attributes.cores > many"), HasSubstr("column 20: expected a number beside < and >"));
}

TEST(Condition, WhatIsNotSetComparesAsFalse) {
  AHost host;
  host.record.session = {};
  EXPECT_EQ(asked(host, "node < 100 or node >= 0 or node = 0"), "n");
  EXPECT_EQ(asked(host, "node != 2"), "y");
  EXPECT_EQ(asked(host, "disconnectedAt < 1m ago"), "n");
}

// ---- what is wrong, where, and what was meant ----

TEST(Condition, SuggestsTheNearestName) {
  EXPECT_EQ(asked("host_group = flex-1"),
            "column 1: there is no field 'host_group' of a host; did you mean hostGroup?");
  EXPECT_EQ(asked("connected and memoryMB > 1"),
            "column 15: there is no field 'memoryMB' of a host; did you mean resources.memoryMB?");
  EXPECT_EQ(asked("attribute.zone = a"),
            "column 1: there is no field 'attribute.zone' of a host; did you mean attributes.zone?");
  EXPECT_EQ(asked("colour = red"), "column 1: there is no field 'colour' of a host");
  EXPECT_EQ(asked("attributes = red"),
            "column 1: there is no field 'attributes' of a host; did you mean attributes.NAME?");
  EXPECT_THAT(asked("phase = active"),
              HasSubstr("column 9: 'active' is no phase: there are Active, Draining, "
                        "Quarantined; did you mean Active?"));
  EXPECT_THAT(Condition::parse(SelectionKind::task, "state = Started").error().message,
              HasSubstr("did you mean status.state?"));
}

TEST(Condition, SaysWhatWasExpectedWhere) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"", "column 1: expected the name of a field of a host, not, or (, found the end"},
      {"name", "column 5: expected =, !=, in (...), ~ or `is set`, found the end"},
      {"name = ", "column 8: expected a word, or a text in quotes, found the end"},
      {"name = a b", "column 10: expected and, or, or the end, found 'b'"},
      {"name = a and", "column 13: expected the name of a field"},
      {"(name = a", "column 10: expected and, or, or ), found the end"},
      {"name in a", "column 9: expected ( and values, found 'a'"},
      {"name in ()", "column 10: expected a word"},
      {"name in (a b)", "column 12: expected , or ), found 'b'"},
      {"name is unset", "column 9: expected set or not set"},
      {"name < b", "column 6: name has no order"},
      {"taskCount ~ 3*", "column 11: expected =, !=, <, <=, >, >=, in (...) or `is set`"},
      {"connected = maybe", "column 13: expected true or false"},
      {"connected > true", "column 11: connected has no order"},
      {"name = \"a", "column 8: these quotes do not end"},
      {"name = a;", "column 9: expected a name, a value or a sign"},
      {"name ! a", "column 6: expected a name, a value or a sign"},
      {"name = or", "column 8: expected a word"},
      {"and", "column 1: expected the name of a field"},
      {"name = '\xc3\xa4' x", "column 12: expected and, or, or the end"},
      {"name = \xc3\xa4",
       "column 8: expected a name, a value or a sign such as = or (; other characters stand"}};
  for (const auto& [text, what] : wrong) EXPECT_THAT(asked(text), HasSubstr(what)) << text;
  const auto error = Condition::parse(SelectionKind::host, "connected and x = 1").error();
  EXPECT_EQ(error.code, ErrorCode::invalid_argument);
  ASSERT_EQ(error.violations.size(), 1U);
  EXPECT_EQ(error.violations[0].path, "where");
  EXPECT_EQ(error.violations[0].column, 15U);
}

TEST(Condition, RefusesControlCharactersAndNeverShowsThem) {
  for (const std::string text :
       {"name = '\x1b[31m'", "name\t= a", "name = a\n", "name = '\x7f'", "name = '\xc2\x9b'", "\rname = a"}) {
    const std::string said = asked(text);
    EXPECT_THAT(said, HasSubstr("a control character does not belong here"));
    for (const char c : said) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
  EXPECT_THAT(asked(std::string("name = '\0'", 10)), HasSubstr("control character"));
  EXPECT_THAT(asked("name = '\xff'"), HasSubstr("is no UTF-8"));
}

TEST(Condition, IsBoundedInLengthDepthAndValues) {
  EXPECT_THAT(asked("name = " + std::string(1'000'000, 'a')), HasSubstr("has 1000007 bytes, at most 4096"));
  EXPECT_THAT(asked(std::string(4'096, '(')), HasSubstr("column 25: is nested deeper than 24"));
  std::string nots;
  for (int n = 0; n < 1'000; ++n) nots += "not ";
  EXPECT_THAT(asked(nots), HasSubstr("is nested deeper than 24"));
  EXPECT_EQ(asked(std::string(24, '(') + "connected" + std::string(24, ')')), "y");
  std::string list = "id in (7";
  for (int n = 0; n < 600; ++n) list += ",1";
  EXPECT_THAT(asked(list + ")"), HasSubstr("more than 512 comparisons and values"));
  EXPECT_THAT(asked(std::string(500, 'x') + " = 1"), HasSubstr("...' of a host"));
}

TEST(Condition, KeepsEveryOperandOfTheDeepestNesting) {
  // Each level has an operand of `or` and one of `and` waiting while the next one is looked at.
  std::string text = "connected";
  for (std::size_t n = 0; n < Condition::depth_max; ++n)
    text = "not connected or connected and (" + text + ")";
  EXPECT_EQ(asked("not connected or connected and " + text), "y");
}

// ---- jobs and tasks ----

TEST(Condition, OnJobs) {
  const JobRecord job = example_job();
  JobCounts counts;
  counts.tasks[3] = 2;
  const auto is = [&](std::string_view text) {
    const auto condition = Condition::parse(SelectionKind::job, text);
    EXPECT_TRUE(condition.ok()) << condition.error().message;
    return condition.value().holds(JobSubject{job, counts}, selection_now);
  };
  EXPECT_TRUE(is("jobDescriptor.applicationName = app and jobDescriptor.service.capacity.desired = 3"));
  EXPECT_TRUE(is("jobDescriptor.attributes.titus.createdBy = ann and jobDescriptor.attributes.kind = film"));
  EXPECT_TRUE(is("jobDescriptor.batch.size is not set and summary.tasks.started >= 2"));
  EXPECT_TRUE(is("jobDescriptor.service.enabled and status.state = Accepted"));
  EXPECT_TRUE(is("jobDescriptor.container.command = true"));
  EXPECT_FALSE(is("jobDescriptor.batch.runtimeLimitSec > 10m"));
}

TEST(Condition, OnTasks) {
  const TaskRecord task = example_task(TaskState::started);
  const TaskPlace place{"h1", "home", "zone-a", "Flex"};
  const auto condition = Condition::parse(
      SelectionKind::task,
      "taskContext.agent.host ~ h* and taskContext.task.resubmitNumber > 0 and status.state in "
      "(Started, Launched) and taskContext.agent.zone = zone-a and status.exitCode is not set");
  ASSERT_TRUE(condition.ok()) << condition.error().message;
  EXPECT_TRUE(condition.value().holds(TaskSubject{task, place}, selection_now));
  EXPECT_TRUE(condition.value().names("taskContext."));
  EXPECT_FALSE(condition.value().names("attributes"));
  EXPECT_EQ(condition.value().cost(), 8U + 2U + 3U + 2U + 1U);
}

// ---- whole selections ----

TEST(Selection, HasAnOrderAndALimit) {
  const auto read =
      parse_selection("host where taskCount > 1  and connected order by used.cpu desc limit 20");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().condition.kind(), SelectionKind::host);
  EXPECT_EQ(read.value().where, "taskCount > 1  and connected");
  EXPECT_EQ(read.value().order_by, "used.cpu");
  EXPECT_TRUE(read.value().is_descending);
  EXPECT_EQ(read.value().limit, 20U);
  EXPECT_EQ(parse_selection("task where status.state=Started").value().where, "status.state=Started");
  EXPECT_EQ(parse_selection("job where setAside is set limit 5").value().order_by, "");
}

TEST(Selection, SaysWhatIsWrong) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"", "column 1: expected job, task, host or actor, found the end"},
      {"hosts where x", "column 1: expected job, task, host or actor, found 'hosts'"},
      {"host", "column 5: expected where"},
      {"host where connected order", "expected by"},
      {"host where connected order by used", "there is no field 'used' of a host"},
      {"host where connected order by drivers", "column 31: 'drivers' is a list"},
      {"host where connected limit 0", "expected a whole number from 1 to 100000"},
      {"host where connected limit 1.5", "expected a whole number"},
      {"host where connected limit 3 order by name",
       "column 30: expected and, or, order by, limit, or the end"}};
  for (const auto& [text, what] : wrong) {
    const auto read = parse_selection(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error().message, HasSubstr(what)) << text;
  }
}

// ---- the schema is the answers' ----

/// Paths of what is single in an answer, and of its lists of texts.
void collect_paths(const json::Value& value, const std::string& path,
                   std::map<std::string, const json::Value*>& out) {
  if (const auto* object = value.object()) {
    for (const auto& member : *object)
      collect_paths(member.value, path.empty() ? member.name : path + '.' + member.name, out);
  } else if (!value.array() || value.array()->empty() || !value.array()->front().object()) {
    out[path] = &value;
  }
}

std::string quoted_text(const json::Value& value) {
  return '\'' + (value.text() ? *value.text() : json::to_json(value)) + '\'';
}

/// Every path of the answer is a field, and compares as equal to what the answer says.
template <class Subject>
void expect_schema(SelectionKind kind, const std::string& answer, const Subject& subject,
                   const std::vector<std::string>& left_out) {
  const auto value = json::parse(answer).value();
  std::map<std::string, const json::Value*> paths;
  collect_paths(value, "", paths);
  EXPECT_GT(paths.size(), 15U);
  for (const auto& [path, at] : paths) {
    if (std::any_of(left_out.begin(), left_out.end(),
                    [&](const auto& left) { return path.starts_with(left); }))
      continue;
    std::string text = at->array() ? "'" + path + "' is set" : "'" + path + "' = " + quoted_text(*at);
    const auto condition = Condition::parse(kind, text);
    ASSERT_TRUE(condition.ok()) << text << ": " << condition.error().message;
    EXPECT_TRUE(condition.value().holds(subject, selection_now)) << text;
    EXPECT_EQ(selection_field(kind, path)->name, path.substr(0, selection_field(kind, path)->name.size()));
  }
}

template <class Write>
std::string answer_of(Write write) {
  json::Writer writer;
  write(writer);
  return writer.take();
}

TEST(SelectionSchema, IsWhatAHostsAnswerHas) {
  AHost host;
  host.record.set_aside = "odd";
  host.record.disconnected = {5'000'000};
  LaunchStanding launches;
  launches.under_way = 3;
  launches.record.failures = 2;
  launches.rests_until = Instant{6'000'000};
  expect_schema(SelectionKind::host,
                answer_of([&](auto& w) { host_json(w, host.record, host.used, host.tasks, launches); }),
                HostSubject{host.record, host.used, host.tasks, launches}, {});
}

TEST(SelectionSchema, IsWhatATasksAnswerHas) {
  const TaskPlace place{"h1", "home", "z", "Flex", true};
  for (const auto state : {TaskState::accepted, TaskState::finished}) {
    TaskRecord task = example_task(state);
    task.attributes = RareMap::Map{{"a.b", "c"}};
    task.message = "why";
    expect_schema(SelectionKind::task, answer_of([&](auto& w) { task_json(w, task, place); }),
                  TaskSubject{task, place}, {"statusHistory", "logLocation"});
  }
}

TEST(SelectionSchema, IsWhatAJobsAnswerHas) {
  for (const bool is_batch : {true, false}) {
    JobRecord job = example_job();
    job.throttled = Instant{5'000'000};
    job.throttle_reason = "it fails";
    JobDescriptor descriptor = *job.descriptor;
    if (is_batch) descriptor.kind = BatchSpec{4, milliseconds(60'000), true, {}};
    descriptor.env = {{"A", "1"}};
    descriptor.hard_constraints = {{"zoneId", "z"}};
    descriptor.soft_constraints = {{"balanceByZone", "true"}};
    job.descriptor = std::make_shared<const JobDescriptor>(descriptor);
    JobCounts counts;
    counts.slots = {1, 2, 3, 4, 5, 6};
    counts.tasks = {6, 5, 4, 3, 2, 1};
    expect_schema(SelectionKind::job, answer_of([&](auto& w) { job_json(w, job, &counts); }),
                  JobSubject{job, counts},
                  {"statusHistory", "jobDescriptor.batch.retryPolicy", "jobDescriptor.service.retryPolicy",
                   "jobDescriptor.disruptionBudget"});
  }
}

// ---- actors ----

std::string asked_of_an_actor(std::string_view text) {
  const auto condition = Condition::parse(SelectionKind::actor, text);
  if (!condition.ok()) return condition.error().message;
  const ActorSubject actor{.kind = EntityKind::task,
                           .entity = "task/81d0",
                           .node = {2},
                           .since = {9'000'000},
                           .mailbox = 101,
                           .handled = 12,
                           .nudges = 0,
                           .restarts = 0,
                           .wake = {},
                           .last_error = ""};
  return condition.value().holds(actor, selection_now) ? "y" : "n";
}

TEST(ActorCondition, SpeaksOfWhatTheConsoleShows) {
  for (const char* holds :
       {"mailbox > 100 and kind=task", "entity ~ task/*", "node = 2", "since < 10m ago", "handled = 12",
        "nudges = 0 and restarts = 0", "wake is not set", "lastError is not set", "kind in (job, task)"})
    EXPECT_EQ(asked_of_an_actor(holds), "y") << holds;
  for (const char* holds_not : {"mailbox > 101", "kind = job", "wake is set", "since < 20m ago"})
    EXPECT_EQ(asked_of_an_actor(holds_not), "n") << holds_not;
}

TEST(ActorCondition, RefusesWithThePositionAndTheNearestName) {
  EXPECT_THAT(asked_of_an_actor("kind = task and mailbx > 3"),
              testing::AllOf(HasSubstr("column 17"), HasSubstr("of an actor; did you mean mailbox?")));
  EXPECT_THAT(asked_of_an_actor("kind = tsk"), HasSubstr("did you mean task?"));
  EXPECT_TRUE(parse_selection("actor where mailbox > 3 order by handled desc limit 5").ok());
}

}  // namespace
}  // namespace troupe::api
