// Traces are read as they are written, and how well they are packed is held against an exact solver and best
// fit.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "actors/bench/placement_trace.hpp"
#include "storage/base/random.hpp"

namespace troupe::placement {
namespace {

TEST(Traces, AreReadByTheNamesOfTheirColumns) {
  const auto trace = parse_trace(
      "sn,cpu_milli,memory_mib,gpu,model\nn1,32000,131072,2,T4\nn2,1000,1024,0,\n",
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
      "scheduled_time\r\n"
      "p2,1000,100,1,460,V100M16|V100M32,LS,Running,20,30,21\r\np1,500,50,0,0,,BE,Failed,10,,\r\n");
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace.value().nodes[0].total, (Resources{32'000, 131'072, 0, 0, 2'000}));
  EXPECT_EQ(trace.value().nodes[0].model, "T4");
  ASSERT_EQ(trace.value().pods.size(), 2U);
  EXPECT_EQ(trace.value().pods[0].name, "p1") << "by time";
  EXPECT_FALSE(trace.value().pods[0].end.is_set());
  EXPECT_EQ(trace.value().pods[1].resources.gpu, 460);
  EXPECT_EQ(trace.value().pods[1].models, (std::vector<std::string>{"V100M16", "V100M32"}));
  EXPECT_EQ(parse_trace("sn,cpu_milli\nn1,many\n", "name\np\n").error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(parse_trace("sn,cpu_milli\n", "name\np\n").ok());
  EXPECT_EQ(read_trace("/nowhere/at/all").error().code, ErrorCode::not_found);
}

TEST(Traces, ThatWereMadeComeBackFromTheirFiles) {
  const Trace made = make_trace(20, 200, 7);
  const auto read = parse_trace(nodes_csv(made), pods_csv(made));
  ASSERT_TRUE(read.ok());
  for (std::size_t n = 0; n < made.pods.size(); ++n) {
    EXPECT_EQ(read.value().pods[n].resources, made.pods[n].resources);
    EXPECT_EQ(read.value().pods[n].end, made.pods[n].end);
  }
}

// Of one trace either may place some pods more: what matters is the mean, by its own error.
TEST(Traces, ArePackedAtLeastAsWellAsByBestFit) {
  constexpr int traces = 20;
  double engine = 0, best_fit = 0, gained = 0, gained_squared = 0;
  for (std::uint64_t seed = 1; seed <= traces; ++seed) {
    const Trace trace = make_trace(40, 2'000, seed);
    const TraceOutcome ours = replay_engine(trace);
    const auto theirs = static_cast<double>(replay_best_fit(trace).placed);
    const double more = (static_cast<double>(ours.placed) - theirs) / theirs;
    engine += static_cast<double>(ours.placed);
    best_fit += theirs;
    gained += more / traces;
    gained_squared += more * more / traces;
    EXPECT_GT(ours.placed, ours.placed_at_once);
    EXPECT_GT(ours.placed_at_once, 250U);
    EXPECT_GT(ours.placed_with_gpu, 150U);
    EXPECT_LT(ours.placed_with_gpu, ours.placed);
  }
  const double error = std::sqrt((gained_squared - gained * gained) / (traces - 1));
  RecordProperty("engine", static_cast<int>(engine));
  RecordProperty("best_fit", static_cast<int>(best_fit));
  RecordProperty("gained_millionths", static_cast<int>(gained * 1e6));
  RecordProperty("error_millionths", static_cast<int>(error * 1e6));
  EXPECT_GE(gained, -2 * error);
  EXPECT_LT(error, 0.005);
}

/// The most pods that can run at once, all choices tried.
class Solver {
 public:
  explicit Solver(const Trace& trace) : trace_(trace) {
    for (const TraceNode& node : trace.nodes) free_.push_back(node.total);
  }
  std::size_t most() {
    look(0, 0);
    return best_;
  }

 private:
  void look(std::size_t pod, std::size_t placed) {
    best_ = std::max(best_, placed);
    if (pod == trace_.pods.size() || placed + trace_.pods.size() - pod <= best_) return;
    for (Resources& free : free_) {
      if (!trace_.pods[pod].resources.fits_into(free)) continue;
      free -= trace_.pods[pod].resources;
      look(pod + 1, placed + 1);
      free += trace_.pods[pod].resources;
    }
    look(pod + 1, placed);
  }
  const Trace& trace_;
  std::vector<Resources> free_;
  std::size_t best_ = 0;
};

TEST(Traces, SmallOnesArePackedNearlyAsByAnExactSolver) {
  Random random(11);
  std::size_t ours = 0, exact = 0;
  for (int n = 0; n < 200; ++n) {
    Trace trace;
    for (int i = 0; i < 4; ++i)
      trace.nodes.push_back({"n" + std::to_string(i),
                             {random.between(4, 8) * 1'000, random.between(4, 8) * 1'000, 0, 0, 0},
                             ""});
    for (int i = 0; i < 10; ++i) {
      TracePod pod;
      pod.resources = {random.between(1, 4) * 500, random.between(1, 4) * 500, 0, 0, 0};
      pod.begin = Instant{1 + i};
      trace.pods.push_back(pod);
    }
    ours += replay_engine(trace).placed;
    exact += Solver(trace).most();
  }
  RecordProperty("engine", static_cast<int>(ours));
  RecordProperty("exact", static_cast<int>(exact));
  EXPECT_GE(ours * 100, exact * 99) << ours << " of " << exact;
}

}  // namespace
}  // namespace troupe::placement
