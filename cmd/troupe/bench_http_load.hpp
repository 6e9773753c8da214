#pragma once
// Requests and streams over many plain connections of one thread, so that little of the machine is the
// client's.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

/// A request as it goes over the wire, kept alive.
std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                         std::string_view key = {});

struct LoadPlan {
  std::vector<std::uint16_t> ports;  ///< of 127.0.0.1; connections take them in turn
  std::uint32_t connections = 1;     ///< each has one request under way
  std::uint64_t requests = 0;        ///< in all; 0: as many as the time allows
  milliseconds time{0};              ///< 0: until all requests are answered
  std::uint64_t per_s = 0;  ///< begun at this pace, whatever the answers take; 0: as fast as answered
  std::function<std::string(std::uint64_t n)> request;  ///< the n-th, from 0
};
struct LoadFigures {
  std::uint64_t answers = 0;  ///< of status 2xx
  std::uint64_t refused = 0;  ///< any other
  std::string refusal;        ///< the last of these
  double seconds = 0;
  std::vector<double> ms;  ///< of each answer; at a pace from when it was due
  double per_s() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};
/// Blocks. Errors: io, when a connection fails or ends.
Result<LoadFigures> run_load(const LoadPlan& plan);

/// Event streams that are read as fast as they come. One thread.
class StreamReaders {
 public:
  StreamReaders();
  ~StreamReaders();
  StreamReaders(const StreamReaders&) = delete;
  StreamReaders& operator=(const StreamReaders&) = delete;

  Result<void> open(std::uint16_t port, std::string_view target);
  /// Reads for so long, or until `done` says so after something came.
  void read(milliseconds span, const std::function<bool()>& done = {});

  struct Reader {
    std::uint64_t events = 0;  ///< those of the snapshot and its marker included
    Moment last;               ///< when the last of them came
    bool is_cut = false;       ///< its end came, or it was told that it is cut off
  };
  const std::vector<Reader>& readers() const { return readers_; }

 private:
  void take(std::size_t reader);

  SystemClock clock_;
  int epoll_ = -1;
  std::vector<int> sockets_;
  std::vector<std::string> tails_;  ///< of what was read: a mark may come in two parts
  std::vector<Reader> readers_;
};

}  // namespace troupe::cli
