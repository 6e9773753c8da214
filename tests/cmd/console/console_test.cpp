#include "cmd/troupe/console.hpp"

#include <gmock/gmock.h>

#include "cmd/troupe/console_session.hpp"
#include "cmd/troupe/console_table.hpp"
#include "tests/cmd/cli/fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string console_path = "GET /api/v3/console";

/// What a node of this number says of itself; the others are at these addresses.
std::string node_text(int number, const std::vector<std::string>& addresses = {"", ""}) {
  std::string nodes;
  for (std::size_t n = 0; n < addresses.size(); ++n)
    nodes += (n == 0 ? "" : ",") + (R"({"node":)" + std::to_string(n + 1) + R"(,"peer":"p","http":")") +
             addresses[n] + "\"}";
  return R"({"node":)" + std::to_string(number) + R"(,"role":"Follower","term":3,"leader":2,"commit":40,)" +
         R"("applied":39,"leased":true,"shardsOwned":21,"proposalsPending":0,"linksUp":{"agent":5},"nodes":[)" +
         nodes + "]}";
}

/// Answers every console question with what the test has for it.
struct Console : testing::Test {
  Console() {
    cell.on(console_path, [this](const http::Request& request) {
      const std::string command(request.parameter("command"));
      const std::string node(request.parameter("node"));
      const auto found = answers.find(node.empty() ? command : command + '@' + node);
      if (found != answers.end()) return http::Response{200, {}, found->second};
      return http::Response{400, {}, R"({"code":"invalid_argument","message":"not in this test"})"};
    });
    cell.on("GET /api/v3/cell", R"({"name":"home"})");
    answers["node"] = node_text(1);
  }
  std::vector<std::string> commands_asked() {
    std::vector<std::string> all;
    for (const auto& request : cell.asked(console_path)) all.emplace_back(request.parameter("command"));
    return all;
  }
  int run(const std::string& command) { return line.run({"console", "-c", command}); }

  FakeCell cell;
  CommandLine line{cell.address()};
  std::map<std::string, std::string> answers;
};

// ---- the table ----

TEST(ConsoleTable, HasEveryCommandOfANodeOnce) {
  std::set<std::string_view> names;
  for (const ConsoleRow& row : console_rows()) {
    EXPECT_TRUE(names.insert(row.words.name).second) << row.words.name;
    EXPECT_NE(row.run, nullptr);
  }
  for (const ConsoleCommand& command : node_commands)
    EXPECT_TRUE(names.contains(command.name)) << command.name;
}

TEST(ConsoleTable, GivesHelpWithAnExampleAndCompletionForEveryCommand) {
  for (const ConsoleRow& row : console_rows()) {
    const std::string name(row.words.name);
    EXPECT_THAT(console_help(""), HasSubstr(name));
    EXPECT_THAT(console_help(name),
                AllOf(HasSubstr(std::string(row.words.about)), HasSubstr("Example:\n  " + name)));
    EXPECT_THAT(console_completions(name.substr(0, name.size() - 1)), testing::Contains(name));
    EXPECT_THAT(console_completions("help " + name), testing::Contains(name));
  }
  EXPECT_EQ(console_help("nothing"), "");
}

TEST(ConsoleTable, CompletesFirstArguments) {
  EXPECT_THAT(console_completions("actors h"), ElementsAre("host"));
  EXPECT_THAT(console_completions("show "), ElementsAre("job/", "task/", "host/", "group/"));
  EXPECT_THAT(console_completions("tail e"), ElementsAre("events"));
  EXPECT_THAT(console_completions("tail events j"), IsEmpty());
  EXPECT_THAT(console_completions("nonsense "), IsEmpty());
  EXPECT_EQ(console_completions("").size(), console_rows().size());
}

TEST_F(Console, ItsHelpNamesAllCommandsAndHasExamples) {
  EXPECT_EQ(line.run({"console", "--help"}), exit_ok);
  for (const ConsoleRow& row : console_rows())
    EXPECT_THAT(line.out.str(), HasSubstr(std::string(row.words.name)));
  EXPECT_THAT(line.out.str(), HasSubstr("Examples:\n"));
  EXPECT_EQ(run("help show"), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("show host/host-1"));
  EXPECT_EQ(run("help nothing"), exit_usage);
}

