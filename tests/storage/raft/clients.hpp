#pragma once
// Clients that write and read registers through whatever node they meet, and repeat what was not answered.

#include <functional>

#include "storage/base/random.hpp"
#include "tests/storage/raft/history.hpp"

namespace troupe::raft::test {

/// Each has one operation at a time. A write is repeated with its sequence, at several nodes if need be;
/// given up, it may still happen.
class Clients {
 public:
  explicit Clients(std::uint32_t count) : clients_(count) {
    for (std::uint32_t i = 0; i < count; ++i) clients_[i].id = i + 1;
  }
  /// A node, in one of its lives: what was asked in another one is not answered.
  struct At {
    NodeId node;
    std::uint64_t life = 0;
    friend bool operator==(const At&, const At&) = default;
  };
  /// What a client can ask there.
  struct Door {
    At at;
    std::function<std::optional<std::pair<Index, Term>>(const Command&)> propose;
    std::function<bool(ReadToken)> read;
  };
  /// One of them does something.
  void act(Random& random, const Door& door);
  void committed(At at, const std::vector<Entry>& entries);
  void granted(At at, const ReadGrant& grant);
  /// Reads whose index is applied get their answer from these values.
  void answer_reads(At at, Index applied, const std::function<std::uint64_t(std::uint8_t key)>& value);
  const History& history() const { return history_; }

 private:
  struct Attempt {
    At at;
    std::pair<Index, Term> position;
  };
  struct Client {
    ClientId id = 0;
    std::uint64_t sequence = 0;
    std::optional<History::Call> call;
    std::optional<Command> write;  ///< else it reads `key`
    std::uint8_t key = 0;
    std::vector<Attempt> attempts;
    std::map<ReadToken, At> tokens;
    std::vector<ReadGrant> granted;
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
