#include "net/api/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/random.hpp"
#include "tests/net/api/example_records.hpp"

namespace troupe::api {
namespace {

using testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<Query> parsed(Pairs pairs, ListOf what = ListOf::tasks) {
  http::Request request;
  request.query = std::move(pairs);
  return parse_query(request, what);
}

std::string complaint(const Result<Query>& result) {
  if (result.ok()) return "none";
  return result.error().violations.at(0).path + ": " + result.error().violations.at(0).message;
}

TEST(ParseQuery, ReadsEveryCriterion) {
  const auto query = parsed({{"jobIds", to_text(example_id<JobId>(1)) + "," + to_text(example_id<JobId>(2))},
                             {"taskIds", to_text(example_id<TaskId>(3))},
                             {"owner", "a@b"},
                             {"appName", "app"},
                             {"capacityGroup", "g"},
                             {"jobType", "batch"},
                             {"jobState", "Accepted"},
                             {"attributes", "a:1,b"},
                             {"labels", "a:2"},
                             {"labels.op", "or"},
                             {"taskStates", "Started,Finished"},
                             {"taskStateReasons", "failed"},
                             {"skipSystemFailures", "true"},
                             {"needsMigration", "true"},
                             {"debug", "true"},
                             {"pageSize", "20"},
                             {"page", "2"},
                             {"fields", "id,status.state"},
                             {"fields", "jobId"},
                             {"consistency", "stale"}});
  ASSERT_TRUE(query.ok()) << query.error().message;
  const auto& criteria = query.value().criteria;
  EXPECT_EQ(criteria.jobs.size(), 2u);
  EXPECT_EQ(criteria.tasks.size(), 1u);
  EXPECT_EQ(criteria.application_name, "app");
  EXPECT_EQ(criteria.type, JobType::batch);
  EXPECT_EQ(criteria.attributes,
            (std::map<std::string, std::set<std::string>>{{"a", {"1", "2"}}, {"b", {}}}));
  EXPECT_EQ(criteria.attribute_op, AttributeOp::any);
  EXPECT_TRUE(criteria.wants_finished_tasks());
  EXPECT_TRUE(criteria.skip_system_failures);
  EXPECT_EQ(criteria.needs_migration, true);
  EXPECT_EQ(query.value().paging, (Paging{2, 20, std::nullopt}));
  EXPECT_EQ(query.value().fields, (std::vector<std::string>{"id", "status.state", "jobId"}));
  EXPECT_EQ(query.value().consistency, Consistency::stale);
}

TEST(ParseQuery, ReadsAConditionOfTheListsOwnKind) {
  EXPECT_TRUE(parsed({{"where", "status.state = Started"}}).value().where.has_value());
  EXPECT_TRUE(parsed({{"where", "hostGroup = a"}}, ListOf::hosts).value().where.has_value());
  EXPECT_FALSE(parsed({}).value().where.has_value());
  const auto wrong = parsed({{"where", "status.stat = Started"}, {"page", "x"}});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().violations.size(), 2U);
  EXPECT_EQ(wrong.error().violations[0].column, 1U);
  EXPECT_EQ(complaint(wrong), "where: there is no field 'status.stat' of a task; did you mean status.state?");
  EXPECT_THAT(complaint(parsed({{"where", ""}})), HasSubstr("where: expected the name of a field"));
  EXPECT_EQ(complaint(parsed({{"where", "setAside is set"}, {"where", "setAside is set"}})),
            "where: is there twice");
}

TEST(ParseQuery, DefaultsToTheFirstTen) {
  const auto query = parsed({});
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query.value().paging, (Paging{0, 10, std::nullopt}));
  EXPECT_FALSE(query.value().criteria.wants_finished_tasks());
  EXPECT_TRUE(parsed({{"taskStates", "any"}}).value().criteria.wants_finished_tasks());
}

TEST(ParseQuery, RefusesWhatIsWrong) {
  EXPECT_THAT(complaint(parsed({{"nam", "x"}})),
              HasSubstr("nam: is not a known parameter; there are page, pageSize"));
  EXPECT_EQ(complaint(parsed({{"page", "-1"}})), "page: must be 0 or more");
  EXPECT_EQ(complaint(parsed({{"pageSize", "0"}})), "pageSize: must be from 1 to 5000");
  EXPECT_EQ(complaint(parsed({{"pageSize", "5001"}})), "pageSize: must be from 1 to 5000");
  EXPECT_EQ(complaint(parsed({{"pageSize", "5x"}})), "pageSize: must be from 1 to 5000");
  EXPECT_EQ(complaint(parsed({{"jobIds", "1,2"}})), "jobIds: \"1\" is no id: ids are UUIDs");
  EXPECT_THAT(complaint(parsed({{"cursor", "!"}})), HasSubstr("cursor: is no cursor"));
  EXPECT_EQ(complaint(parsed({{"jobType", "cron"}})), "jobType: must be batch or service");
  EXPECT_THAT(complaint(parsed({{"jobState", "Started"}})), HasSubstr("jobState: must be one of Accepted"));
  EXPECT_THAT(complaint(parsed({{"taskStates", "Done"}})), HasSubstr("taskStates: must be any, or of"));
  EXPECT_EQ(complaint(parsed({{"taskStateReasons", "x"}})), "taskStateReasons: \"x\" is no reason code");
  EXPECT_EQ(complaint(parsed({{"attributes.op", "xor"}})), "attributes.op: must be and or or");
  EXPECT_EQ(complaint(parsed({{"consistency", "weak"}})), "consistency: must be linearizable or stale");
  EXPECT_EQ(complaint(parsed({{"skipSystemFailures", "1"}})), "skipSystemFailures: must be true or false");
  EXPECT_EQ(complaint(parsed({{"needsMigration", "yes"}})), "needsMigration: must be true or false");
  EXPECT_EQ(complaint(parsed({{"debug", "yes"}})), "debug: must be true or false");
  const auto both = parsed({{"page", "x"}, {"jobType", "y"}});
  EXPECT_EQ(both.error().violations.size(), 2u);
}

