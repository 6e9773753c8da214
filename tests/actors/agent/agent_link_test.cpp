// Dialling, redirects and log calls.

#include "tests/actors/agent/core_bench.hpp"

namespace troupe::agent {
namespace {

TEST(AgentLink, dials_the_first_bootstrap_address_once_tasks_are_adopted) {
  AgentCore core(bench_config(), Random(1));
  EXPECT_TRUE(core.on({}, Moment{0}, Tick{}).empty());
  const auto effects = core.on({}, Moment{0}, Adopted{});
  ASSERT_EQ(all_of<Dial>(effects).size(), 1u);
  EXPECT_EQ(all_of<Dial>(effects)[0].address, "a:1");
}

TEST(AgentLink, goes_round_its_addresses_with_growing_bounded_jittered_pauses) {
  CoreBench bench;
  std::vector<std::string> addresses;
  std::vector<std::int64_t> pauses_ms;
  for (int attempt = 0; attempt < 12; ++attempt) {
    addresses.push_back(bench.address);
    const Moment failed = bench.now;
    bench.on(LinkDown{bench.dial});
    EXPECT_EQ(all_of<Dial>(bench.next_wake()).size(), 1u);
    pauses_ms.push_back((bench.now - failed).count() / 1'000'000);
  }
  EXPECT_EQ((std::vector<std::string>{addresses.begin(), addresses.begin() + 4}),
            (std::vector<std::string>{"a:1", "b:2", "c:3", "a:1"}));
  for (std::size_t i = 0; i < pauses_ms.size(); ++i) {
    const std::int64_t longest = std::min<std::int64_t>(5'000, 50LL << i);
    EXPECT_LE(pauses_ms[i], longest);
    EXPECT_GE(pauses_ms[i], longest / 2);
  }
}

TEST(AgentLink, offers_no_driver_while_its_host_is_unfit_and_says_why) {
  AgentCore core(bench_config(), Random(1));
  core.on({}, Moment{0}, HostProbed{{"disk: full", "clock: leapt"}});
  const auto dial = all_of<Dial>(core.on({}, Moment{0}, Adopted{}));
  ASSERT_EQ(dial.size(), 1u) << "what runs here is reported all the same";
  const auto hello = sent<Hello>(core.on({}, Moment{0}, LinkUp{dial[0].dial}));
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_TRUE(hello[0].drivers.empty());
  EXPECT_EQ(hello[0].attributes.at("troupe.health"), "disk: full; clock: leapt");
}

TEST(AgentLink, says_anew_what_it_offers_when_its_host_becomes_unfit_or_fit) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(Launch{session_id(1), Index{11}, {spec_of(1)}});
  bench.started(1);
  EXPECT_TRUE(bench.on(HostProbed{}).empty());
  EXPECT_EQ(all_of<HangUp>(bench.on(HostProbed{{"disk: full"}})).size(), 1u);
  EXPECT_TRUE(bench.on(HostProbed{{"disk: fuller"}}).empty()) << "nothing that it offers has changed";
  EXPECT_EQ(all_of<Dial>(bench.next_wake()).size(), 1u);
  const auto hello = sent<Hello>(bench.on(LinkUp{bench.dial}));
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_TRUE(hello[0].drivers.empty());
  EXPECT_EQ(hello[0].attributes.at("troupe.health"), "disk: fuller");
  const auto reports = sent<Report>(bench.say(Welcome{"cell-1", session_id(2), Index{12}}));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].tasks.size(), 1u) << "what runs there runs on";
  EXPECT_EQ(all_of<HangUp>(bench.on(HostProbed{})).size(), 1u);
  bench.next_wake();
  const auto fit = sent<Hello>(bench.on(LinkUp{bench.dial}));
  ASSERT_EQ(fit.size(), 1u);
  EXPECT_EQ(fit[0].drivers, bench_config().drivers);
  EXPECT_FALSE(fit[0].attributes.contains("troupe.health"));
}

TEST(AgentLink, dials_where_it_is_redirected_to) {
  CoreBench bench;
  bench.on(LinkUp{bench.dial});
  const std::uint64_t old = bench.dial;
  bench.say(Redirect{"owner:9"});
  EXPECT_EQ(bench.address, "owner:9");
  EXPECT_TRUE(bench.on(LinkDown{old}).empty());  // of the link that it left
  EXPECT_EQ(sent<Report>(bench.welcome(1)).size(), 1u);
}

