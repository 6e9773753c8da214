// Conditions on the command line, and acting on the hosts of which they hold.

#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string host_text(int number, const std::string& phase = "Active", int tasks = 0) {
  const std::string n = std::to_string(number);
  return R"({"id":)" + n + R"(,"name":"h)" + n + R"(","hostGroup":"flex","phase":")" + phase +
         R"(","connected":true,"resources":{"cpu":4.0},"used":{"cpu":)" + std::to_string(tasks) +
         R"(},"taskCount":)" + std::to_string(tasks) + "}";
}

std::string hosts_page(const std::vector<std::string>& hosts, std::size_t total) {
  std::string items;
  for (const auto& host : hosts) items += (items.empty() ? "" : ",") + host;
  return R"({"items":[)" + items + R"(],"pagination":{"hasMore":false,"cursor":"end","totalItems":)" +
         std::to_string(total) + "}}";
}

TEST(ListsWhere, SendTheConditionWithTheOtherCriteria) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.on("GET /api/v3/jobs", page_of({}));
  cell.on("GET /api/v3/tasks", page_of({}));
  cell.on("GET /api/v3/hosts", page_of({}));
  EXPECT_EQ(line.run({"job", "ls", "--app", "a", "--where", "setAside is set"}), exit_ok);
  EXPECT_EQ(cell.asked("GET /api/v3/jobs").at(0).parameter("where"), "setAside is set");
  EXPECT_EQ(cell.asked("GET /api/v3/jobs").at(0).parameter("applicationName"), "a");
  EXPECT_EQ(line.run({"task", "ls", "--where", "status.state in (Started, 'x&y=z')"}), exit_ok);
  EXPECT_EQ(cell.asked("GET /api/v3/tasks").at(0).parameter("where"), "status.state in (Started, 'x&y=z')");
  EXPECT_EQ(line.run({"host", "ls", "--where", "not connected"}), exit_ok);
  EXPECT_EQ(cell.asked("GET /api/v3/hosts").at(0).parameter("where"), "not connected");
  for (const char* kind : {"job", "task", "host"})
    EXPECT_EQ(line.run({kind, "ls", "--where", ""}), exit_usage);
}

