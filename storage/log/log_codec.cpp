#include "storage/log/log_codec.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr char record_version = 1;
constexpr std::size_t seal_bytes = 9;     ///< version and checksum
constexpr std::size_t fields_bytes = 25;  ///< index, term, stamp, kind

void put(Bytes& out, std::uint64_t value) {
  char bytes[sizeof value];
  for (std::size_t i = 0; i < sizeof value; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof bytes);
}

std::uint64_t take(BytesView bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
  return value;
}

std::uint64_t checksum(BytesView body) { return XXH3_64bits(body.data(), body.size()); }

/// What begins at `at` with room for the seal, and goes on to the end.
void seal(Bytes& bytes, std::size_t at) {
  const std::uint64_t sum = checksum(BytesView(bytes).substr(at + seal_bytes));
  bytes[at] = record_version;
  for (std::size_t i = 0; i < 8; ++i) bytes[at + 1 + i] = static_cast<char>(sum >> (8 * i));
}

Bytes sealed(Bytes record) {
  seal(record, 0);
  return record;
}

Error damaged_record(const std::string& what) { return Error{ErrorCode::corrupt, what}; }

Result<BytesView> opened(BytesView record) {
  if (record.size() < seal_bytes)
    return damaged_record("torn record of " + std::to_string(record.size()) + " bytes");
  if (record[0] != record_version)
    return damaged_record("unknown record version " + std::to_string(record[0]));
  const BytesView body = record.substr(seal_bytes);
  if (checksum(body) != take(record, 1)) return damaged_record("bad checksum");
  return body;
}

}  // namespace

Bytes log_key(Index index) {
  Bytes key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(index.value >> (56 - 8 * i));
  return key;
}

Index log_key_index(BytesView key) {
  std::uint64_t value = 0;
  for (const char c : key) value = (value << 8) | static_cast<std::uint8_t>(c);
  return Index{value};
}

Bytes log_record(const raft::Entry& entry) {
  Bytes out;
  out.reserve(seal_bytes + fields_bytes + entry.data.size());
  append_log_record(out, entry);
  return out;
}

void append_log_record(Bytes& out, const raft::Entry& entry) {
  const std::size_t begin = out.size();
  out.append(seal_bytes, '\0');
  put(out, entry.index.value);
  put(out, entry.term.value);
  put(out, static_cast<std::uint64_t>(entry.stamp.ms));
  out.push_back(static_cast<char>(entry.kind));
  out.append(entry.data.view());
  seal(out, begin);
}

Result<raft::Entry> log_entry(BytesView key, BytesView record) {
  const std::string where = "log entry " + to_text(log_key_index(key)) + ": ";
  if (key.size() != 8) return damaged_record("log key of " + std::to_string(key.size()) + " bytes");
  const auto body = opened(record);
  if (!body.ok()) return damaged_record(where + body.error().message);
  const BytesView bytes = body.value();
  if (bytes.size() < fields_bytes) return damaged_record(where + "too short");
  raft::Entry entry;
  entry.index = Index{take(bytes, 0)};
  entry.term = Term{take(bytes, 8)};
  entry.stamp = Instant{static_cast<std::int64_t>(take(bytes, 16))};
  const auto kind = static_cast<std::uint8_t>(bytes[24]);
  if (kind > static_cast<std::uint8_t>(max_value(raft::EntryKind{})))
    return damaged_record(where + "unknown kind");
  entry.kind = static_cast<raft::EntryKind>(kind);
  if (entry.index != log_key_index(key)) return damaged_record(where + "holds entry " + to_text(entry.index));
  entry.data = Blob(Bytes(bytes.substr(fields_bytes)));
  return entry;
}

Bytes log_head_record(const LogHead& head) {
  Bytes out(seal_bytes, '\0');
  PackWriter writer(out);
  pack(writer, head);
  return sealed(std::move(out));
}

Bytes log_head_key() { return "head"; }

Bytes seal_log_record(const Bytes& body) { return sealed(Bytes(seal_bytes, '\0') + body); }

Result<BytesView> open_log_record(BytesView record) { return opened(record); }

Result<LogHead> log_head(BytesView record) {
  const auto body = opened(record);
  if (!body.ok()) return damaged_record("log head: " + body.error().message);
  return unpacked<LogHead>(body.value());
}

}  // namespace troupe