TEST(AgentLink, asks_again_soon_while_live_nodes_name_a_dead_owner) {
  CoreBench bench;
  const Moment begin = bench.now;
  int dialled_in_vain = 0;
  for (int asked = 0; asked < 50; ++asked) {
    bench.on(LinkUp{bench.dial});
    const auto effects = bench.say(Redirect{"dead:9"});
    const Moment paused = bench.now;
    if (all_of<Dial>(effects).empty()) {
      EXPECT_EQ(all_of<HangUp>(effects).size(), 1u);
    } else {
      ++dialled_in_vain;
      bench.on(LinkDown{bench.dial});
    }
    EXPECT_EQ(all_of<Dial>(bench.next_wake()).size(), 1u);
    EXPECT_NE(bench.address, "dead:9");
    EXPECT_LE(bench.now - paused, milliseconds(500));
    EXPECT_GE(bench.now - paused, milliseconds(50)) << "a thousand agents do so at once";
  }
  EXPECT_EQ(dialled_in_vain, 10) << "while a dial hangs, nothing is heard of shards that move";
  EXPECT_LE(bench.now - begin, std::chrono::seconds(20));
}

TEST(AgentLink, asks_again_at_once_when_a_lost_node_is_named_before_its_shards_move) {
  CoreBench bench;
  bench.on(LinkUp{bench.dial});
  bench.say(Redirect{"owner:9"});
  bench.welcome(1);
  const Moment lost = bench.now;
  bench.on(LinkDown{bench.dial});
  for (int asked = 0; asked < 2; ++asked) {
    bench.next_wake();
    bench.on(LinkUp{bench.dial});
    EXPECT_TRUE(all_of<Dial>(bench.say(Redirect{"owner:9"})).empty());
  }
  bench.next_wake();
  bench.on(LinkUp{bench.dial});
  bench.say(Redirect{"next:9"});
  EXPECT_EQ(bench.address, "next:9");
  EXPECT_LE(bench.now - lost, milliseconds(350));
}

TEST(AgentLink, is_redirected_out_of_a_session_too) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(Redirect{"owner:9"});
  EXPECT_EQ(bench.address, "owner:9");
  EXPECT_TRUE(bench.core->status().session.is_nil());
}

TEST(AgentLink, asks_the_others_first_when_the_node_that_it_was_sent_to_fails) {
  for (const bool is_welcomed : {false, true}) {
    CoreBench bench;
    bench.on(LinkUp{bench.dial});
    bench.say(Redirect{"b:2"});
    if (is_welcomed) bench.welcome(1);
    bench.on(LinkDown{bench.dial});
    bench.next_wake();
    EXPECT_EQ(bench.address, "c:3") << "b:2 would be next";
    for (const std::string address : {"a:1", "b:2"}) {
      bench.on(LinkDown{bench.dial});
      bench.next_wake();
      EXPECT_EQ(bench.address, address) << "once";
    }
  }
}

TEST(AgentLink, leaves_nodes_that_redirect_in_circles) {
  CoreBench bench;
  for (std::uint32_t hop = 0; hop < LinkPlan::redirects_max; ++hop) {
    bench.on(LinkUp{bench.dial});
    EXPECT_EQ(all_of<Dial>(bench.say(Redirect{"x:1"})).size(), 1u);
  }
  bench.on(LinkUp{bench.dial});
  const auto effects = bench.say(Redirect{"x:1"});
  EXPECT_TRUE(all_of<Dial>(effects).empty());
  EXPECT_EQ(all_of<HangUp>(effects).size(), 1u);
  bench.next_wake();
  EXPECT_EQ(bench.address, "b:2");
}

TEST(AgentLink, gives_up_a_node_that_never_answers) {
  CoreBench bench;
  EXPECT_EQ(all_of<HangUp>(bench.next_wake()).size(), 1u);  // no link
  bench.next_wake();
  bench.on(LinkUp{bench.dial});
  EXPECT_EQ(all_of<HangUp>(bench.next_wake()).size(), 1u);  // no welcome
  EXPECT_EQ(all_of<Dial>(bench.next_wake()).size(), 1u);
}