TEST_F(Console, EveryCommandIsDispatched) {
  for (const ConsoleRow& row : console_rows()) {
    run(std::string(row.words.name));
    EXPECT_THAT(line.err.str(), testing::Not(HasSubstr("there is no command"))) << row.words.name;
  }
  EXPECT_EQ(run("nothing"), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("there is no command 'nothing'"));
  EXPECT_EQ(run("nodes 2"), exit_usage);
}

// ---- what is printed ----

TEST_F(Console, PrintsListsAsTablesAndTheRestAsLines) {
  answers["actors job"] =
      R"({"node":1,"kinds":[{"kind":"job","awake":2,"mailboxMax":11}],"leftOut":0,"entities":[)"
      R"({"entity":"job/a","mailbox":11,"wake":null},{"entity":"job/bcd","mailbox":0,"lastError":"fenced: x"}]})";
  EXPECT_EQ(run("actors job"), exit_ok);
  EXPECT_EQ(line.out.str(),
            "node:    1\nleftOut: 0\n\n"
            "kinds:\nKIND  AWAKE  MAILBOX MAX\njob   2      11\n\n"
            "entities:\nENTITY   MAILBOX  WAKE  LAST ERROR\njob/a    11       -     -\njob/bcd  0        -   "
            "  fenced: x\n");
}