TEST(ParseQuery, CriteriaOfTasksDoNotSelectJobs) {
  EXPECT_THAT(complaint(parsed({{"taskStates", "any"}}, ListOf::jobs)),
              HasSubstr("is not a known parameter"));
  EXPECT_TRUE(parsed({{"jobState", "Accepted"}}, ListOf::jobs).ok());
}

bool job_matches(Pairs pairs) {
  const auto query = parsed(std::move(pairs));
  return query.ok() && matches(query.value().criteria, example_job());
}

TEST(Matches, AJobByEachCriterion) {
  EXPECT_TRUE(job_matches({}));
  for (const auto& [name, hit, miss] : std::vector<std::array<std::string, 3>>{
           {"jobIds", to_text(example_id<JobId>(1)), to_text(example_id<JobId>(2))},
           {"owner", "a@b", "b@a"},
           {"applicationName", "app", "ap"},
           {"imageName", "encode", "decode"},
           {"imageTag", "v1", "v2"},
           {"capacityGroup", "DEFAULT", "other"},
           {"jobGroupStack", "prod", "test"},
           {"jobType", "service", "batch"},
           {"jobState", "Accepted", "Finished"},
           {"attributes", "show", "shown"},
           {"attributes", "show:42", "show:43"},
           {"attributes", "show:41,show:42", "show:42,kind:series"}}) {
    EXPECT_TRUE(job_matches({{name, hit}})) << name;
    EXPECT_FALSE(job_matches({{name, miss}})) << name;
  }
  for (const auto* sidecars : {"platformSidecar", "platformSidecarChannel"})
    EXPECT_FALSE(job_matches({{sidecars, "mesh"}})) << "no job has any";
  EXPECT_TRUE(job_matches({{"attributes", "show:1,kind:film"}, {"attributes.op", "or"}}));
  EXPECT_FALSE(job_matches({{"attributes", "show:1,kind:x"}, {"attributes.op", "or"}}));
}

bool task_matches(Pairs pairs, TaskState state, Reason reason = Reason::none) {
  auto task = example_task(state);
  task.enter(state, {task.step(state).at, reason});
  const auto query = parsed(std::move(pairs));
  return query.ok() && matches(query.value().criteria, task, example_job());
}

TEST(Matches, ATaskByStateAndReason) {
  EXPECT_TRUE(task_matches({}, TaskState::started));
  EXPECT_FALSE(task_matches({}, TaskState::finished));
  EXPECT_TRUE(task_matches({{"taskStates", "any"}}, TaskState::finished));
  EXPECT_TRUE(task_matches({{"taskStates", "Finished"}}, TaskState::finished));
  EXPECT_FALSE(task_matches({{"taskStates", "Finished"}}, TaskState::started));
  const Pairs failed{{"taskStates", "any"}, {"taskStateReasons", "failed"}};
  EXPECT_TRUE(task_matches(failed, TaskState::finished, Reason::failed));
  EXPECT_FALSE(task_matches(failed, TaskState::finished, Reason::normal));
  const Pairs skip{{"taskStates", "any"}, {"skipSystemFailures", "true"}};
  EXPECT_FALSE(task_matches(skip, TaskState::finished, Reason::lost));
  EXPECT_TRUE(task_matches(skip, TaskState::finished, Reason::failed));
  EXPECT_FALSE(task_matches({{"applicationName", "other"}}, TaskState::started));
  EXPECT_FALSE(task_matches({{"taskIds", to_text(example_id<TaskId>(9))}}, TaskState::started));
}

TEST(Cursor, IsReadAsItIsWritten) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const SortKey key{{random.between(0, 2'000'000'000'000)}, random.uuid<JobId>().bytes};
    const auto text = encode_cursor(key);
    EXPECT_EQ(text.find_first_of("+/=&"), std::string::npos);
    const auto read = decode_cursor(text);
    ASSERT_TRUE(read.ok()) << text;
    EXPECT_EQ(read.value(), key);
  }
}

