#pragma once
// Pages of lists, and the cursors between them.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/json/writer.hpp"
#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::api {

/// Lists are ordered by this: creation, then id.
struct SortKey {
  Instant created;
  std::array<std::uint8_t, 16> id{};
  friend auto operator<=>(const SortKey&, const SortKey&) = default;
};
inline SortKey sort_key(const JobRecord& job) { return {job.created, job.id.bytes}; }
inline SortKey sort_key(const TaskRecord& task) { return {task.created(), task.id.bytes}; }
SortKey sort_key(const HostRecord& host);              ///< by its number
HostId host_of(const SortKey& key);                    ///< whose it is
std::string encode_cursor(const SortKey& key);         ///< base64 of id@timestamp
Result<SortKey> decode_cursor(std::string_view text);  ///< errors: invalid_argument

constexpr std::uint32_t page_size_default = 10;
constexpr std::uint32_t page_size_max = 5000;
struct Paging {
  std::uint32_t page = 0;
  std::uint32_t page_size = page_size_default;
  std::optional<SortKey> after;  ///< the cursor; wins over page
  friend bool operator==(const Paging&, const Paging&) = default;
};
/// The part [begin, end) of a sorted list, and what is said about it.
struct Page {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t total = 0;
  Paging asked;
  std::string cursor;  ///< of the last item; empty for an empty page
  bool has_more() const { return end < total; }
};
/// Of the keys in ascending order; they come in any, and afterwards the page's stand in theirs at [begin,
/// end). The page starts after the item at or immediately before the cursor.
Page select_page(std::vector<SortKey>& keys, const Paging& paging);
/// The same where nobody has all keys: the page's are `keys`, and so many stand before them.
Page page_of(const std::vector<SortKey>& keys, std::size_t before, std::size_t total, const Paging& paging);
/// {currentPage{pageNumber, pageSize}, hasMore, totalPages, totalItems, cursor, cursorPosition}
void pagination_json(json::Writer& writer, const Page& page);

}  // namespace troupe::api
