#pragma once
// Clients that write and read registers through whatever node they meet, and repeat what was not answered.

#include <functional>

#include "storage/base/random.hpp"
#include "tests/storage/raft/checker.hpp"
#include "tests/storage/raft/history.hpp"

namespace troupe::raft::test {

/// Each has one operation at a time. A write is repeated with its sequence, at several nodes if need be;
/// given up, it may still happen.
class Clients {
 public:
  explicit Clients(std::uint32_t count) : clients_(count) {
    for (std::uint32_t i = 0; i < count; ++i) clients_[i].id = i + 1;
  }
  /// One of them does something at this node.
  void act(Random& random, Node& node, const std::function<Result<void>(Node&, ReadToken)>& read);
  void on_ready(const Node& node, const Ready& ready);
  /// After the Readys were carried out: reads whose index is applied get their answer.
  void answer_reads(const Node& node);
  const History& history() const { return history_; }

 private:
  struct Attempt {
    NodeId node;
    std::uint64_t life = 0;
    Index index;
    Term term;
  };
  struct Client {
    ClientId id = 0;
    std::uint64_t sequence = 0;
    std::optional<History::Call> call;
    std::optional<Command> write;  ///< else it reads `key`
    std::uint8_t key = 0;
    std::vector<Attempt> attempts;
    std::map<ReadToken, std::pair<NodeId, std::uint64_t>> tokens;
    std::vector<std::pair<ReadToken, Index>> granted;
    void done() {
      call.reset();
      write.reset();
      attempts.clear();
      tokens.clear();
      granted.clear();
    }
  };
  void begin(Random& random, Client& client);

  std::vector<Client> clients_;
  History history_;
  std::uint64_t next_value_ = 1;
  ReadToken next_token_ = ReadToken{1} << 32;
};

}  // namespace troupe::raft::test
