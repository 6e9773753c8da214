#pragma once
// Which node an agent dials next, and when.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/random.hpp"
#include "storage/base/time.hpp"

namespace troupe::agent {

struct LinkTimes {
  milliseconds back_off_min{50};
  milliseconds back_off_max{5'000};
  /// After a live node named one that does not answer: its shards move soon.
  milliseconds redirect_wait{500};
  /// After a live node named the one that failed last: it is asked again, then after twice as long.
  milliseconds doubt_wait{100};
  /// Without an answer to the dial. The kernel of a stopped process takes it still.
  milliseconds dial_max{2'000};
  milliseconds greet_max{10'000};  ///< from link up to welcome, redirect or refusal
};

/// One link at a time, numbered by its dial. Pure; owned by the agent core. Nothing of it survives a restart.
class LinkPlan {
 public:
  //   waiting ──> dialling ──> greeting ──> welcomed
  //      ^___________|____________|____________|        redirected: greeting or welcomed ──> dialling
  enum class Phase : std::uint8_t { waiting, dialling, greeting, welcomed };
  struct Attempt {
    std::uint64_t dial = 0;
    std::string address;
  };

  /// `bootstrap`: at least one address.
  LinkPlan(std::vector<std::string> bootstrap, LinkTimes times);

  /// Goes round the bootstrap addresses, past the one that failed last.
  Attempt dial_next(Moment now);
  void up(Moment now);
  /// A node that answers with a redirect ends the growth of the back-off, whatever comes of it.
  void down(Moment now, Random& random);
  /// Nothing, and a pause, beyond redirects_max in a row: nodes that send each other's agents in circles are
  /// left for a while. The same, doubts_max times, while the node is named that failed last: were it dialled
  /// and hung, this agent would not hear that its shards have moved.
  std::optional<Attempt> redirected(Moment now, const std::string& address, Random& random);
  void welcomed();
  /// Waits the longest back-off: dialling again soon would not help.
  void refused(Moment now, Random& random);
  /// Is something due? The caller then dials next or gives the link up, depending on the phase.
  bool is_due(Moment now) const { return deadline_ && *deadline_ <= now; }

  Phase phase() const { return phase_; }
  std::uint64_t dial() const { return dial_; }
  bool is_current(std::uint64_t dial) const { return dial == dial_ && phase_ != Phase::waiting; }
  const std::string& address() const { return address_; }
  std::optional<Moment> deadline() const { return deadline_; }

  static constexpr std::uint32_t redirects_max = 8;
  static constexpr std::uint32_t doubts_max = 4;

 private:
  Attempt dial_to(Moment now, const std::string& address);
  void wait(Moment now, milliseconds longest, Random& random);

  std::vector<std::string> bootstrap_;
  LinkTimes times_;
  Phase phase_ = Phase::waiting;
  std::uint64_t dial_ = 0;
  std::string address_;
  std::string failed_;        ///< the address that failed last; empty: none since the last welcome
  bool passed_over_ = false;  ///< failed_ was, when its turn came
  std::size_t next_bootstrap_ = 0;
  std::uint32_t failures_ = 0;   ///< in a row
  std::uint32_t redirects_ = 0;  ///< in a row
  std::uint32_t doubts_ = 0;     ///< of failed_
  std::optional<Moment> deadline_;
};

}  // namespace troupe::agent
