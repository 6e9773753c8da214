#pragma once

#include <map>
#include <optional>

#include "actors/gateway/services.hpp"
#include "storage/state/reads.hpp"

namespace troupe::gateway {

constexpr std::uint32_t log_read_bytes_max = 64 * 1024;
constexpr milliseconds log_wait{2'000};       ///< how long an agent waits for more output of a followed log
constexpr milliseconds log_retry_after{500};  ///< after a failed read
constexpr milliseconds log_start_patience{5'000};   ///< for the first bytes; then 503
constexpr milliseconds log_read_time_max{600'000};  ///< of a log that is not followed
constexpr milliseconds log_follow_time_max{
    3'600'000};  ///< then the stream is cut; ask again at the offset reached

/// All logs that are being read through a node. Owned by the gateway actor; one thread.
///
/// Bytes come in pieces, each asked of the node that holds the link of the task's host, and only after the
/// reader has taken the piece before. The offset moves with what was written, so a failed or lost read is
/// repeated at the same offset: nothing is lost and nothing comes twice.
///
///   placing ──> asking ──> draining ──> asking ...        placing: not on a host yet; its events end the
///   wait
///     ^           └──> pausing ──> asking                 pausing: a read failed, or there was nothing new
///     └───────────────────┘
class LogStreams {
 public:
  explicit LogStreams(Services& services) : services_(services) {}

  void open(const CallPtr& call);
  void on_applied(const Applied& applied);
  void on_signal(std::uint64_t id, StreamSignal signal);
  void on_tick(Moment now);
  std::size_t size() const { return readers_.size(); }

 private:
  enum class Stage : std::uint8_t { placing, asking, draining, pausing };
  struct Reader {
    CallPtr call;          ///< until the answer is open
    http::ReplyPtr reply;  ///< from then on
    TaskId task;
    HostId host;
    TaskState asked_in = TaskState::accepted;  ///< the task's state at the last question
    agent::LogStream stream = agent::LogStream::standard_output;
    bool follow = false;
    std::uint64_t offset = 0;
    std::uint64_t left = UINT64_MAX;  ///< bytes until the reader's limit
    Stage stage = Stage::placing;
    std::uint64_t question = 0;  ///< the one under way; older answers are dropped
    Moment again;                ///< pausing
    Moment deadline;
    Moment start_deadline;
    Error last_error{};
  };
  using Readers = std::map<std::uint64_t, Reader>;

  Result<Reader> parse(const CallPtr& call) const;
  void begin(Reader reader);
  void step(Readers::iterator at);
  void ask(Readers::iterator at, NodeId node);
  void on_told(std::uint64_t id, std::uint64_t question, const Result<Bytes>& told);
  void on_data(Readers::iterator at, const agent::CallAnswer& answer);
  void on_error(Readers::iterator at, const Error& error);
  void pause(Readers::iterator at, milliseconds wait);
  void open_answer(Readers::iterator at);
  void finish(Readers::iterator at);
  void fail(Readers::iterator at, const Error& error);
  void erase(Readers::iterator at);
  Moment now() const { return services_.node().clock->steady(); }
  const Reads& reads() const { return services_.node().reads(); }

  Services& services_;
  Readers readers_;
  std::uint64_t questions_ = 0;
};

}  // namespace troupe::gateway
