#include "tests/storage/raft/clients.hpp"

#include <algorithm>

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

void Clients::act(Random& random, const Door& door) {
  Client& client = clients_[random.below(clients_.size())];
  if (client.call && random.chance(8)) client.done();
  if (!client.call) begin(random, client);
  if (client.write) {
    if (const auto position = door.propose(*client.write)) client.attempts.push_back({door.at, *position});
    return;
  }
  const ReadToken token = next_token_++;
  if (door.read(token)) client.tokens[token] = door.at;
}

void Clients::committed(At at, const std::vector<Entry>& entries) {
  for (Client& client : clients_) {
    if (!client.write) continue;
    const bool answered = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return std::any_of(client.attempts.begin(), client.attempts.end(), [&](const Attempt& attempt) {
        return attempt.at == at && attempt.position == std::pair(entry.index, entry.term);
      });
    });
    if (!answered) continue;
    history_.write_answered(*client.call);
    client.done();
  }
}

void Clients::granted(At at, const ReadGrant& grant) {
  for (Client& client : clients_) {
    const auto asked = client.tokens.find(grant.token);
    if (asked != client.tokens.end() && asked->second == at) client.granted.push_back(grant);
  }
}

void Clients::answer_reads(At at, Index applied,
                           const std::function<std::uint64_t(std::uint8_t key)>& value) {
  for (Client& client : clients_) {
    const auto ripe = std::any_of(client.granted.begin(), client.granted.end(), [&](const ReadGrant& grant) {
      return client.tokens.at(grant.token) == at && grant.index <= applied;
    });
    if (!ripe) continue;
    history_.read_answered(*client.call, value(client.key));
    client.done();
  }
}

}  // namespace troupe::raft::test
