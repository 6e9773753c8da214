// The smallest program that another project would write: a story, told of a simulated cell and of a real one
// that runs processes.

#include <cstdio>
#include <exception>
#include <troupe/scenario.hpp>

namespace {

using namespace troupe::embedded;

void tell(const Options& options) {
  Cluster cluster(options);
  Scenario story(cluster);
  JobStory job = story.submit({.size = 2,
                               .command = {"/bin/sh", "-c", "echo hello; sleep 0.3"},
                               .script = "run=300ms exit=0 output='hello'"});
  job.task().expect(TaskState::started).expect(TaskState::finished, Reason::normal);
  cluster.crash_node(cluster.leader());
  job.expect(JobState::finished, Reason::normal);
  std::printf("%s: %s", cluster.is_simulated() ? "simulated" : "real",
              cluster.client().logs(job.task().id()).c_str());
}

}  // namespace

int main() try {
  tell({.seed = 42});
  tell({.driver = Driver::process, .shim = SHIM});
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
