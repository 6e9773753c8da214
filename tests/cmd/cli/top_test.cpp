#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmd/troupe/top_core.hpp"
#include "net/api/order.hpp"
#include "tests/cmd/cli/fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr Instant asked_at{1'800'000'000'000};

/// A view's answer with so many rows.
TopAnswer answer_of(const TopWish& wish, std::size_t rows, std::int64_t total = -1) {
  TopAnswer answer{.wish = wish, .head = {"the cell", "its load"}, .columns = "NAME  CPU"};
  for (std::size_t n = 0; n < rows; ++n)
    answer.rows.push_back({"row " + std::to_string(n) + ".", "host/h" + std::to_string(n)});
  answer.total = total < 0 ? static_cast<std::int64_t>(rows) : total;
  answer.at = asked_at;
  answer.took = milliseconds(12);
  return answer;
}

struct Top : testing::Test {
  void press(char character) { core.press({TopKey::character, character}); }
  void press(TopKey key) { core.press({key, 0}); }
  void type(std::string_view text) {
    for (const char character : text) press(character);
  }
  void answer(std::size_t rows, std::int64_t total = -1) { core.take(answer_of(core.wish(), rows, total)); }
  std::string screen(std::size_t width = 120, std::size_t height = 12, Instant now = asked_at) const {
    std::string text;
    for (const TopLine& line : core.draw(width, height, now)) text += line.text + '\n';
    return text;
  }
  std::string chosen() const {
    for (const TopLine& line : core.draw(120, 40, asked_at))
      if (line.style == TopStyle::bold && line.text.starts_with("row")) return line.text;
    return {};
  }
  TopCore core{{*top_view("hosts"), {}, "used.cpu desc", {}}};
};

