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
  milliseconds redirect_wait{
      500};                      ///< after a live node named one that does not answer: its shards move soon
  milliseconds dial_max{2'000};  ///< without an answer to the dial: a stopped process' kernel takes it still
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

  /// Goes round the bootstrap addresses, past the one whose link was lost last.
  Attempt dial_next(Moment now);
  void up(Moment now);
  /// A node that answers with a redirect ends the growth of the back-off, whatever comes of it.
  void down(Moment now, Random& random);
  /// Nothing beyond redirects_max in a row: nodes that send each other's agents in circles are left for a
  /// while.
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

 private:
  Attempt dial_to(Moment now, const std::string& address);
  void wait(Moment now, milliseconds longest, Random& random);

  std::vector<std::string> bootstrap_;
  LinkTimes times_;
  Phase phase_ = Phase::waiting;
  std::uint64_t dial_ = 0;
  std::string address_;
  std::string lost_;  ///< that had welcomed this agent; empty: none, or it was passed over already
  std::size_t next_bootstrap_ = 0;
  std::uint32_t failures_ = 0;   ///< in a row
  std::uint32_t redirects_ = 0;  ///< in a row
  std::optional<Moment> deadline_;
};

}  // namespace troupe::agent
