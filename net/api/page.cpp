#include "net/api/page.hpp"

#include <algorithm>

#include "net/api/base64.hpp"
#include "net/api/reading.hpp"

namespace troupe::api {

SortKey sort_key(const HostRecord& host) {
  SortKey key;
  for (std::size_t byte = 0; byte < sizeof host.id.value; ++byte)
    key.id[byte] = static_cast<std::uint8_t>(host.id.value >> (8 * (sizeof host.id.value - 1 - byte)));
  return key;
}

std::string encode_cursor(const SortKey& key) {
  return base64_text(uuid_text(key.id) + '@' + std::to_string(key.created.ms));
}

HostId host_of(const SortKey& key) {
  HostId id;
  for (std::size_t byte = 0; byte < sizeof id.value; ++byte) id.value = id.value << 8 | key.id[byte];
  return id;
}

Result<SortKey> decode_cursor(std::string_view text) {
  const Error refusal{ErrorCode::invalid_argument, "is no cursor: send back the one of the page before"};
  const auto bytes = base64_bytes(text);
  const auto at = bytes ? bytes->find('@') : std::string::npos;
  if (at == std::string::npos) return refusal;
  const auto id = uuid_bytes(std::string_view(*bytes).substr(0, at));
  const auto created = integer_of(std::string_view(*bytes).substr(at + 1));
  if (!id.ok() || !created) return refusal;
  return SortKey{Instant{*created}, id.value()};
}

Page select_page(std::vector<SortKey>& keys, const Paging& paging) {
  Page page;
  page.total = keys.size();
  page.asked = paging;
  const std::size_t size = paging.page_size;
  if (paging.after)
    page.begin = static_cast<std::size_t>(
        std::count_if(keys.begin(), keys.end(), [&](const SortKey& key) { return key <= *paging.after; }));
  else
    page.begin = std::min(keys.size(), paging.page * size);
  page.end = std::min(keys.size(), page.begin + size);
  const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(page.begin);
  const auto end = keys.begin() + static_cast<std::ptrdiff_t>(page.end);
  if (begin == end) return page;
  std::nth_element(keys.begin(), begin, keys.end());
  std::nth_element(begin, end, keys.end());
  std::sort(begin, end);
  page.cursor = encode_cursor(*(end - 1));
  return page;
}

Page page_of(const std::vector<SortKey>& keys, std::size_t before, std::size_t total, const Paging& paging) {
  Page page;
  page.asked = paging;
  page.begin = before;
  page.end = before + keys.size();
  page.total = std::max(total, page.end);
  if (!keys.empty()) page.cursor = encode_cursor(keys.back());
  return page;
}

void pagination_json(json::Writer& writer, const Page& page) {
  const std::size_t size = page.asked.page_size;
  writer.begin_object();
  writer.key("currentPage");
  writer.begin_object();
  writer.key("pageNumber");
  writer.uint(page.asked.after ? page.begin / size : page.asked.page);
  writer.key("pageSize");
  writer.uint(size);
  writer.end_object();
  writer.key("hasMore");
  writer.boolean(page.has_more());
  writer.key("totalPages");
  writer.uint((page.total + size - 1) / size);
  writer.key("totalItems");
  writer.uint(page.total);
  writer.key("cursor");
  writer.text(page.cursor);
  writer.key("cursorPosition");
  writer.uint(page.begin < page.end ? page.end - 1 : 0);
  writer.end_object();
}

}  // namespace troupe::api
