#include "storage/model/ports.hpp"

#include <charconv>
#include <optional>

namespace troupe {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

std::uint64_t size_of(const PortRange& range) { return std::uint64_t{range.last} - range.first + 1; }

std::uint16_t port_at(const PortRanges& ranges, std::uint64_t place) {
  auto at = ranges.begin();
  for (; place >= size_of(*at); ++at) place -= size_of(*at);
  return static_cast<std::uint16_t>(at->first + place);
}

}  // namespace

Result<PortRanges> parse_ports(std::string_view text) {
  PortRanges ranges;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const auto range = parse_range(text.substr(0, comma));
    if (!range || (!ranges.empty() && range->first <= ranges.back().last))
      return Error{ErrorCode::invalid_argument,
                   "must be ports of 1 to 65535 in rising order, as 8080,20000-29999"};
    ranges.push_back(*range);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return ranges;
}

PortRanges ports_of(const StringMap& attributes) {
  const auto found = attributes.find(std::string(ports_attribute));
  if (found == attributes.end()) return {};
  auto ranges = parse_ports(found->second);
  return ranges.ok() ? std::move(ranges).value() : PortRanges{};
}

std::int64_t port_count(const PortRanges& ranges) {
  std::int64_t sum = 0;
  for (const PortRange& range : ranges) sum += static_cast<std::int64_t>(size_of(range));
  return sum;
}

std::vector<std::uint16_t> choose_ports(const PortRanges& ranges, const std::set<std::uint16_t>& taken,
                                        std::int64_t count, const TaskId& task) {
  const auto all = static_cast<std::uint64_t>(port_count(ranges));
  std::uint64_t mixed = 0;
  for (const std::uint8_t byte : task.bytes) mixed = (mixed ^ byte) * 1'099'511'628'211ULL;
  const std::uint64_t start = all == 0 ? 0 : (mixed >> 16) % all;
  std::vector<std::uint16_t> chosen;
  for (std::uint64_t n = 0; n < all && static_cast<std::int64_t>(chosen.size()) < count; ++n)
    if (const std::uint16_t port = port_at(ranges, (start + n) % all); !taken.contains(port))
      chosen.push_back(port);
  return chosen;
}

}  // namespace troupe
