// A running task that becomes another service's.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

constexpr std::string_view works = "start=50ms run=forever stop=1s";

std::string move_body(const std::string& task, const std::string& from, const std::string& to) {
  return R"({"taskId": ")" + task + R"(", "sourceJobId": ")" + from + R"(", "targetJobId": ")" + to + "\"}";
}

/// Jobs fall on shards by their ids: of so many some are of other nodes than the source.
struct MoveStage : Stage {
  explicit MoveStage(std::uint64_t seed) : Stage(seed) {
    source = story.submit(service(6)).id();
    story.job(source).expect_running(6);
    for (int n = 0; n < 5; ++n) targets.push_back(story.submit(service(1)).id());
    for (const std::string& target : targets) story.job(target).expect_running(1);
    for (std::uint32_t n = 0; n < 5; ++n) tasks.push_back(story.job(source).task(n).id());
  }
  static JobSpec service(std::uint32_t size) {
    return {.kind = JobSpec::Kind::service, .size = size, .script = std::string(works)};
  }
  Response move(std::size_t n) {
    return cluster.client().post("/api/v3/tasks/move", move_body(tasks[n], source, targets[n]));
  }
  void move_all() {
    for (std::size_t n = 0; n < targets.size(); ++n) {
      Response answer;
      story.expect("the cell to take the move", [&] { return (answer = move(n)).status != 503; });
      ASSERT_EQ(answer.status, 200) << answer.body;
    }
  }
  /// Each is where it was, as it was, in its new job.
  void expect_moved(const std::vector<Task>& before) {
    for (std::size_t n = 0; n < targets.size(); ++n) {
      const auto now = cluster.client().task(tasks[n]);
      ASSERT_TRUE(now);
      EXPECT_EQ(now->job, targets[n]);
      EXPECT_EQ(now->state, TaskState::started);
      EXPECT_EQ(now->host, before[n].host);
      EXPECT_EQ(now->entered, before[n].entered);
    }
  }
  std::vector<Task> seen() {
    std::vector<Task> all;
    for (const std::string& task : tasks) all.push_back(*cluster.client().task(task));
    return all;
  }

  std::string source;
  std::vector<std::string> targets, tasks;
};

TEST(TaskMove, TasksRunOnInTheirNewJobsAndNobodyReplacesThem) {
  MoveStage stage(1101);
  const auto before = stage.seen();
  stage.move_all();
  stage.expect_moved(before);
  for (const std::string& target : stage.targets)
    stage.story.job(target).expect_running(2).expect_tasks_made(2, minutes(5));
  stage.story.job(stage.source).expect_running(1).expect_tasks_made(1, minutes(5));
  stage.expect_moved(before);
  stage.story.expect_no_violation();
}

TEST(TaskMove, TheNewJobsCareForThem) {
  MoveStage stage(1102);
  stage.move_all();
  const Client client = stage.cluster.client();
  client.kill_task(stage.tasks[0]);
  stage.story.expect("its new job to have another in its place", [&] {
    const auto live = client.live_tasks(stage.targets[0]);
    return live.size() == 2 && std::none_of(live.begin(), live.end(), [&](const Task& task) {
             return task.id == stage.tasks[0] || task.state != TaskState::started;
           });
  });
  const auto ended = client.task(stage.tasks[0]);
  ASSERT_TRUE(ended) << "it is found by its id although its id says another job";
  EXPECT_EQ(ended->job, stage.targets[0]);
  EXPECT_EQ(ended->reason, Reason::killed);
  EXPECT_EQ(client.all_tasks(stage.targets[0]).size(), 3U);
  client.resize(stage.targets[1], 0);
  stage.story.expect("the smaller job to end it",
                     [&] { return client.task(stage.tasks[1])->reason == Reason::scaled_down; });
  stage.story.job(stage.targets[2]).kill().expect(JobState::finished, Reason::killed);
  EXPECT_EQ(client.task(stage.tasks[2])->state, TaskState::finished);
  stage.story.job(stage.source).expect_running(1);
  stage.story.expect_no_violation();
}

TEST(TaskMove, NoNodesEndRestartsThemNorDoesTheirAgents) {
  MoveStage stage(1103);
  stage.move_all();
  const auto before = stage.seen();
  for (std::uint32_t node = 1; node <= 3; ++node) {
    stage.cluster.crash_node(node);
    stage.cluster.run_for(seconds(20));
    stage.cluster.restart_node(node);
    stage.cluster.await_settled();
    stage.expect_moved(before);
  }
  for (const std::string& host : stage.cluster.hosts()) stage.cluster.crash_agent(host);
  stage.cluster.run_for(seconds(5));
  for (const std::string& host : stage.cluster.hosts()) stage.cluster.restart_agent(host);
  stage.cluster.await_settled();
  stage.cluster.run_for(minutes(5));
  stage.expect_moved(before);
  stage.cluster.client().kill_task(stage.tasks[3]);
  stage.story.job(stage.targets[3]).expect_running(2);
  stage.story.expect_no_violation();
}

TEST(TaskMove, IsRefusedWithWhatIsInTheWay) {
  MoveStage stage(1104);
  const Client client = stage.cluster.client();
  JobSpec larger = MoveStage::service(1);
  larger.cpus = 0.2;
  const std::string other = client.submit(larger);
  const std::string batch = client.submit({.script = std::string(works)});
  const auto answer = [&](const std::string& task, const std::string& target) {
    return client.post("/api/v3/tasks/move", move_body(task, stage.source, target));
  };
  const Response unlike = answer(stage.tasks[0], other);
  EXPECT_EQ(unlike.status, 409);
  EXPECT_NE(unlike.body.find("resources"), std::string::npos) << unlike.body;
  EXPECT_EQ(answer(stage.tasks[0], batch).status, 400);
  EXPECT_EQ(answer(stage.source, stage.targets[0]).status, 404);
  stage.story.job(stage.source).expect_running(6);
}

}  // namespace
}  // namespace troupe::embedded
