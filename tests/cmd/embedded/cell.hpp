#pragma once
// A simulated cell as the stories of these tests want it: started, with its hosts, and easy to ask.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cmd/embedded/sim_cluster.hpp"
#include "storage/base/random.hpp"

namespace troupe::embedded {

struct JobShape {
  bool is_service = false;
  std::uint32_t size = 3;
  std::string script = "start=20ms run=1s exit=0";
  std::string retry = R"({"immediate": {"retries": 3}})";
  std::uint32_t limit_s = 600;
  std::uint32_t memory_mb = 64;
};
std::string json_of(const JobShape& shape);

/// How a job stands on one node.
struct JobLook {
  bool exists = false;
  JobState state = JobState::accepted;
  Reason reason = Reason::none;
  std::string set_aside;
  std::uint32_t desired = 0;
  std::uint32_t live = 0;
  std::uint32_t started = 0;
  std::vector<TaskId> tasks;  ///< live ones, by slot
  std::vector<SlotRecord> slots;
  bool is_finished() const { return exists && state == JobState::finished; }
};

SimOptions cell_options(std::uint64_t seed, std::uint32_t hosts = 2);

class Cell {
 public:
  explicit Cell(SimOptions options = cell_options(1));

  /// A node that may speak for the cell now; 0: none.
  std::uint32_t up() const;
  std::uint32_t other_than(std::uint32_t node) const;
  bool await(const std::function<bool()>& done, milliseconds at_most = milliseconds(30'000));
  /// All nodes up, one leader, the shards spread, the hosts connected to their owners, all equal.
  bool await_whole(milliseconds at_most = milliseconds(60'000));
  bool is_whole() const;
  std::string why_not_whole() const;

  http::Response post(std::uint32_t node, const JobShape& shape, const std::string& key = {},
                      milliseconds patience = milliseconds(15'000));
  JobId submit(const JobShape& shape, std::uint32_t node = 0);
  int kill(const JobId& job);
  int resize(const JobId& job, std::uint32_t desired);
  JobLook look(const JobId& job, std::uint32_t node = 0) const;
  bool await_finished(const JobId& job, Reason reason, milliseconds at_most = milliseconds(60'000));
  /// Exactly this many started tasks, and no other live ones.
  bool await_running(const JobId& job, std::uint32_t count, milliseconds at_most = milliseconds(60'000));
  std::map<std::uint32_t, int> shards_owned() const;
  /// What is left to do, anywhere; empty when all is quiet.
  std::string duties() const;
  std::string violations() const;

  SimCluster sim;
  const std::uint32_t nodes;
  const std::uint32_t hosts;
};

JobId job_id_of(const http::Response& response);

}  // namespace troupe::embedded
