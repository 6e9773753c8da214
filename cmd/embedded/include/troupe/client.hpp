#pragma once
// Somebody who uses a cell through its HTTP interface.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/job.hpp>
#include <vector>

namespace troupe::embedded {

class Cluster;

using Headers = std::map<std::string, std::string, std::less<>>;  ///< names in lower case

/// What a node answered. Status 0: nothing, and `body` says why.
struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

/// A handle that is cheap to copy; its Cluster outlives it. Each call lets time pass until the answer is
/// there. The plain calls give back whatever was answered. The others repeat a request that surely did not
/// happen (503: no leader just now) for as long as Options::patience says, and throw a Failure unless the
/// answer is the good one.
class Client {
 public:
  Response get(std::string_view target, const Headers& headers = {}) const;
  Response post(std::string_view target, std::string_view body, const Headers& headers = {}) const;
  Response put(std::string_view target, std::string_view body, const Headers& headers = {}) const;
  Response del(std::string_view target, const Headers& headers = {}) const;

  /// The new job's id.
  std::string submit(const JobSpec& spec) const;
  std::string submit(std::string_view json) const;
  void kill_job(std::string_view job) const;
  void kill_task(std::string_view task) const;
  /// A service's desired size.
  void resize(std::string_view job, std::uint32_t desired) const;

  std::optional<Job> job(std::string_view id) const;  ///< live or ended; nullopt: there is none
  std::optional<Task> task(std::string_view id) const;
  /// Those of one job, oldest first; the last 1,000 where there are more.
  std::vector<Task> live_tasks(std::string_view job) const;
  std::vector<Task> all_tasks(std::string_view job) const;  ///< the ended ones too
  std::string logs(std::string_view task) const;            ///< standard output, as far as it is there

 private:
  friend class Cluster;
  Client(Cluster& cluster, std::uint32_t node) : cluster_(&cluster), node_(node) {}
  Response call(std::string_view method, std::string_view target, std::string_view body,
                const Headers& headers) const;
  Response ask(std::string_view method, const std::string& target, std::string_view body = {},
               const Headers& headers = {}) const;
  std::vector<Task> tasks(const std::string& query) const;

  Cluster* cluster_;
  std::uint32_t node_;
};

}  // namespace troupe::embedded