TEST(ListsWhere, ShowWhereTheConditionIsWrong) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.on("GET /api/v3/hosts",
          R"({"code":"invalid_argument","message":"where: no","violations":[)"
          R"({"path":"where","message":"there is no field 'host_group' of a host; did you mean hostGroup?",)"
          R"("line":1,"column":7}]})",
          400);
  EXPECT_EQ(line.run({"host", "ls", "--where", "not host_group = a"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("where (line 1, column 7): there is no field 'host_group'"));
}

TEST(ListsWhere, HostsComeInPages) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.in_turn("GET /api/v3/hosts",
               {{200, {}, page_of({host_text(1)}, "next")}, {200, {}, page_of({host_text(2)})}});
  EXPECT_EQ(line.run({"host", "ls"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("h1 "), HasSubstr("h2 ")));
}

// ---- drain, undrain, quarantine ----

struct Phases : testing::Test {
  /// Selects hosts 1 to `count` of `total`; the last one is Draining already.
  void have(int count, std::size_t total) {
    std::vector<std::string> hosts;
    for (int n = 1; n <= count; ++n) {
      hosts.push_back(host_text(n, n == count ? "Draining" : "Active", n));
      cell.on("PUT /api/v3/hosts/h" + std::to_string(n) + "/phase", "{}");
      cell.on("GET /api/v3/hosts/h" + std::to_string(n), hosts.back());
    }
    cell.on("GET /api/v3/hosts", [hosts, total](const http::Request& request) {
      const bool counts_all = request.parameter("where").empty();
      return http::Response{200, {}, hosts_page(hosts, counts_all ? total : hosts.size())};
    });
  }
  std::size_t changed() {
    std::size_t sum = 0;
    for (int n = 1; n <= 20; ++n) sum += puts(n).size();
    return sum;
  }
  std::vector<http::Request> puts(int host) {
    return cell.asked("PUT /api/v3/hosts/h" + std::to_string(host) + "/phase");
  }
  int run(std::vector<std::string> more, const std::string& input = {}) {
    more.insert(more.begin(), "host");
    return line.run(more, input);
  }

  FakeCell cell;
  CommandLine line{cell.address()};
  const std::string where = "hostGroup = flex";
};

TEST_F(Phases, ADryRunSaysWhatWouldChangeAndChangesNothing) {
  have(4, 10);
  EXPECT_EQ(run({"drain", "--where", where, "--dry-run"}), exit_ok) << line.err.str();
  EXPECT_THAT(
      line.out.str(),
      AllOf(HasSubstr("drain: 3 hosts to become Draining, with 6 live tasks; 1 host already Draining\n"),
            HasSubstr("h3    flex   Active  yes        3\n")));
  EXPECT_EQ(changed(), 0U);
  EXPECT_EQ(run({"drain", "--where", where, "--dry-run", "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), R"({"verb":"drain","phase":"Draining","dryRun":true,"selected":4,"tasks":6,)"
                            R"("changed":[],"left":["h1","h2","h3"]})"
                            "\n");
}

TEST_F(Phases, EachHostIsChangedWithTheReasonAtABoundedRate) {
  have(4, 10);
  EXPECT_EQ(run({"quarantine", "--where", where, "--reason", "INC-7"}), exit_ok) << line.err.str();
  ASSERT_EQ(puts(1).size(), 1U);
  EXPECT_EQ(puts(1)[0].body, R"({"phase":"Quarantined"})");
  EXPECT_EQ(puts(1)[0].header("x-titus-callerid"), "tester");
  EXPECT_EQ(puts(1)[0].header("x-titus-callreason"), "INC-7");
  EXPECT_EQ(puts(4).size(), 1U) << "Draining is not Quarantined";
  EXPECT_THAT(line.out.str(), HasSubstr("h4 is Quarantined (4 of 4)\n"));
  EXPECT_EQ(line.pauses,
            (std::vector<milliseconds>{milliseconds(100), milliseconds(100), milliseconds(100)}));
  line.pauses.clear();
  EXPECT_EQ(run({"undrain", "h1", "h2", "h2", "--per-second", "2", "--reason", "r"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("undrain: 0 hosts to become Active"));
  EXPECT_EQ(run({"drain", "h1", "h2", "--per-second", "2", "--reason", "r"}), exit_ok);
  EXPECT_EQ(line.pauses, std::vector<milliseconds>{milliseconds(500)});
}

TEST_F(Phases, NeedAReasonAndHosts) {
  have(2, 10);
  EXPECT_EQ(run({"drain", "h1"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--reason TEXT"));
  EXPECT_EQ(run({"drain", "h1", "--reason", "  "}), exit_usage);
  EXPECT_EQ(run({"drain", "--reason", "r"}), exit_usage);
  EXPECT_EQ(run({"drain", "h1", "--where", where, "--reason", "r"}), exit_usage);
  EXPECT_EQ(run({"drain", "--where", "", "--reason", "r"}), exit_usage);
  EXPECT_EQ(run({"drain", "h1", "--watch", "--timeout", "soon", "--reason", "r"}), exit_usage);
  EXPECT_EQ(run({"drain", "h1", "h99", "--reason", "r"}), exit_not_found);
  EXPECT_EQ(changed(), 0U) << "a name that is wrong stops it before anything is done";
}

TEST_F(Phases, ManyAreAskedAbout) {
  have(9, 20);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}), exit_refused);
  EXPECT_THAT(line.err.str(),
              HasSubstr("these are more than 5 hosts, and nobody is here to be asked: say --yes"));
  line.sit_down();
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}, "no\n"), exit_refused);
  EXPECT_THAT(line.err.str(), AllOf(HasSubstr("Type yes to go on: "), HasSubstr("nothing was changed\n")));
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}), exit_refused)
      << "the end of the input is no yes";
  EXPECT_EQ(changed(), 0U);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}, "yes\n"), exit_ok);
  EXPECT_EQ(changed(), 8U);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--yes"}), exit_ok);
  EXPECT_EQ(changed(), 16U);
}

TEST_F(Phases, EveryHostIsAskedAboutAlsoWithYes) {
  have(3, 3);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--yes"}), exit_refused);
  EXPECT_THAT(line.err.str(),
              HasSubstr("this is every host of the cell, and nobody is here to be asked: say --all"));
  line.sit_down();
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--yes"}, "yes\n"), exit_refused);
  EXPECT_EQ(changed(), 0U);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}, "all\n"), exit_ok);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--all"}), exit_ok);
  EXPECT_EQ(changed(), 4U);
}

