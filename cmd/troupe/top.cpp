#include "cmd/troupe/top.hpp"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <ostream>
#include <sstream>
#include <stop_token>
#include <thread>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_interrupt.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/top_look.hpp"
#include "cmd/troupe/top_screen.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds every_min{200};
constexpr std::size_t text_width = 200;  ///< of a picture as text

/// Asks the cell on a thread of its own, so that keys are heeded while a node is silent.
class Lookout {
 public:
  Lookout(const Context& context, milliseconds every)
      : io_{.out = said_,
            .err = said_,
            .in = context.io.in,
            .pause = context.io.pause,
            .environment = context.io.environment,
            .clock = context.io.clock},
        context_{io_, context.options, context.others},
        every_(every),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  /// What to ask from now on; at once if it is new or `now` says so.
  void wish(const TopWish& wish, bool now, bool is_held) {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    if (wish == wish_ && !now) return;
    wish_ = wish;
    is_due_ = true;
    changed_.notify_all();
  }
  std::optional<TopAnswer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::optional<TopWish> wish;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, every_, [this] { return is_due_; });
        if (stop.stop_requested()) return;
        if (!wish_ || (is_held_ && !is_due_)) continue;
        is_due_ = false;
        wish = wish_;
      }
      if (context_.others.empty()) learn_others(context_);
      TopAnswer answer = look_for_top(context_, *wish);
      const std::lock_guard lock(mutex_);
      answer_ = std::move(answer);
    }
  }

  std::ostringstream said_;  ///< which node is attached now: the picture tells it, too
  Surroundings io_;
  Context context_;  ///< the thread's
  const milliseconds every_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<TopWish> wish_;
  std::optional<TopAnswer> answer_;
  bool is_due_ = false, is_held_ = false;
  std::jthread thread_;
};

int watch(Context& context, TopCore& core, milliseconds every) {
  const InterruptGuard guard(context.io.signals, [] {});
  Lookout lookout(context, every);
  TopScreen screen;
  while (!core.is_over() && !guard.was_interrupted()) {
    lookout.wish(core.wish(), core.wants_look(), core.is_held());
    if (auto answer = lookout.take()) core.take(std::move(*answer));
    const auto [width, height] = screen.size();
    screen.show(core.draw(width, height, context.io.clock.wall()));
    if (const auto stroke = screen.key()) core.press(*stroke);
  }
  return exit_ok;
}

int picture(Context& context, TopCore& core) {
  TopAnswer answer = look_for_top(context, core.wish());
  if (answer.problem) return report(context.io.err, *answer.problem);
  const std::size_t lines = answer.rows.size() + answer.head.size() + 3;
  core.take(std::move(answer));
  for (const TopLine& line : core.draw(text_width, lines, context.io.clock.wall()))
    context.io.out << line.text << '\n';
  return exit_ok;
}

}  // namespace

int top(Context& context, const TopArgs& args) {
  const auto view = top_view(args.view);
  const auto every = duration_of(args.every);
  if (!view || !every || *every < every_min) {
    context.io.err << (view ? "troupe: --every must be a duration from 200ms on\n"
                            : "troupe: there is no such view: nodes, actors, groups, hosts, jobs or tasks\n");
    return exit_usage;
  }
  if (!args.where.empty() && !top_views()[*view].takes_where) {
    context.io.err << "troupe: --where goes with actors, hosts, jobs and tasks\n";
    return exit_usage;
  }
  TopCore core({*view, args.where, std::string(top_views()[*view].orders.front()), {}});
  const bool is_terminal = context.io.has_person && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  return args.is_once || !is_terminal ? picture(context, core) : watch(context, core, *every);
}

}  // namespace troupe::cli
