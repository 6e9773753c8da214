#include <fstream>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"

namespace troupe::cli {
namespace {

constexpr std::string_view head =
    R"(# A job of Troupe. Check it with `troupe job validate FILE`, send it with `troupe job submit FILE`.
owner:
  teamEmail: you@example.com        # whom to ask about it; required
applicationName: my-application     # required
capacityGroup: DEFAULT              # whose share of the cell it uses

# jobGroupInfo:                     # with a sequence, application-stack-detail-sequence is unique among live jobs
#   stack: main
#   detail: ""
#   sequence: "001"
# attributes:                       # for you: any names but titus.*
#   stage: canary

container:
  resources:
    cpu: 0.1                        # at most three decimals
    memoryMB: 64
    diskMB: 16
    # networkMbps: 10
    # ports: 2            # of its host; told as TROUPE_PORT_0, TROUPE_PORT_1 and TROUPE_PORTS
    # gpu: 0
  # image:                          # a tag or a digest; with an image the job runs only where containers do
  #   name: library/busybox
  #   tag: "1.36"
  entryPoint: [/bin/sh, -c, "echo hello from slot $TROUPE_TASK_INDEX; sleep 1"]
  # command: []                     # arguments behind the entry point
  # env:
  #   LEVEL: "7"
  # hardConstraints:                # must hold: uniqueHost, exclusiveHost, availabilityZone, machineType, ...
  #   constraints: {uniqueHost: "true"}
  # softConstraints:                # would be nice
  #   constraints: {zoneBalance: "true"}
)";

constexpr std::string_view batch = R"(
batch:                              # each slot runs to one good end
  size: 1
  runtimeLimitSec: 3600             # of one task, from its start
  retryPolicy:                      # or delayed: {delayMs, retries}, exponentialBackOff: {initialDelayMs, ...}
    immediate: {retries: 2}
  # retryOnRuntimeLimit: false
)";

constexpr std::string_view service = R"(
service:                            # `desired` slots are kept running
  capacity: {min: 1, desired: 1, max: 3}
  retryPolicy:                      # how soon an ended task is replaced
    exponentialBackOff: {initialDelayMs: 1000, maxDelayIntervalMs: 30000}
  # serviceJobProcesses: {disableIncreaseDesired: false, disableDecreaseDesired: false}

# disruptionBudget:                 # how much may be moved at a time
#   availabilityPercentageLimit: {percentageOfHealthyContainers: 95}
#   ratePercentagePerHour: {maxPercentageOfContainersRelocatedInHour: 20}
)";

}  // namespace

int job_init(Context& context, const JobInit& args) {
  const std::string text = std::string(head).append(args.is_service ? service : batch);
  if (args.file == "-") {
    context.io.out << text;
    return exit_ok;
  }
  if (std::ifstream(args.file).good())
    return report(context.io.err, {ErrorCode::invalid_argument, args.file + " exists already"});
  std::ofstream file(args.file, std::ios::binary);
  file << text;
  file.close();
  if (!file) return report(context.io.err, {ErrorCode::io, "cannot write " + args.file});
  context.io.out << "wrote " << args.file << '\n';
  return exit_ok;
}

}  // namespace troupe::cli
