#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace troupe::cli {

/// One server-sent event.
struct SseEvent {
  std::string id;
  std::string name;
  std::string data;
};

/// Cuts a stream of bytes into events (WHATWG HTML, section 9.2.6; "retry" is not used). Pure.
class SseReader {
 public:
  /// A frame beyond this is not ours: the reader refuses from then on.
  static constexpr std::size_t frame_bytes_max = 16 * 1024 * 1024;
  /// Calls `visit` for each event that is complete, until it answers false.
  /// Answers false when the stream is not to be read on.
  bool feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& visit);

 private:
  bool take_line(std::string_view line, const std::function<bool(const SseEvent&)>& visit);

  std::string pending_;
  SseEvent event_;
};

}  // namespace troupe::cli
