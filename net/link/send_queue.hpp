#pragma once
// What waits to be written to one link: messages corked into batches. Thread-safe; pure otherwise.

#include <cstddef>
#include <deque>
#include <mutex>

#include "storage/base/bytes.hpp"

namespace troupe::net {

/// A batch takes no further message once it has this many bytes; a larger message is a batch of its own.
constexpr std::size_t batch_bytes_max = std::size_t{64} * 1024;

class SendQueue {
 public:
  explicit SendQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  enum class Pushed {
    queued,
    wake,    ///< queued, and the caller must see to a flush: nobody else will
    full,    ///< dropped; the queue is closed from now on, and the caller must close the link
    closed,  ///< dropped
  };
  Pushed push(BytesView message);

  /// Bytes waiting and being written: the writer lets a growing queue grow.
  std::size_t bytes() const;
  /// The next batch, whose bytes count until written() is called. Empty: none; the next push answers `wake`.
  Bytes take();
  void written(std::size_t bytes);
  void close();

 private:
  mutable std::mutex mutex_;
  const std::size_t bytes_max_;
  std::deque<Bytes> batches_;
  std::size_t bytes_ = 0;  ///< waiting and being written
  bool awake_ = false;
  bool closed_ = false;
};

}  // namespace troupe::net