TEST(Cursor, UnderstandsTitusPadding) {
  // base64 of 00000000-0000-0000-0000-000000000001@5
  const auto key = decode_cursor("MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAxQDU=");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key.value(), (SortKey{{5}, example_id<JobId>(1).bytes}));
  for (const auto* wrong :
       {"", "A", "====", "bm9uZQ", "QDE", "MDAwQDU", "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAxQA"})
    EXPECT_FALSE(decode_cursor(wrong).ok()) << wrong;
}

std::vector<SortKey> ten_keys() {
  std::vector<SortKey> keys;
  for (std::uint8_t i = 0; i < 10; ++i) keys.push_back({{100 + i / 2}, example_id<JobId>(i).bytes});
  return keys;
}

TEST(SelectPage, ACursorWalksThroughEverythingOnce) {
  auto keys = ten_keys();
  Paging paging{.page = 0, .page_size = 3, .after = {}};
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  while (true) {
    const auto page = select_page(keys, paging);
    parts.emplace_back(page.begin, page.end);
    if (!page.has_more()) break;
    paging.after = decode_cursor(page.cursor).value();
  }
  using Part = std::pair<std::size_t, std::size_t>;
  EXPECT_THAT(parts, testing::ElementsAre(Part{0, 3}, Part{3, 6}, Part{6, 9}, Part{9, 10}));
}

TEST(SelectPage, TheKeysMayComeInAnyOrder) {
  const auto sorted = ten_keys();
  Random random(1);
  for (int n = 0; n < 100; ++n) {
    auto keys = sorted;
    for (std::size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[random.below(i)]);
    Paging paging{.page = static_cast<std::uint32_t>(random.below(5)), .page_size = 3, .after = {}};
    if (random.chance(50)) paging.after = sorted[random.below(sorted.size())];
    const auto page = select_page(keys, paging);
    EXPECT_EQ(page.begin, paging.after ? static_cast<std::size_t>(
                                             std::ranges::upper_bound(sorted, *paging.after) - sorted.begin())
                                       : std::min<std::size_t>(10, paging.page * 3));
    for (std::size_t i = page.begin; i < page.end; ++i) EXPECT_EQ(keys[i], sorted[i]);
    EXPECT_EQ(page.cursor, page.begin == page.end ? "" : encode_cursor(sorted[page.end - 1]));
  }
}

TEST(SelectPage, ACursorSurvivesTheEndOfItsItem) {
  auto keys = ten_keys();
  const SortKey gone = keys[4];
  keys.erase(keys.begin() + 4);
  const auto page = select_page(keys, {.page = 7, .page_size = 2, .after = gone});
  EXPECT_EQ(page.begin, 4u);
  EXPECT_EQ(page.cursor, encode_cursor(keys[5]));
}

TEST(SelectPage, PagesByNumberToo) {
  auto keys = ten_keys();
  const auto last = select_page(keys, {.page = 2, .page_size = 4, .after = {}});
  EXPECT_EQ(last.begin, 8u);
  EXPECT_EQ(last.end, 10u);
  const auto beyond = select_page(keys, {.page = 1'000'000'000, .page_size = 5000, .after = {}});
  EXPECT_EQ(beyond.begin, beyond.end);
  EXPECT_EQ(beyond.cursor, "");
  json::Writer writer;
  pagination_json(writer, last);
  EXPECT_EQ(writer.take(), R"({"currentPage":{"pageNumber":2,"pageSize":4},"hasMore":false,"totalPages":3,)"
                           R"("totalItems":10,"cursor":")" +
                               last.cursor + R"(","cursorPosition":9})");
}

TEST(ResultJson, WritesThePageOnly) {
  auto keys = ten_keys();
  const auto page = select_page(keys, {.page = 1, .page_size = 2, .after = {}});
  const auto text = result_json(page, {}, [](json::Writer& writer, std::size_t i) { writer.uint(i); });
  EXPECT_THAT(text, testing::StartsWith(R"({"items":[2,3],"pagination":{)"));
  EXPECT_TRUE(json::parse(text).ok());
}

TEST(Project, KeepsTheWantedFieldsAndTheId) {
  const std::string text =
      R"({"id":"1","status":{"state":"x","at":1},"taskContext":{"task.index":"4","titus.cell":"c"},"list":[{"a":1,"b":2}]})";
  EXPECT_EQ(project(text, {}), text);
  EXPECT_EQ(project(text, {"status.state"}), R"({"id":"1","status":{"state":"x"}})");
  EXPECT_EQ(project(text, {"status.state", "status"}), R"({"id":"1","status":{"state":"x","at":1}})");
  EXPECT_EQ(project(text, {"taskContext.task.index"}), R"({"id":"1","taskContext":{"task.index":"4"}})");
  EXPECT_EQ(project(text, {"list.b"}), R"({"id":"1","list":[{"b":2}]})");
  EXPECT_EQ(project(text, {"nothing", "."}), R"({"id":"1"})");
}

}  // namespace
}  // namespace troupe::api
