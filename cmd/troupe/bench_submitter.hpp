#pragma once
// Submits of benches over HTTP: each with a key of its own, and what was promised about it.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cmd/troupe/bench_support.hpp"
#include "net/http/http.hpp"
#include "storage/base/random.hpp"
#include "storage/model/resources.hpp"

namespace troupe::cli {

/// Every submit that was answered 202. Thread-safe.
class Acknowledged {
 public:
  void add(const std::string& key, const std::string& job);
  /// What came since the last call.
  std::map<std::string, std::string> take();

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> jobs_;  ///< by key
};

/// One batch job of one task that runs for `run` on a simulated host.
std::string one_task_job(milliseconds run);
/// Of a simulated host, for so many tasks of that size, and half as many again.
Resources room_for(std::int64_t tasks);
/// One attempt; the job's id. Errors: as http::Client, and unavailable or outcome_unknown for an answer other
/// than 202.
Result<std::string> submit(http::Client& client, const std::string& body, const std::string& key);
std::string fresh_key(Random& random);
http::Client client_of(std::uint16_t port, milliseconds timeout);

/// Threads that submit now and then, each at one node, whatever the answers.
class SteadyLoad {
 public:
  SteadyLoad(const std::vector<std::uint16_t>& ports, milliseconds pause, Acknowledged& acknowledged);
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;
  /// How long each acknowledged submit since the last call took, milliseconds. Any thread.
  std::vector<double> take_ms();

 private:
  void run(std::uint16_t port);

  const milliseconds pause_;
  Acknowledged& acknowledged_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<double> took_ms_;
  std::vector<std::thread> threads_;
};

}  // namespace troupe::cli
