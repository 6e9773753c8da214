#include "storage/state/keys.hpp"

namespace troupe::keys {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

template <class To, class Number>
void append_big_endian(To& key, Number value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
}

template <class Tag>
void append_id(Key& key, const Uuid<Tag>& id) {
  key.append({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

Key in_shard(ShardId shard, char kind) {
  Key key;
  append_big_endian(key, shard.value);
  key.push_back(kind);
  return key;
}

Key in_bucket(Bucket bucket, ShardId shard, char kind) {
  Key key;
  append_big_endian(key, bucket);
  append_big_endian(key, shard.value);
  key.push_back(kind);
  return key;
}

template <class Tag>
Key with_id(Key key, const Uuid<Tag>& id) {
  append_id(key, id);
  return key;
}

}  // namespace

std::vector<std::string> table_names() { return {"meta", "current", "archived", "index"}; }
std::vector<Table> unread_tables() { return {current}; }

Bucket bucket_of(Instant finished) { return static_cast<Bucket>(finished.ms / day_ms); }

Bytes applied() { return Bytes(1, '\0'); }
Bytes cell() { return "c"; }
Bytes membership() { return "m"; }

Key shard(ShardId id) {
  Key key('s');
  append_big_endian(key, id.value);
  return key;
}

Key host(HostId id) {
  Key key('h');
  append_big_endian(key, id.value);
  return key;
}

Bytes group(std::string_view name) { return Bytes("g").append(name); }
Bytes condition(std::string_view name) { return Bytes("a").append(name); }
Bytes launches(std::string_view scope) { return Bytes("l").append(scope); }
Bytes pause(std::string_view scope) { return Bytes("p").append(scope); }

Bytes request(std::string_view caller, std::string_view request) {
  Bytes key = "r";
  key.append(caller);
  key.push_back('\0');
  key.append(request);
  return key;
}

Bytes skipped(Index entry) {
  Bytes key = "k";
  append_big_endian(key, entry.value);
  return key;
}

Bytes audit_head() { return "u"; }

Key audit(std::uint64_t ordinal) {
  Key key('a');
  append_big_endian(key, ordinal);
  return key;
}

Key archive_sum(Bucket bucket, ShardId shard) {
  Key key('b');
  append_big_endian(key, bucket);
  append_big_endian(key, shard.value);
  return key;
}

Key job(ShardId shard, const JobId& id) { return with_id(in_shard(shard, 'j'), id); }
Key task(ShardId shard, const TaskId& id) { return with_id(in_shard(shard, 't'), id); }

Key slot(ShardId shard, const JobId& job, SlotNumber number) {
  Key key = with_id(in_shard(shard, 'l'), job);
  append_big_endian(key, number.value);
  return key;
}

Bytes current_low(ShardId shard, char kind) { return Bytes(in_shard(shard, kind)); }
Bytes current_high(ShardId shard, char kind) { return Bytes(in_shard(shard, static_cast<char>(kind + 1))); }

Key archived_job(Bucket bucket, ShardId shard, const JobId& id) {
  return with_id(in_bucket(bucket, shard, 'j'), id);
}
Key archived_task(Bucket bucket, ShardId shard, const TaskId& id) {
  return with_id(in_bucket(bucket, shard, 't'), id);
}
Key job_bucket(const JobId& id) { return with_id(Key('j'), id); }
Key task_bucket(const TaskId& id) { return with_id(Key('t'), id); }

Key task_place(const TaskId& id) { return with_id(Key('v'), id); }

Key task_of_job(const JobId& job, Index created_at, const TaskId& task) {
  Key key = with_id(Key('k'), job);
  append_big_endian(key, created_at.value);
  append_id(key, task);
  return key;
}

Bytes tasks_of_job_low(const JobId& job) { return Bytes(with_id(Key('k'), job)); }

Bytes tasks_of_job_high(const JobId& job) {
  Bytes key = tasks_of_job_low(job);
  append_big_endian(key, UINT64_MAX);
  key.append(17, '\xff');
  return key;
}

std::optional<std::pair<Bucket, ShardId>> archive_sum_place(BytesView key) {
  if (key.size() != 1 + sizeof(Bucket) + sizeof(ShardId::rep) || key[0] != 'b') return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : key.substr(1)) value = (value << 8) | static_cast<std::uint8_t>(c);
  return std::pair{static_cast<Bucket>(value >> 16), ShardId{static_cast<ShardId::rep>(value & 0xffff)}};
}

Bytes meta_low(char kind) { return Bytes(1, kind); }
Bytes meta_high(char kind) { return Bytes(1, static_cast<char>(kind + 1)); }

Result<TaskId> task_of_index_key(BytesView key) {
  TaskId id;
  constexpr std::size_t length = 1 + 16 + 8 + 16;
  if (key.size() != length) return Error{ErrorCode::corrupt, "malformed key in the archive's index"};
  std::memcpy(id.bytes.data(), key.data() + length - 16, 16);
  return id;
}

}  // namespace troupe::keys