TEST_F(Console, PrintsTheAnswerItselfAsJson) {
  answers["shards"] = R"({"shards":[{"shard":0,"owner":1}]})";
  EXPECT_EQ(line.run({"console", "-c", "shards", "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), answers["shards"] + "\n");
  EXPECT_EQ(run("shards"), exit_ok);
  EXPECT_EQ(line.out.str(), "SHARD  OWNER\n0      1\n");
}

TEST_F(Console, AsksTheNodeThatIsNamed) {
  answers["requests@2"] = R"({"requests":7})";
  EXPECT_EQ(line.run({"console", "--node", "2", "-c", "requests"}), exit_ok);
  EXPECT_EQ(line.out.str(), "requests: 7\n");
  EXPECT_EQ(line.run({"console"}, "use 2\nrequests\n"), exit_ok);
  EXPECT_EQ(line.out.str(), "requests: 7\n");
  EXPECT_EQ(run("use x"), exit_usage);
}

TEST_F(Console, TellsOfEveryNodeAlsoOfThoseThatAreAway) {
  answers["node"] = node_text(1, {"h1:7001", "h2:7001", "h3:7001"});
  answers["node@3"] = node_text(3, {"h1:7001", "h2:7001", "h3:7001"});
  EXPECT_EQ(run("nodes"), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("\n1     Follower"));
  EXPECT_THAT(line.out.str(), HasSubstr("h3:7001\n"));
  EXPECT_THAT(line.out.str(), HasSubstr("\n2     no answer: not in this test"));
  EXPECT_EQ(line.run({"console", "-c", "nodes", "--json"}), exit_ok);
  EXPECT_THAT(line.out.str(),
              AllOf(HasSubstr(R"({"node":2,"error":"not in this test"})"), HasSubstr(R"({"node":3,)")));
}

// ---- selections ----

std::string some_host(int number, const std::string& group, double used, const std::string& more = {}) {
  return R"({"id":)" + std::to_string(number) + R"(,"name":"h)" + std::to_string(number) +
         R"(","hostGroup":")" + group + R"(","phase":"Active","connected":true,"used":{"cpu":)" +
         std::to_string(used) + "}" + more + "}";
}
std::string page_of_hosts(const std::vector<std::string>& hosts, int total) {
  std::string items;
  for (const auto& host : hosts) items += (items.empty() ? "" : ",") + host;
  return R"({"items":[)" + items + R"(],"pagination":{"hasMore":false,"cursor":"c","totalItems":)" +
         std::to_string(total) + "}}";
}
std::vector<std::string> names_shown(const std::string& table) {
  std::vector<std::string> names;
  for (std::istringstream lines(table); !lines.eof();) {
    std::string text;
    std::getline(lines, text);
    if (!text.empty()) names.push_back(text.substr(0, text.find(' ')));
  }
  return names;
}

TEST_F(Console, HasTheCellPutThemInOrderAndFetchesNoMoreThanTheLimit) {
  const std::vector<std::string> hosts{some_host(2, "a", 10), some_host(3, "a", 9), some_host(1, "b", 2)};
  cell.on("GET /api/v3/hosts", page_of_hosts(hosts, 3));
  EXPECT_EQ(run("host where hostGroup in (a, b) order by used.cpu desc limit 2"), exit_ok) << line.err.str();
  EXPECT_THAT(names_shown(line.out.str()), ElementsAre("NAME", "h2", "h3"));
  const auto asked = cell.asked("GET /api/v3/hosts").at(0);
  EXPECT_EQ(asked.parameter("where"), "hostGroup in (a, b)");
  EXPECT_EQ(asked.parameter("orderBy"), "used.cpu desc");
  EXPECT_EQ(asked.parameter("pageSize"), "2");
  cell.on("GET /api/v3/hosts", [&](const http::Request& request) {
    const bool is_first = request.parameter("page") == "0";
    return http::Response{200, {}, page_of_hosts(std::vector(is_first ? 5'000 : 1'000, hosts[0]), 6'000)};
  });
  EXPECT_EQ(run("host where connected order by hostGroup limit 7000"), exit_ok) << line.err.str();
  EXPECT_EQ(names_shown(line.out.str()).size(), 6'001U);
  EXPECT_EQ(cell.asked("GET /api/v3/hosts").size(), 3U);
  cell.on("GET /api/v3/hosts", page_of_hosts({some_host(1, "b", 2), some_host(2, "a", 10)}, 2));
  EXPECT_EQ(line.run({"console", "-c", "host where connected limit 1", "--json"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(testing::StartsWith(R"({"items":[{"id":1,"name":"h1",)"),
                                    testing::EndsWith("}]}\n"), testing::Not(HasSubstr("h2"))));
}

constexpr const char* two_actors =
    R"({"node":2,"items":[{"kind":"task","entity":"task/a","node":2,"mailbox":7,"handled":1,"lastError":""},)"
    R"({"kind":"job","entity":"job/b","node":2,"mailbox":3,"handled":9,"lastError":"fenced: x"}],)"
    R"("pagination":{"hasMore":true,"totalItems":5},"notLookedAt":4})";

TEST_F(Console, SelectsActorsOfAllNodesAskedAtTheSameTime) {
  std::mutex mutex;
  std::vector<http::ReplyPtr> held;
  // Nobody is answered before all have asked.
  cell.stream("GET /api/v3/actors", [&](const http::Request&, http::ReplyPtr reply) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(reply));
    if (held.size() < 2) return;
    for (const auto& one : held) one->send({200, {}, two_actors});
  });
  EXPECT_EQ(run("actor where mailbox > 2"), exit_ok) << line.err.str();
  EXPECT_THAT(names_shown(line.out.str()), ElementsAre("ENTITY", "task/a", "task/a", "job/b", "job/b"));
  held.clear();
}

TEST_F(Console, SelectsActorsOfTheNodeThatIsUsed) {
  cell.on("GET /api/v3/actors", two_actors);
  EXPECT_EQ(line.run({"console"}, "use 2\nactor where mailbox > 2 and kind in (task, job)\n"), exit_ok)
      << line.err.str();
  const auto asked = cell.asked("GET /api/v3/actors").at(0);
  EXPECT_EQ(asked.parameter("where"), "mailbox > 2 and kind in (task, job)");
  EXPECT_EQ(asked.parameter("node"), "2");
  EXPECT_EQ(asked.parameter("limit"), "100");
  EXPECT_THAT(names_shown(line.out.str()), ElementsAre("ENTITY", "task/a", "job/b"));
  EXPECT_THAT(line.err.str(), AllOf(HasSubstr("there are 3 more"), HasSubstr("4 more are awake")));
  EXPECT_EQ(run("actor where mailbox > 2 order by handled desc"), exit_refused) << "10, of which 4 are here";
  EXPECT_EQ(cell.asked("GET /api/v3/actors").at(1).parameter("limit"), "1000");
  EXPECT_EQ(run("actor where mailbx > 2"), exit_refused);
  EXPECT_THAT(line.err.str(), AllOf(HasSubstr("column 13"), HasSubstr("did you mean mailbox?")));
  answers["actor job/b"] = R"({"node":1,"awake":false})";
  EXPECT_EQ(run("actor job/b"), exit_ok) << "one entity's, as ever";
  EXPECT_THAT(console_completions("actor where mail"), ElementsAre("mailbox"));
}

TEST_F(Console, TheCommandLineListsActorsOfOneNodeOrOfAll) {
  cell.on("GET /api/v3/actors", [](const http::Request& request) {
    const std::string node(request.parameter("node"));
    if (node == "3") return http::Response{503, {}, R"({"code":"unavailable","message":"it is away"})"};
    return http::Response{200,
                          {},
                          R"({"items":[{"entity":"job/of-)" + node + R"(","node":)" + node +
                              R"(,"mailbox":)" + node +
                              R"(}],"pagination":{"hasMore":false,"totalItems":1},"notLookedAt":0})"};
  });
  EXPECT_EQ(line.run({"actor", "ls", "--node", "2", "--where", "mailbox > 0"}), exit_ok) << line.err.str();
  EXPECT_THAT(names_shown(line.out.str()), ElementsAre("ENTITY", "job/of-2"));
  answers["node"] = node_text(1, {"h1:7001", "h2:7001"});
  EXPECT_EQ(line.run({"actor", "ls", "--all"}), exit_ok) << line.err.str();
  EXPECT_THAT(names_shown(line.out.str()), ElementsAre("ENTITY", "job/of-2", "job/of-1"));
  answers["node"] = node_text(1, {"h1:7001", "h2:7001", "h3:7001"});
  EXPECT_EQ(line.run({"actor", "ls", "--all", "--json"}), exit_unavailable);
  EXPECT_THAT(line.err.str(), HasSubstr("node 3 did not answer: it is away"));
  EXPECT_THAT(line.out.str(), HasSubstr(R"("totalItems":2)"));
  EXPECT_EQ(line.run({"actor", "ls", "--all", "--node", "2"}), exit_usage);
  EXPECT_EQ(line.run({"actor", "ls", "--limit", "1001"}), exit_usage);
}

TEST_F(Console, SaysWhenASelectionGoesOn) {
  cell.on("GET /api/v3/tasks", R"({"items":[],"pagination":{"hasMore":false,"cursor":"c","totalItems":7}})");
  cell.on("GET /api/v3/jobs", R"({"items":[],"pagination":{"hasMore":false,"cursor":"","totalItems":0}})");
  EXPECT_EQ(run("task where status.state = Started"), exit_ok);
  EXPECT_THAT(line.err.str(), HasSubstr("there are 7 more: limit N shows more"));
  EXPECT_EQ(cell.asked("GET /api/v3/tasks").at(0).parameter("pageSize"), "100");
  EXPECT_EQ(run("job where setAside is set limit 7"), exit_ok);
  EXPECT_EQ(cell.asked("GET /api/v3/jobs").at(0).parameter("pageSize"), "7");
}

TEST_F(Console, RefusesWhatNobodyTyped) {
  EXPECT_EQ(run("host where host_group = a"), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("did you mean hostGroup?"));
  EXPECT_EQ(run("host where name = '\x1b[31m'"), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("control characters"));
  EXPECT_EQ(line.run({"console"}, "\x1b[200~nodes\n"), exit_usage);
  EXPECT_THAT(line.err.str(), testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(line.run({"console"}, "host where name = " + std::string(1'000'000, 'x') + "\n"), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("at most 16384 are read"));
  EXPECT_LT(line.err.str().size(), 1'000U);
  EXPECT_EQ(run(std::string(10'000, 'x')), exit_usage);
  EXPECT_LT(line.err.str().size(), 1'000U);
  EXPECT_EQ(run("host"), exit_usage);
  EXPECT_EQ(run("job drain x"), exit_usage);
  EXPECT_TRUE(cell.asked("GET /api/v3/hosts").empty());
}

TEST_F(Console, ActsOnHostsAsTheCommandLineDoes) {
  cell.on("GET /api/v3/hosts/h1", some_host(1, "a", 0));
  cell.on("PUT /api/v3/hosts/h1/phase", "{}");
  EXPECT_EQ(run("host quarantine h1 --dry-run"), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("quarantine: 1 host to become Quarantined"));
  EXPECT_EQ(run("host quarantine h1"), exit_usage) << "without a reason";
  EXPECT_EQ(run("host quarantine h1 --reason 'not ended"), exit_usage);
  EXPECT_TRUE(cell.asked("PUT /api/v3/hosts/h1/phase").empty());
  EXPECT_EQ(run("host quarantine h1 --reason 'INC-1: it is odd'"), exit_ok) << line.err.str();
  const auto put = cell.asked("PUT /api/v3/hosts/h1/phase").at(0);
  EXPECT_EQ(put.header("x-titus-callreason"), "INC-1: it is odd");
  EXPECT_EQ(put.header("x-titus-callerid"), "tester");
  EXPECT_EQ(line.run({"console"}, "host drain h1 --reason r --dry-run\nhost drain h1\n"), exit_usage)
      << "a reason is of one command only";
}

TEST(ConsoleTable, CompletesNamesOfFields) {
  EXPECT_THAT(console_completions("host wh"), ElementsAre("where"));
  EXPECT_THAT(console_completions("host where hostG"), ElementsAre("hostGroup"));
  EXPECT_THAT(console_completions("host where (not (attr"), ElementsAre("(attributes."));
  EXPECT_THAT(console_completions("task where status.st"), ElementsAre("status.state"));
  EXPECT_THAT(console_completions("task where status.state = Started or"), ElementsAre("or", "order"));
  EXPECT_THAT(console_completions("host drain ho"), IsEmpty());
}

// ---- scripts and exit codes ----

TEST_F(Console, RunsLinesUpToTheFirstThatFails) {
  answers["requests"] = R"({"requests":7})";
  EXPECT_EQ(line.run({"console"}, "# how many\n\n requests \nshow cat/1\nrequests\n"), exit_refused);
  EXPECT_EQ(line.out.str(), "requests: 7\n");
  EXPECT_EQ(line.run({"console"}, "exit\nnothing\n"), exit_ok);
}

TEST_F(Console, ExitCodesAreThoseOfTheOtherCommands) {
  cell.on(console_path, R"({"code":"not_found","message":"there is no job x"})", 404);
  EXPECT_EQ(run("show job/6f1c0000-0000-4000-8000-000000000001"), exit_not_found);
  EXPECT_THAT(line.err.str(), HasSubstr("there is no job x"));
  CommandLine nobody("127.0.0.1:1");
  EXPECT_EQ(nobody.run({"console", "-c", "node"}), exit_unavailable);
}

// ---- following ----

TEST_F(Console, TailsEventsOfAllOrOfAJob) {
  cell.events("/api/v3/events", job_frame("Accepted") + job_frame("Finished"));
  EXPECT_EQ(run("tail events 1"), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("jobChanged jobState=Accepted\n"));
  cell.events(job_path() + "/events", task_frame("Started"));
  EXPECT_EQ(run("tail events job/" + job_id), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("taskState=Started"));
  EXPECT_EQ(run("tail logs"), exit_usage);
  EXPECT_EQ(run("tail"), exit_usage);
}

TEST_F(Console, FollowsToAnotherNodeWhenTheAttachedOneDies) {
  auto dying = std::make_unique<FakeCell>();
  dying->on(console_path, node_text(2, {cell.address(), dying->address()}));
  answers["requests"] = R"({"requests":7})";
  // The first answer tells where the others are; then the node goes away under the next question.
  Context context{process_surroundings(), {}};
  context.options.address = dying->address();
  ConsoleSession session(context, 0, Tails::inside);
  ASSERT_TRUE(session.ask("node").ok());
  dying.reset();
  const auto answer = session.ask("requests");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().text, answers["requests"]);
  EXPECT_EQ(session.attached(), cell.address());
}

TEST_F(Console, StaysWhereItIsWhenAnotherNodeIsAway) {
  FakeCell other;
  answers["node"] = node_text(1, {cell.address(), other.address()});
  Context context{process_surroundings(), {}};
  context.options.address = cell.address();
  ConsoleSession session(context, 0, Tails::inside);
  ASSERT_TRUE(session.ask("node").ok());
  cell.on(console_path, R"({"code":"unavailable","message":"node 2 cannot be reached"})", 503);
  EXPECT_EQ(session.ask("node", 2).error().message, "node 2 cannot be reached");
  EXPECT_EQ(session.attached(), cell.address());
}

}  // namespace
}  // namespace troupe::cli
