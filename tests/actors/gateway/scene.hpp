#pragma once
// The gateway's surroundings in one thread: a real state, and a replica and a post that do what a test tells
// them.

#include <caf/all.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/gateway/gateway_actor.hpp"
#include "actors/operations/backup_actor.hpp"
#include "net/json/value.hpp"
#include "tests/storage/state/cell.hpp"

namespace troupe {

class SceneClock final : public Clock {
 public:
  Instant wall() const override { return {1'800'000'000'000 + ms}; }
  Moment steady() const override { return {ms * 1'000'000}; }
  std::int64_t ms = 0;
};

/// What a client sees of one answer.
struct Seen {
  std::string method, target;  ///< what was asked
  http::Response response;
  bool answered = false;
  bool opened = false;
  bool finished = false;
  bool cut = false;           ///< an open stream dropped without its end
  bool reads_slowly = false;  ///< set by the test: takes nothing until take()
  bool gone = false;          ///< set by the test
  std::string body;           ///< of a stream
  std::size_t chunks = 0;
  std::function<void()> on_close;
  std::function<void()> on_drained;

  void take();   ///< the slow reader takes all that is written
  void leave();  ///< the client goes away
  std::string_view header(std::string_view name) const;
  std::string code() const;                ///< of an error
  json::Value json() const;                ///< the body; must be JSON
  std::vector<std::string> names() const;  ///< of a stream's frames, in order
  std::vector<std::string> ids() const;
};
using SeenPtr = std::shared_ptr<Seen>;

class Scene {
 public:
  explicit Scene(const std::function<void(NodeContext&)>& change = {});
  ~Scene();

  SeenPtr call(std::string_view method, std::string_view target, std::string body = {},
               http::Headers headers = {});
  SeenPtr get(std::string_view target, http::Headers headers = {}) {
    return call("GET", target, {}, std::move(headers));
  }
  /// As call(), but nothing runs yet.
  SeenPtr start(std::string_view method, std::string_view target, std::string body = {},
                http::Headers headers = {}, bool reads_slowly = false);
  void run();                       ///< until nobody has anything to do
  void advance(milliseconds wait);  ///< in ticks of 100 ms
  /// Entries are applied, but the gateway does not hear of them until told.
  void hold_applied() { holds_applied = true; }
  void tell_applied();

  std::optional<std::string> certificate;  ///< the subject that callers have proved to be
  bool asks_for_certificate = false;       ///< the server, of its callers

  SceneClock clock;
  Cell cell;
  ContextPtr context = std::make_shared<NodeContext>();

  // ---- the replica ----
  enum class Replica { works, silent, fails };
  Replica replica_does = Replica::works;
  Error replica_error{ErrorCode::unavailable, "no leader at the moment; try again"};
  std::vector<Propose> proposed;
  std::size_t reads_awaited = 0;
  // ---- the post ----
  std::deque<Ask> asked;              ///< not answered yet
  void answer(const Answer& answer);  ///< the oldest question
  void answer(const agent::CallAnswer& said) { answer(Answer::of(packed(said))); }

  // ---- the backups ----
  std::deque<AskBackup> backups_asked;  ///< not answered yet
  void answer_backup(const Answer& answer);

  bool holds_applied = false;
  caf::actor gateway;

 private:
  void on_propose(const Propose& request);
  void on_read(const AwaitRead& request);

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<AppliedPtr> untold_;
  caf::actor replica_;
  caf::actor post_;
  caf::actor backups_;
};

/// A job as a user writes it.
std::string job_body(std::string_view application = "app", int size = 1);

}  // namespace troupe
