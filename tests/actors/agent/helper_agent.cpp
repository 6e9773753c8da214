// `helper_agent ROOT TASK SCRIPT`: an agent that launches one task, says so on its standard output, and waits
// to be killed.

#include <unistd.h>

#include "actors/agent/process_driver.hpp"

int main(int argc, char** argv) {
  using namespace troupe;
  using namespace troupe::agent;
  if (argc != 4) return 2;
  ProcessDriver driver({.root = argv[1], .shim_command = {SHIM_PROGRAM}});
  driver.adopt([](const DriverEvent& event) {
    if (event.report.state == TaskState::started) (void)!write(1, "s", 1);
  });
  ContainerSpec spec;
  const auto task = parse_uuid<TaskId>(argv[2]);
  if (!task.ok()) return 2;
  spec.task = task.value();
  spec.argv = {"sh", "-c", argv[3]};
  driver.launch(spec);
  for (;;) pause();
}
