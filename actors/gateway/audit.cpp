#include <algorithm>

#include "actors/gateway/handlers.hpp"
#include "net/api/audit_json.hpp"
#include "net/api/members.hpp"

namespace troupe::gateway {
namespace {

constexpr std::size_t block = 500;            // records read at once
constexpr std::size_t examined_max = 50'000;  // of one request; then it answers what it has, and a cursor

struct Found {
  std::vector<AuditRecord> records;
  std::uint64_t last_seen = 0;  ///< ordinal; where the next page goes on
  bool has_more = false;
};

/// The ordinals [first, last] that the page may be taken from.
struct Range {
  std::uint64_t first = 1, last = 0;
  bool is_empty() const { return first > last; }
};

Range range_of(const api::AuditQuery& query, const AuditHead& head) {
  Range range{head.first, head.last};
  if (!query.after) return range;
  if (query.oldest_first)
    range.first = std::max(range.first, *query.after + 1);
  else
    range.last = std::min(range.last, *query.after == 0 ? 0 : *query.after - 1);
  return range;
}

/// The range's next block, in the order asked for; takes it off the range.
Result<std::vector<AuditRecord>> take_block(const Reads& reads, bool oldest_first, Range& range) {
  const std::uint64_t size = std::min<std::uint64_t>(block, range.last - range.first + 1);
  const std::uint64_t from = oldest_first ? range.first : range.last - size + 1;
  auto records = reads.audit(from, size);
  if (!records.ok()) return records;
  // One that is forgotten or made meanwhile shifts what is read: only what was asked for counts.
  std::erase_if(records.value(), [&](const AuditRecord& r) { return r.ordinal > from + size - 1; });
  if (!oldest_first) std::reverse(records.value().begin(), records.value().end());
  if (oldest_first)
    range.first += size;
  else
    range.last -= size;
  return records;
}

Result<Found> find(const Reads& reads, const api::AuditQuery& query, const AuditHead& head) {
  Found found;
  Range range = range_of(query, head);
  for (std::size_t examined = 0; !range.is_empty() && examined < examined_max; examined += block) {
    auto records = take_block(reads, query.oldest_first, range);
    if (!records.ok()) return records.error();
    for (AuditRecord& record : records.value()) {
      if (found.records.size() == query.page_size) {
        found.has_more = true;
        return found;
      }
      found.last_seen = record.ordinal;
      if (api::matches(query, record)) found.records.push_back(std::move(record));
    }
  }
  found.has_more = !range.is_empty();
  return found;
}

}  // namespace

http::Response list_audit(const NodeContext& node, const Call& call) {
  const auto query = api::parse_audit_query(call.request);
  if (!query.ok()) return http::error_response(query.error());
  const AuditHead head = node.reads().audit_head();
  const auto found = find(node.reads(), query.value(), head);
  if (!found.ok()) return http::error_response(found.error());
  json::Writer writer;
  writer.begin_object();
  writer.key("items");
  writer.begin_array();
  for (const AuditRecord& record : found.value().records) api::audit_json(writer, record);
  writer.end_array();
  writer.key("hasMore");
  writer.boolean(found.value().has_more);
  api::text_json(writer, "cursor",
                 found.value().last_seen == 0 ? "" : std::to_string(found.value().last_seen));
  writer.key("head");
  writer.begin_object();
  api::text_json(writer, "first", std::to_string(head.first));
  api::text_json(writer, "last", std::to_string(head.last));
  api::text_json(writer, "chain", head.chain);
  writer.end_object();
  writer.end_object();
  return http::json_response(200, writer.take());
}

}  // namespace troupe::gateway
