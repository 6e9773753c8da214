#pragma once

#include <map>
#include <optional>

#include "actors/gateway/event_ring.hpp"
#include "actors/gateway/frame_cache.hpp"
#include "actors/gateway/places.hpp"
#include "actors/gateway/services.hpp"
#include "actors/gateway/stream_filter.hpp"
#include "storage/state/reads.hpp"

namespace troupe::gateway {

constexpr milliseconds keep_alive_every{10'000};
constexpr std::size_t stream_chunk_bytes =
    64 * 1024;  ///< written at once, about; then the reader must have taken it
constexpr std::size_t stream_chunk_items = 100;
constexpr std::size_t stream_cache_bytes = 8 << 20;  ///< frames of the newest events, for all streams
constexpr milliseconds stream_patience{60'000};      ///< for a reader that takes nothing of what was written

/// All open event streams of a node. Owned by the gateway actor; one thread.
///
/// A stream is a position in the log of events, moved at its reader's pace. It begins with a snapshot (unless
/// it resumes), made page by page from the present state, at the position P that the ring had when it began;
/// then come all events after P. Nothing after P is left out or sent twice, and ids strictly increase. The
/// snapshot's pages may be newer than P, and so may the entity that a delta carries: a fact may describe what
/// the reader has already seen. As each entity stands whole in its frame, with its version, readers converge
/// by keeping the highest version. The snapshot's frames have no id of their own: a reader that loses the
/// stream in the middle of it begins anew.
///
/// Who is so slow that its position leaves the ring is told so (cutOff, without an id) and cut, and gets a
/// new snapshot when it comes back. Who takes nothing at all for `stream_patience` is cut without a word.
class EventStreams {
 public:
  EventStreams(Services& services, Index begin);

  /// Answers the call with a stream of the cell, or of the jobs and tasks that the query's criteria name.
  void open(const CallPtr& call, const api::Query& query);
  /// Of one job; it ends after the job's last event.
  void open_job(const CallPtr& call, const JobId& job, api::Consistency consistency);

  void on_applied(const Applied& applied);
  void on_signal(std::uint64_t id, StreamSignal signal);
  void on_tick(Moment now);
  std::size_t size() const { return streams_.size(); }

 private:
  enum class Part : std::uint8_t { jobs, tasks, marker, events };
  struct Stream {
    http::ReplyPtr reply;
    std::optional<JobId> job;
    std::optional<StreamFilter> filter;  ///< unset: everything
    Part part = Part::jobs;
    EventId position;            ///< all events up to here are in the snapshot or were sent
    PageStart<JobId> jobs_from;  ///< of a cell's snapshot
    PageStart<TaskId> tasks_from;
    std::vector<TaskRecord> tasks_left;  ///< of the snapshot of jobs, the last one next
    std::vector<JobId> jobs_left;        ///< of which more tasks are to come
    bool is_draining = false;
    bool is_cut = false;  ///< when what is being written has been taken
    bool ends = false;    ///< after what is being written
    Moment written;
  };
  using Streams = std::map<std::uint64_t, Stream>;

  void start(const CallPtr& call, api::Consistency consistency, Stream stream);
  void begin(const CallPtr& call, Stream stream, std::optional<EventId> resume);
  Result<void> begin_job(Stream& stream, std::optional<EventId> resume);
  void add_live_tasks_of(Stream& stream, const JobId& job);
  void cut(Streams::iterator at, std::string_view why);
  void pump(Streams::iterator at);
  std::string next_chunk(Stream& stream);
  void add_jobs(Stream& stream, std::string& chunk);
  void add_job(Stream& stream, std::string& chunk);
  void add_tasks(Stream& stream, std::string& chunk);
  void add_events(Stream& stream, std::string& chunk);
  std::string frame_of(const Event& event, Places& places);
  const Reads& reads() const { return services_.node().reads(); }

  Services& services_;
  EventRing ring_;
  FrameCache frames_{stream_cache_bytes};
  Streams streams_;
};

}  // namespace troupe::gateway
