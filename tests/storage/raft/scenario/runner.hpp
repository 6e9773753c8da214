#pragma once
// Carries a scenario out on a cluster in memory.

#include <functional>
#include <memory>

#include "tests/storage/raft/cluster.hpp"
#include "tests/storage/raft/scenario/script.hpp"

namespace troupe::raft::test {

/// What goes wrong is reported as a test failure with the line. The invariants are watched throughout.
class Runner {
 public:
  Runner();
  void run(const Line& line);

 private:
  using Command = std::function<void(const Line&)>;
  void add_faults();
  void add_work();
  void add_expectations();
  void start(const Line& line);
  void send_raw(const Line& line);
  void watch_messages();
  void expect_node(const Line& line);
  void expect_peer(const Line& line);
  std::string fact(std::uint32_t id, const std::string& key);
  std::string peer_fact(const PeerStatus& peer, const std::string& key);
  std::size_t count_sent(const Line& line);
  template <class Outcome>
  void expect_outcome(const Line& line, const Outcome& outcome);
  Cluster& net() { return *cluster_; }

  std::map<std::string, Command> commands_;
  std::unique_ptr<Cluster> cluster_;
  struct Filter {
    MessageType type;
    std::uint32_t from = 0, to = 0;
    bool hold = false;  ///< else lost
  };
  std::vector<Filter> filters_;
  std::vector<Message> held_;
};

}  // namespace troupe::raft::test
