// What a public Cluster tells of its past.

#include <algorithm>

#include "cmd/embedded/cluster_impl.hpp"

namespace troupe::embedded {
namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// "+12.345s" since the cluster began.
std::string since(Instant at, Instant began) {
  const std::int64_t ms = (at - began).count();
  const std::string digits = std::to_string(ms < 0 ? -ms : ms);
  const std::string padded_digits = digits.size() < 4 ? std::string(4 - digits.size(), '0') + digits : digits;
  const std::size_t point = padded_digits.size() - 3;
  return (ms < 0 ? "-" : "+") + padded_digits.substr(0, point) + "." + padded_digits.substr(point) + "s";
}

std::vector<std::uint32_t> nodes_in(std::uint64_t told_by) {
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t n = 1; n < 64; ++n)
    if ((told_by >> n & 1) != 0) nodes.push_back(n);
  return nodes;
}

std::string line_of(const BookEntry& entry, Instant began) {
  const std::string when = padded(since(entry.at, began), 12);
  if (entry.id == EventId{}) return when + "*** " + entry.text;
  const std::string id = to_text(entry.id.index) + "." + std::to_string(entry.id.ordinal);
  std::string nodes;
  for (const std::uint32_t node : nodes_in(entry.told_by)) nodes += " " + std::to_string(node);
  return when + padded(id, 10) + padded(entry.text, 64) + " nodes" + nodes;
}

/// A hundred shards that move at once are one line.
std::vector<BookEntry> gathered(std::vector<BookEntry> entries) {
  std::vector<BookEntry> lines;
  std::size_t alike = 0;
  for (BookEntry& entry : entries) {
    const std::size_t arrow = entry.text.find("->");
    const bool joins = entry.kind == "shardAssigned" && !lines.empty() && lines.back().kind == entry.kind &&
                       lines.back().id.index == entry.id.index && lines.back().told_by == entry.told_by &&
                       lines.back().text.ends_with(entry.text.substr(arrow));
    alike = joins ? alike + 1 : 1;
    if (joins)
      lines.back().text = std::to_string(alike) + " shards " + entry.text.substr(arrow);
    else
      lines.push_back(std::move(entry));
  }
  return lines;
}

}  // namespace

void Cluster::note(std::string text) { impl_->book.add_line("note", impl_->world->now(), std::move(text)); }

std::vector<HistoryEvent> Cluster::history(std::string_view entity) const {
  std::vector<HistoryEvent> events;
  for (BookEntry& entry : impl_->book.entries(entity))
    events.push_back({entry.id.index.value, entry.id.ordinal, Time(milliseconds(entry.at.ms)),
                      nodes_in(entry.told_by), std::move(entry.kind), std::move(entry.job),
                      std::move(entry.task), std::move(entry.text)});
  return events;
}

std::string Cluster::timeline(std::string_view entity, std::size_t lines_max) const {
  const std::vector<BookEntry> entries = gathered(impl_->book.entries(entity));
  // Faults from before the entity was there are not its own.
  std::size_t first = 0;
  if (!entity.empty())
    while (first < entries.size() && entries[first].id == EventId{}) ++first;
  const std::size_t count = entries.size() - first;
  std::string text;
  if (count > lines_max) text = "... " + std::to_string(count - lines_max) + " earlier lines\n";
  for (std::size_t n = entries.size() - std::min(count, lines_max); n < entries.size(); ++n)
    text += line_of(entries[n], impl_->began) + "\n";
  return text + padded(since(impl_->world->now(), impl_->began), 12) + "now\n";
}

}  // namespace troupe::embedded