TEST(AgentLink, waits_long_after_a_refusal) {
  CoreBench bench;
  bench.on(LinkUp{bench.dial});
  EXPECT_EQ(all_of<HangUp>(bench.say(Refused{"not admitted"})).size(), 1u);
  const Moment refused = bench.now;
  EXPECT_NE(bench.core->status().last_refusal.find("not admitted"), std::string::npos);
  bench.next_wake();
  EXPECT_GE((bench.now - refused).count(), 2'500'000'000);
}

TEST(AgentLink, ignores_links_that_it_has_given_up) {
  CoreBench bench;
  const std::uint64_t old = bench.dial;
  bench.on(LinkDown{old});
  bench.next_wake();
  EXPECT_TRUE(bench.on(LinkUp{old}).empty());
  EXPECT_TRUE(bench.on(NodeMessage{old, Welcome{"cell-1", session_id(1), Index{1}}}).empty());
}

Call call_of(std::uint64_t number, milliseconds wait) {
  Call call;
  call.call = number;
  call.task = task_id(1);
  call.offset = 100;
  call.bytes_max = 1'000'000'000;
  call.wait = wait;
  return call;
}

TEST(AgentCalls, answers_a_log_read) {
  CoreBench bench;
  bench.welcome(1);
  const auto reads = all_of<ReadLog>(bench.say(call_of(5, milliseconds(0))));
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].read.offset, 100u);
  EXPECT_EQ(reads[0].read.bytes_max, LogCalls::bytes_max);
  const auto answers = sent<CallAnswer>(bench.on(LogRead{5, LogChunk{"hello", 105, true}}));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].data, "hello");
  EXPECT_EQ(answers[0].next_offset, 105u);
  EXPECT_TRUE(answers[0].ended);
}

TEST(AgentCalls, answers_one_that_overtook_the_welcome) {
  CoreBench bench;
  bench.on(LinkUp{bench.dial});
  const auto early = sent<CallAnswer>(bench.say(call_of(5, milliseconds(1'000))));
  ASSERT_EQ(early.size(), 1u);
  EXPECT_EQ(early[0].call, 5u);
  EXPECT_EQ(early[0].error, 1 + static_cast<int>(ErrorCode::unavailable));
}

TEST(AgentCalls, waits_for_output_and_reads_again_when_the_task_ends) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(Launch{session_id(1), Index{11}, {spec_of(1)}});
  bench.next_wake();
  bench.say(call_of(5, milliseconds(1'000)));
  EXPECT_TRUE(sent<CallAnswer>(bench.on(LogRead{5, LogChunk{"", 100, false}})).empty());
  EXPECT_EQ(all_of<ReadLog>(bench.after(LogCalls::reread_every)).size(), 1u);
  EXPECT_TRUE(sent<CallAnswer>(bench.on(LogRead{5, LogChunk{"", 100, false}})).empty());
  bench.finished(1);
  EXPECT_EQ(all_of<ReadLog>(bench.next_wake()).size(), 1u);
  EXPECT_EQ(sent<CallAnswer>(bench.on(LogRead{5, LogChunk{"", 100, true}})).size(), 1u);
}

TEST(AgentCalls, answers_empty_when_the_wait_is_over) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(call_of(5, milliseconds(70)));
  bench.on(LogRead{5, LogChunk{"", 100, false}});
  bench.after(milliseconds(70));
  EXPECT_EQ(sent<CallAnswer>(bench.on(LogRead{5, LogChunk{"", 100, false}})).size(), 1u);
}

TEST(AgentCalls, passes_errors_on_and_refuses_too_many) {
  CoreBench bench;
  bench.welcome(1);
  for (std::uint64_t number = 1; number <= LogCalls::calls_max; ++number)
    bench.say(call_of(number, milliseconds(0)));
  const auto refused = sent<CallAnswer>(bench.say(call_of(999, milliseconds(0))));
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].error, 1 + static_cast<int>(ErrorCode::overloaded));
  const auto failed = sent<CallAnswer>(bench.on(LogRead{1, Error{ErrorCode::not_found, "gone"}}));
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].error, 1 + static_cast<int>(ErrorCode::not_found));
  bench.on(LinkDown{bench.dial});
  EXPECT_EQ(bench.core->status().log_reads, 0u);
  EXPECT_TRUE(sent<CallAnswer>(bench.on(LogRead{2, LogChunk{"x", 1, true}})).empty());
}

}  // namespace
}  // namespace troupe::agent