TEST_F(Top, ShowsTheCellTheViewItsRowsAndHowMuchIsMissing) {
  answer(3, 9'000);
  EXPECT_EQ(screen(),
            "the cell\nits load\n nodes   actors   groups  [hosts]  jobs   tasks    by used.cpu desc\n"
            "NAME  CPU\nrow 0.\nrow 1.\nrow 2.\n\n\n\n\n"
            "? explains the keys;  9000 in all, the first 3 here;  answered in 12 ms\n");
}

TEST_F(Top, FillsAnyScreenExactly) {
  answer(50);
  for (const std::size_t height : {0, 1, 2, 3, 4, 5, 6, 10, 100})
    for (const std::size_t width : {0, 1, 5, 200}) {
      EXPECT_THAT(core.draw(width, height, asked_at), SizeIs(height));
      EXPECT_THAT(core.draw(width, height, asked_at),
                  Each(Field(&TopLine::text, testing::SizeIs(testing::Le(width)))));
    }
}

TEST_F(Top, KeepsTheChosenRowInSight) {
  answer(50);
  press(TopKey::end);
  EXPECT_THAT(screen(), AllOf(HasSubstr("row 49.\n"), Not(HasSubstr("row 10.\n"))));
  press(TopKey::page_up);
  EXPECT_EQ(chosen(), "row 29.");
  EXPECT_THAT(screen(), HasSubstr("row 29.\n"));
  press(TopKey::home);
  press(TopKey::up);
  EXPECT_EQ(chosen(), "row 0.");
  press(TopKey::down);
  EXPECT_EQ(chosen(), "row 1.");
  answer(1);
  EXPECT_EQ(chosen(), "row 0.") << "there are fewer now";
}

TEST_F(Top, GoesToOtherViewsAndForgetsWhatWasAskedOfTheLast) {
  answer(3);
  press('t');
  EXPECT_EQ(core.wish(), (TopWish{*top_view("tasks"), "", "status.timestamp desc", ""}));
  EXPECT_TRUE(core.wants_look());
  EXPECT_FALSE(core.wants_look()) << "once";
  EXPECT_THAT(screen(), Not(HasSubstr("row 0")));
  core.take(answer_of({*top_view("hosts"), {}, "used.cpu desc", {}}, 3));
  EXPECT_THAT(screen(), Not(HasSubstr("row 0"))) << "that was asked for before";
  press(TopKey::right);
  EXPECT_EQ(core.wish().view, *top_view("nodes"));
  press(TopKey::left);
  EXPECT_EQ(core.wish().view, *top_view("tasks"));
}

TEST_F(Top, NarrowsByAConditionThatIsTyped) {
  press('/');
  type("not connectedq");
  press(TopKey::erase);
  EXPECT_THAT(screen(), HasSubstr("where: not connected_\n"));
  EXPECT_EQ(core.wish().where, "");
  press(TopKey::enter);
  EXPECT_EQ(core.wish().where, "not connected");
  EXPECT_TRUE(core.wants_look());
  EXPECT_THAT(screen(), HasSubstr("where not connected\n"));
  press('/');
  type(" and x");
  press(TopKey::escape);
  EXPECT_EQ(core.wish().where, "not connected");
  press('g');
  press('/');
  EXPECT_THAT(screen(), Not(HasSubstr("where:"))) << "groups have no conditions";
}

TEST_F(Top, TurnsThroughTheOrders) {
  std::vector<std::string> seen{core.wish().order};
  for (press('o'); core.wish().order != seen.front(); press('o')) seen.push_back(core.wish().order);
  EXPECT_EQ(seen.size(), top_views()[*top_view("hosts")].orders.size());
}

TEST_F(Top, OpensARowAndComesBackToIt) {
  answer(5);
  press(TopKey::down);
  press(TopKey::enter);
  EXPECT_EQ(core.wish().entity, "host/h1");
  TopAnswer told = answer_of(core.wish(), 5);
  for (int n = 0; n < 30; ++n) told.details.push_back("fact " + std::to_string(n) + ".");
  core.take(told);
  EXPECT_THAT(screen(), AllOf(HasSubstr("host/h1\nfact 0.\n"), Not(HasSubstr("row 0"))));
  press(TopKey::page_down);
  EXPECT_THAT(screen(), HasSubstr("host/h1\nfact 20.\n"));
  press('q');
  EXPECT_FALSE(core.is_over());
  EXPECT_EQ(core.wish().entity, "");
  EXPECT_EQ(chosen(), "row 1.");
  press('q');
  EXPECT_TRUE(core.is_over());
}

TEST_F(Top, SaysWhatIsWrongAndKeepsThePicture) {
  answer(2);
  TopAnswer failed{.wish = core.wish()};
  failed.problem = Error{ErrorCode::unavailable, "no node answers"};
  core.take(failed);
  EXPECT_THAT(screen(), AllOf(HasSubstr("row 0.\n"), HasSubstr("unavailable: no node answers\n")));
  EXPECT_EQ(core.draw(80, 9, asked_at).back().style, TopStyle::warning);
  answer(2);
  EXPECT_THAT(screen(), Not(HasSubstr("unavailable")));
  EXPECT_THAT(screen(120, 12, asked_at + milliseconds(12'000)), HasSubstr("this is 12 s old"));
  press(' ');
  EXPECT_THAT(screen(120, 12, asked_at + milliseconds(12'000)), HasSubstr("held; space goes on"));
  EXPECT_TRUE(core.is_held());
}

TEST_F(Top, ExplainsItsKeys) {
  answer(2);
  press('?');
  EXPECT_THAT(screen(80, 20), AllOf(HasSubstr("nodes, actors, groups"), Not(HasSubstr("row 0."))));
  press('t');
  EXPECT_EQ(core.wish().view, *top_view("hosts")) << "any key goes back";
  EXPECT_THAT(screen(), HasSubstr("row 0."));
}

TEST(TopViews, OrderByFieldsThatThereAre) {
  const std::vector<std::pair<std::string_view, api::SelectionKind>> kinds{
      {"hosts", api::SelectionKind::host},
      {"jobs", api::SelectionKind::job},
      {"tasks", api::SelectionKind::task}};
  for (const auto& [name, kind] : kinds)
    for (const std::string_view order : top_views()[*top_view(name)].orders)
      EXPECT_TRUE(order.empty() || api::Order::parse(kind, order).ok()) << order;
}

// ---- at a cell ----

struct TopOnce : testing::Test {
  TopOnce() {
    cell.on(
        "GET /api/v3/cell",
        R"({"name":"north","leader":2,"term":"7","applied":"99","level":4,"jobs":10,"tasks":250,"hosts":3,)"
        R"("hostsConnected":2,"tasksWaiting":4,"jobsThrottled":1,"requestsRemembered":5,)"
        R"("policy":{"jobsMax":100,"tasksMax":1000,"requestsMax":10}})");
  }
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(TopOnce, HostsInAnOrderAndHowNearTheCellIsToItsBounds) {
  cell.on(
      "GET /api/v3/hosts",
      R"({"items":[{"name":"h\u001b[1m","hostGroup":"a","phase":"Active","connected":true,"used":{"cpu":3}}],)"
      R"("pagination":{"totalItems":3}})");
  EXPECT_EQ(line.run({"top", "hosts", "--where", "connected"}), exit_ok) << line.err.str();
  const std::string shown = line.out.str();
  EXPECT_THAT(shown, HasSubstr("north at " + cell.address() + ": leader 2, term 7, applied 99, level 4"));
  EXPECT_THAT(shown,
              HasSubstr("jobs 10 (10 %), 1 throttled, tasks 250 (25 %), 4 waiting, hosts 2 of 3 connected, "
                        "request ids 5 (50 %)"));
  EXPECT_THAT(shown, HasSubstr("h?[1m")) << "nothing writes to the terminal";
  EXPECT_THAT(shown, HasSubstr("3 in all, the first 1 here"));
  const auto asked = cell.asked("GET /api/v3/hosts").at(0);
  EXPECT_EQ(asked.parameter("orderBy"), "used.cpu desc");
  EXPECT_EQ(asked.parameter("where"), "connected");
  EXPECT_EQ(asked.parameter("consistency"), "stale") << "it works without a leader";
}

TEST_F(TopOnce, EachViewAsksItsOwn) {
  cell.on(
      "GET /api/v3/cell/status",
      R"({"items":[{"node":1,"role":"LEADER","reachable":true},{"node":2,"reachable":false,"why":"down"}]})");
  cell.on("GET /api/v3/groups", R"({"items":[{"name":"payments","tier":"Critical","tasks":7}]})");
  cell.on("GET /api/v3/jobs", R"({"items":[{"id":"j-1"}],"pagination":{"totalItems":1}})");
  cell.on("GET /api/v3/tasks", R"({"items":[{"id":"t-1"}],"pagination":{"totalItems":1}})");
  cell.on("GET /api/v3/console", R"({"nodes":[{"node":1,"http":""}]})");
  cell.on("GET /api/v3/actors",
          R"({"items":[{"entity":"task/x","mailbox":7}],"pagination":{"totalItems":1}})");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"nodes", "NO: down"}, {"groups", "payments"}, {"jobs", "j-1"}, {"tasks", "t-1"}, {"actors", "task/x"}};
  for (const auto& [view, text] : expected) {
    EXPECT_EQ(line.run({"top", view, "--once"}), exit_ok) << line.err.str();
    EXPECT_THAT(line.out.str(), HasSubstr(text)) << view;
  }
}

TEST_F(TopOnce, RefusesWhatItCannotShow) {
  EXPECT_EQ(line.run({"top", "hots"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("nodes, actors, groups, hosts, jobs or tasks"));
  EXPECT_EQ(line.run({"top", "--every", "1ms"}), exit_usage);
  EXPECT_EQ(line.run({"top", "groups", "--where", "x"}), exit_usage);
  cell.on("GET /api/v3/tasks", R"({"error":{"code":"invalid_argument","message":"where: no"}})", 400);
  EXPECT_EQ(line.run({"top", "tasks", "--where", "colour = red"}), exit_refused);
}

}  // namespace
}  // namespace troupe::cli
