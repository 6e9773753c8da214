#include "cmd/troupe/cli_sse.hpp"

namespace troupe::cli {

bool SseReader::feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& visit) {
  if (pending_.size() + event_.data.size() + bytes.size() > frame_bytes_max) return false;
  pending_.append(bytes);
  std::size_t begin = 0;
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
    std::string_view line = std::string_view(pending_).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (!take_line(line, visit)) return false;
  }
  pending_.erase(0, begin);
  return true;
}

bool SseReader::take_line(std::string_view line, const std::function<bool(const SseEvent&)>& visit) {
  if (line.empty()) {
    const SseEvent event{event_.id, std::move(event_.name), std::move(event_.data)};
    event_.name.clear();
    event_.data.clear();
    return event.data.empty() || visit(event);
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id") event_.id = value;
  if (name == "event") event_.name = value;
  if (name == "data") event_.data.append(event_.data.empty() ? "" : "\n").append(value);
  return true;
}

}  // namespace troupe::cli