TEST_F(Phases, AtMostRefusesMore) {
  have(4, 10);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--at-most", "2"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("more than --at-most 2: nothing was changed"));
  EXPECT_EQ(changed(), 0U);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--at-most", "3"}), exit_ok);
}

TEST_F(Phases, ASelectionOfNothingIsSaid) {
  cell.on("GET /api/v3/hosts", hosts_page({}, 0));
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--yes"}), exit_not_found);
  EXPECT_THAT(line.err.str(), HasSubstr("the condition holds of no host"));
}

TEST_F(Phases, TheFirstFailureStopsItAndSaysHowFarItCame) {
  have(4, 10);
  cell.on("PUT /api/v3/hosts/h2/phase", R"({"code":"internal","message":"it broke"})", 500);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r"}), exit_internal);
  EXPECT_THAT(line.err.str(),
              AllOf(HasSubstr("stopped after 1 of 3 hosts, before h2"), HasSubstr("it broke")));
  EXPECT_EQ(puts(3).size(), 0U);
  EXPECT_EQ(run({"drain", "--where", where, "--reason", "r", "--json"}), exit_internal);
  EXPECT_THAT(line.out.str(), HasSubstr(R"("changed":["h1"],"left":["h2","h3"])"));
}

TEST_F(Phases, DrainingIsWatchedUntilNothingIsLeft) {
  cell.on("GET /api/v3/hosts/h1", host_text(1, "Active", 2));
  cell.on("GET /api/v3/hosts/h2", host_text(2, "Draining", 1));
  cell.on("PUT /api/v3/hosts/h1/phase", "{}");
  cell.in_turn("GET /api/v3/hosts",
               {{200, {}, hosts_page({host_text(1, "Draining", 2), host_text(2, "Draining", 1)}, 2)},
                {503, {}, R"({"code":"unavailable","message":"no leader"})"},
                {200, {}, hosts_page({host_text(1, "Draining", 1)}, 1)},
                {200, {}, hosts_page({host_text(1, "Draining", 1)}, 1)},
                {200, {}, hosts_page({}, 0)}});
  EXPECT_EQ(run({"drain", "h1", "h2", "--reason", "r", "--watch"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("3 tasks left on 2 hosts: h1 2, h2 1\n"
                                        "1 task left on 1 host: h1 1\n"
                                        "0 tasks left on 0 hosts\n"));
  EXPECT_EQ(cell.asked("GET /api/v3/hosts").at(0).parameter("where"), "taskCount > 0 and id in (1,2)");
  EXPECT_EQ(line.pauses.size(), 4U);
}

TEST_F(Phases, WatchingEndsInTime) {
  have(2, 10);
  EXPECT_EQ(run({"drain", "h1", "--reason", "r", "--watch", "--timeout", "0s"}), exit_timeout);
  EXPECT_THAT(line.err.str(), HasSubstr("not empty in time"));
}

TEST(PhasesInterrupted, StopBetweenTwoHostsAndSayHowFarTheyCame) {
  leave_interrupts_to_the_command_line();
  FakeCell guarded;
  CommandLine handling(guarded.address(), Signals::handle);
  constexpr int count = 100;
  std::vector<std::string> hosts;
  for (int n = 1; n <= count; ++n) {
    hosts.push_back(host_text(n));
    guarded.on("PUT /api/v3/hosts/h" + std::to_string(n) + "/phase", "{}");
  }
  guarded.on("GET /api/v3/hosts", [hosts](const http::Request& request) {
    return http::Response{200, {}, hosts_page(hosts, request.parameter("where").empty() ? 200 : count)};
  });
  handling.interrupt_once();
  EXPECT_EQ(handling.run({"host", "drain", "--where", "hostGroup = flex", "--reason", "r", "--yes"}),
            exit_interrupted)
      << handling.err.str();
  EXPECT_THAT(handling.err.str(), AllOf(HasSubstr("interrupted after "), HasSubstr(" of 100 hosts, before h"),
                                        HasSubstr("goes on")));
  EXPECT_EQ(guarded.asked("PUT /api/v3/hosts/h100/phase").size(), 0U);
}

TEST_F(Phases, NamesCannotWriteToTheTerminal) {
  cell.on("GET /api/v3/hosts/h1",
          R"({"id":1,"name":"\u001b[31mh1","phase":"Active","connected":true,"taskCount":0})");
  cell.on("PUT /api/v3/hosts/\x1b[31mh1/phase", "{}");
  EXPECT_EQ(run({"drain", "h1", "--reason", "r"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace troupe::cli
