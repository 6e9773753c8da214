#pragma once
// May this node stamp? Its clock against the voters', as their messages tell it.

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe {

/// Both clocks at one moment, read by the shell.
struct Now {
  Moment steady;
  Instant wall;
};
inline Now now_of(const Clock& clock) { return {clock.steady(), clock.wall()}; }

/// Part of the driver; a value. The measure is the lower middle of the clocks heard lately, this one among
/// them: one wild clock of three is never the measure, some node always agrees with it, and where two
/// clocks differ and no third is heard the earlier one counts, because a stamp too late cannot be taken back.
///
/// A message's delay makes its clock look late, never early: the best of the last seconds counts. When no
/// other clock is heard any more, the last measure counts as one for `fresh`: a stall may hide a leap, but
/// not from steady time. For longer it would keep nodes apart whose clocks were all set together. Nor does
/// the dead count beside a majority of the living: its clock may have been the wild one, and a second wild
/// one would then be believed.
class ClockGuard {
 public:
  static constexpr milliseconds window{2'000};
  static constexpr milliseconds recent{2'000};  ///< while most are heard within this, older news do not count
  static constexpr milliseconds fresh{10'000};  ///< older news of a clock never count
  /// A message may have been on its way for as long as the one that it answers was sent ago: beyond this it
  /// says nothing about a clock.
  static constexpr milliseconds late_max{1'000};

  explicit ClockGuard(milliseconds leap_max) : leap_max_(leap_max) {}

  static milliseconds offset(Instant wall, Moment at);  ///< wall less steady time

  /// `sent`: the sender's steady time, from a beginning of its own. A wall clock that goes another way than
  /// it was set: what it said before does not count any more.
  void heard(NodeId peer, Instant wall, Moment sent, Moment at);
  /// Now and then, for the time when nobody is heard.
  void remember(NodeId self, Now now, std::span<const NodeId> voters);
  /// After a stall: what was queued meanwhile tells old times.
  void forget() { heard_.clear(); }
  /// Does this node's clock differ too much from the measure?
  bool has_leapt(NodeId self, Now now, std::span<const NodeId> voters) const;
  /// The same of another's clock, as far as it is known.
  bool differs(NodeId peer, NodeId self, Now now, std::span<const NodeId> voters) const;
  /// Wall less steady time, as that peer has it now; nullopt: not heard lately.
  std::optional<milliseconds> offset_of(NodeId peer, Moment now) const;
  bool is_far(milliseconds offset, milliseconds from) const;
  /// The measure.
  milliseconds middle(NodeId self, Now now, std::span<const NodeId> voters) const;

 private:
  struct Heard {
    milliseconds offset{0};  ///< wall less steady, the largest of this window
    milliseconds before{0};  ///< and of the one before
    milliseconds set{
        0};  ///< wall less the sender's own steady time: whatever the delay, only setting changes it
    Moment since, last;
  };
  /// Of this node, and of the voters that were heard lately.
  std::vector<milliseconds> offsets(NodeId self, Now now, std::span<const NodeId> voters) const;
  std::vector<milliseconds> offsets_within(milliseconds age, NodeId self, Now now,
                                           std::span<const NodeId> voters) const;
  std::optional<milliseconds> offset_within(milliseconds age, NodeId peer, Moment now) const;

  milliseconds leap_max_;
  std::map<NodeId, Heard> heard_;
  std::optional<milliseconds> last_measure_;  ///< when another clock was heard
  std::optional<Moment> alone_since_;         ///< unset: another was, when it was remembered last
};

}  // namespace troupe
