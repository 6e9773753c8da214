#include "tests/storage/raft/clients.hpp"

#include <algorithm>

#include "storage/base/msgpack.hpp"

namespace troupe::raft::test {

void Clients::begin(Random& random, Client& client) {
  client.key = static_cast<std::uint8_t>(random.below(keys));
  if (random.chance(40)) {
    client.call = history_.read_called(client.key);
    return;
  }
  client.write = Command{client.id, ++client.sequence, client.key, next_value_++};
  client.call = history_.write_called(client.key, client.write->value);
}

void Clients::act(Random& random, Node& node, const std::function<Result<void>(Node&, ReadToken)>& read) {
  Client& client = clients_[random.below(clients_.size())];
  if (client.call && random.chance(8)) client.done();
  if (!client.call) begin(random, client);
  if (client.write) {
    const Proposal proposal{{}, Blob(packed(*client.write))};
    const auto index = node.core().propose({&proposal, 1});
    if (index.ok()) client.attempts.push_back({node.id, node.life, index.value(), node.core().term()});
    return;
  }
  const ReadToken token = next_token_++;
  if (read(node, token).ok()) client.tokens[token] = {node.id, node.life};
}

void Clients::on_ready(const Node& node, const Ready& ready) {
  for (Client& client : clients_) {
    for (const ReadGrant& grant : ready.reads) {
      if (client.tokens.contains(grant.token)) client.granted.push_back({grant.token, grant.index});
    }
    if (!client.write) continue;
    for (const Entry& entry : ready.committed) {
      const bool answered =
          std::any_of(client.attempts.begin(), client.attempts.end(), [&](const Attempt& attempt) {
            return attempt.node == node.id && attempt.life == node.life && attempt.index == entry.index &&
                   attempt.term == entry.term;
          });
      if (!answered) continue;
      history_.write_answered(*client.call);
      client.done();
      break;
    }
  }
}

void Clients::answer_reads(const Node& node) {
  for (Client& client : clients_) {
    for (const auto& [token, index] : client.granted) {
      if (client.tokens.at(token) != std::pair(node.id, node.life) || node.state.applied < index) continue;
      history_.read_answered(*client.call, node.state.values[client.key]);
      client.done();
      break;
    }
  }
}

}  // namespace troupe::raft::test
