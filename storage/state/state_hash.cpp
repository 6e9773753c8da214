#include "storage/state/state_hash.hpp"

#include <xxhash.h>

#include <numeric>

#include "storage/state/archive.hpp"

namespace troupe {
namespace {

const Bytes above_all(9, '\xff');

/// Every record of a table but the applied position.
template <class Use>
Result<void> each(const KvStore& store, Table table, Use use) {
  const auto cursor = store.scan(table, Bytes(1, '\x01'), above_all);
  const auto walk = [&](KvCursor& at) -> Result<void> {
    for (; at.valid(); at.next())
      if (auto used = use(at.key(), at.value()); !used.ok()) return used;
    return at.status();
  };
  if (table != keys::current && table != keys::archived) return walk(*cursor);
  // Keys of shards and buckets are binary: some begin with the byte under which the position stands.
  const auto low = store.scan(table, Bytes("\0\0", 2), Bytes(1, '\x01'));
  if (auto walked = walk(*low); !walked.ok()) return walked;
  return walk(*cursor);
}

Error astray(Table table) {
  return Error{ErrorCode::corrupt, "a record of table " + std::to_string(table) + " belongs to no shard"};
}

template <class Number>
Number big_endian(BytesView bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < sizeof(Number); ++n)
    value = (value << 8) | static_cast<std::uint8_t>(bytes[at + n]);
  return static_cast<Number>(value);
}

class Recompute {
 public:
  explicit Recompute(const KvStore& store) : store_(store) {}

  Result<Recomputed> run() {
    if (auto done = each(store_, keys::meta, [&](BytesView k, BytesView v) { return meta(k, v); });
        !done.ok())
      return done.error();
    const auto shards = out_.hash.shards.size();
    out_.jobs.resize(shards), out_.slots.resize(shards), out_.tasks.resize(shards);
    if (auto done = each(store_, keys::current, [&](BytesView k, BytesView v) { return current(k, v); });
        !done.ok())
      return done.error();
    if (auto done = each(store_, keys::archived, [&](BytesView k, BytesView v) { return archived(k, v); });
        !done.ok())
      return done.error();
    if (auto done = each(store_, keys::index, [&](BytesView k, BytesView v) { return index(k, v); });
        !done.ok())
      return done.error();
    return std::move(out_);
  }

 private:
  Result<void> meta(BytesView key, BytesView value) {
    if (key[0] == 'b') return {};  // Sums of what is summed up here.
    if (key[0] == 's') out_.hash.shards.emplace_back();
    if (key[0] == 'h') ++out_.hosts;
    if (key[0] == 'g') ++out_.groups;
    if (key[0] == 'r') ++out_.requests;
    out_.hash.cell += record_hash(key, value);
    return {};
  }

  Result<void> current(BytesView key, BytesView value) {
    constexpr std::size_t kind_at = 2;
    if (key.size() <= kind_at) return astray(keys::current);
    const auto shard = big_endian<std::uint16_t>(key, 0);
    if (shard >= out_.hash.shards.size()) return astray(keys::current);
    if (key[kind_at] == 'j') ++out_.jobs[shard];
    if (key[kind_at] == 'l') ++out_.slots[shard];
    if (key[kind_at] == 't') ++out_.tasks[shard];
    out_.hash.shards[shard] += record_hash(key, value);
    return {};
  }

  Result<void> archived(BytesView key, BytesView value) {
    constexpr std::size_t shard_at = 4, kind_at = 6;
    if (key.size() <= kind_at) return astray(keys::archived);
    const ShardId shard{big_endian<std::uint16_t>(key, shard_at)};
    if (shard.value >= out_.hash.shards.size()) return astray(keys::archived);
    ArchiveSum& sum = out_.archive[{big_endian<keys::Bucket>(key, 0), shard}];
    ++(key[kind_at] == 'j' ? sum.jobs : sum.tasks);
    add(shard, sum, key, value);
    return {};
  }

  Result<void> index(BytesView key, BytesView value) {
    if (key[0] == 'a') return {};  // The chain of the audit's head stands for its entries.
    if (key[0] == 'v') return moved(key, value);
    constexpr std::size_t route_at = 16;  // kind, then a job's or task's id, whose last byte routes
    const auto bucket = unpacked<keys::Bucket>(value);
    if (key.size() <= route_at || !bucket.ok() || out_.hash.shards.empty()) return astray(keys::index);
    const ShardId shard{
        static_cast<std::uint16_t>(static_cast<std::uint8_t>(key[route_at]) % out_.hash.shards.size())};
    add(shard, out_.archive[{bucket.value(), shard}], key, value);
    return {};
  }

  Result<void> moved(BytesView key, BytesView value) {
    const auto place = unpacked<ArchivedPlace>(value);
    if (!place.ok() || place.value().shard.value >= out_.hash.shards.size()) return astray(keys::index);
    const auto& [bucket, shard] = place.value();
    add(shard, out_.archive[{bucket, shard}], key, value);
    return {};
  }

  void add(ShardId shard, ArchiveSum& sum, BytesView key, BytesView value) {
    const std::uint64_t hash = record_hash(key, value);
    sum.hash += hash;
    out_.hash.shards[shard.value] += hash;
  }

  const KvStore& store_;
  Recomputed out_;
};

}  // namespace

std::uint64_t record_hash(BytesView key, BytesView value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(key.data(), key.size()));
}

std::uint64_t StateHash::total() const { return std::accumulate(shards.begin(), shards.end(), cell); }

Result<Recomputed> recompute_hash(const KvStore& store) { return Recompute(store).run(); }

}  // namespace troupe
