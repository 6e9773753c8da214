#pragma once
// A console in one thread: a real state and a real directory; a replica that applies what is proposed, and a
// post that a test speaks for.

#include <caf/all.hpp>
#include <deque>
#include <memory>
#include <string>

#include "actors/console/console_actor.hpp"
#include "net/json/value.hpp"
#include "tests/storage/base/standing_clock.hpp"
#include "tests/storage/state/cell.hpp"

namespace troupe {

/// Whether the directory is ours, or one that is too busy to answer.
enum class Directory : std::uint8_t { real, silent };

class ConsoleStage {
 public:
  explicit ConsoleStage(Directory directory = Directory::real);
  ~ConsoleStage();

  /// What the console answers; must have been answered when all is done and `wait` has passed.
  Result<Bytes> ask(const std::string& command, milliseconds wait = milliseconds(0));
  json::Value told(const std::string& command);  ///< must be JSON
  /// Asks, but the answer comes when the post has been spoken for.
  void start(const std::string& command);
  std::optional<Result<Bytes>> answered() const { return answered_; }
  void answer_owner(const Answer& answer);
  void run();
  void advance(milliseconds wait);
  /// Gives a shard to another node.
  void give_away(ShardId shard, NodeId owner);

  StandingClock clock;
  Cell cell;
  ContextPtr context = std::make_shared<NodeContext>();
  std::deque<Ask> asked_owner;

 private:
  void tell_applied(const Applied& applied);
  caf::actor spawn_idle();

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  MeetNode node_;
  caf::actor asker_;
  std::optional<Result<Bytes>> answered_;
};

// ---- looking into answers ----
std::string text_in(const json::Value& value, std::string_view path);  ///< "a/0/b"; "" if there is none
std::size_t count_in(const json::Value& value, std::string_view path);

}  // namespace troupe
