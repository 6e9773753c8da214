#include "storage/kv/sim_checkpoint.hpp"

#include <fmt/core.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr std::size_t file_bytes_aim = 32 * 1024;
constexpr std::size_t sum_bytes = 8;

struct Row {
  Blob key, value;
  static constexpr auto fields() { return field_list(field("key", &Row::key), field("value", &Row::value)); }
};
struct Part {
  std::uint32_t table = 0;
  std::string name;
  std::uint32_t number = 0;  ///< of the table's files
  bool is_last = false;
  std::vector<Row> rows;
  static constexpr auto fields() {
    return field_list(field("table", &Part::table), field("name", &Part::name),
                      field("number", &Part::number), field("is_last", &Part::is_last),
                      field("rows", &Part::rows));
  }
};

Bytes sealed(const Part& part) {
  const Bytes body = packed(part);
  const std::uint64_t sum = XXH3_64bits(body.data(), body.size());
  Bytes out(sum_bytes, '\0');
  std::memcpy(out.data(), &sum, sum_bytes);
  return out + body;
}

Result<Part> opened(const std::string& name, BytesView bytes) {
  const Error damaged{ErrorCode::corrupt, "checkpoint file " + name + " is damaged"};
  std::uint64_t sum = 0;
  if (bytes.size() < sum_bytes) return damaged;
  std::memcpy(&sum, bytes.data(), sum_bytes);
  bytes.remove_prefix(sum_bytes);
  if (XXH3_64bits(bytes.data(), bytes.size()) != sum) return damaged;
  return unpacked<Part>(bytes);
}

std::string file_name(const Part& part) { return fmt::format("{:03}-{:06}.tab", part.table, part.number); }

}  // namespace

std::map<std::string, Bytes> checkpoint_files(const SimTables& tables) {
  std::map<std::string, Bytes> files;
  for (std::uint32_t n = 0; n < tables.tables.size(); ++n) {
    Part part{n, tables.names[n], 0, false, {}};
    std::size_t bytes = 0;
    const auto finish = [&](bool is_last) {
      part.is_last = is_last;
      files[file_name(part)] = sealed(part);
      ++part.number;
      part.rows.clear();
      bytes = 0;
    };
    for (const auto& [key, value] : *tables.tables[n]) {
      if (bytes >= file_bytes_aim) finish(false);
      bytes += key.size() + value->size();
      part.rows.push_back({Blob(key), Blob(*value)});
    }
    finish(true);
  }
  return files;
}

Result<SimTables> checkpoint_tables(const std::map<std::string, Bytes>& files) {
  const Error incomplete{ErrorCode::corrupt, "the checkpoint's files are not complete"};
  SimTables tables;
  std::uint32_t next = 0;
  bool is_whole = true;
  for (const auto& [name, bytes] : files) {
    auto part = opened(name, bytes);
    if (!part.ok()) return part.error();
    if (is_whole) {
      tables.names.push_back(part.value().name);
      tables.tables.push_back(std::make_shared<SimTables::Map>());
      next = 0;
    }
    if (part.value().table + 1 != tables.names.size() || part.value().number != next++) return incomplete;
    for (const Row& row : part.value().rows)
      tables.tables.back()->emplace(Bytes(row.key.view()),
                                    std::make_shared<const Bytes>(Bytes(row.value.view())));
    is_whole = part.value().is_last;
  }
  if (!is_whole || tables.names.empty()) return incomplete;
  return tables;
}

}  // namespace troupe
