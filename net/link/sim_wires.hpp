#pragma once
// The inside of SimNetwork: links as pairs of ends, and the queue of what will happen.

#include <array>
#include <map>
#include <set>
#include <vector>

#include "net/link/link_rules.hpp"
#include "net/link/sim_network.hpp"

namespace troupe::net {

struct SimNetwork::Wires {
  using LinkId = std::uint64_t;
  static constexpr std::size_t dialler = 0;
  static constexpr std::size_t acceptor = 1;

  struct End {
    PeerName owner;
    LinkKey key;  ///< as the owner names the link
    enum class State { fresh, up, ended } state = State::fresh;
    std::size_t unacked_bytes = 0;  ///< sent by this end
    bool full = false;              ///< closing because of the bound: takes nothing more
    bool broken = false;            ///< reset, but the owner has not noticed: what it sends vanishes
    Moment last_due;                ///< of what travels to this end
  };
  struct Link {
    std::array<End, 2> ends;
    std::uint64_t attempt = 0;
  };
  struct Dial {
    std::string address;
    Backoff backoff;
    std::uint64_t attempt = 0;  ///< 0: none under way
    std::uint64_t wait = 0;     ///< 0: no retry is waiting
    Moment up_since{};
  };
  struct Endpoint {
    LinkListener* listener;
    std::string address;
    bool alive = true;
    std::uint64_t incarnation = 0;  ///< of the hub object
    std::map<LinkKey, Dial> dials{};
    std::map<LinkKey, LinkId> live{};
  };
  enum class Kind : std::uint8_t { retry, give_up, arrive, answer, message, fin, break_end, silence };
  struct Event {
    Kind kind;
    LinkId link = 0;
    std::size_t to = 0;        ///< which end
    std::uint64_t number = 0;  ///< attempt, wait or cut that it belongs to
    PeerName peer{};           ///< retry, give_up: whose dial
    LinkKey key{};
    Bytes bytes{};      ///< the message, or why
    bool acks = false;  ///< the first copy of a message frees its bytes
  };

  Wires(SimNetworkConfig settings, const Clock& time)
      : config(settings), clock(time), random(settings.seed) {}

  void dial(const PeerName& self, const LinkKey& key, const std::string& address);
  void hang_up(const PeerName& self, const LinkKey& key);
  bool send(const PeerName& self, const LinkKey& key, Bytes message);
  void close(const PeerName& self);

  void perform(Event event);
  void at(Moment due, Event event);
  /// Puts an event on the wire towards one end, behind all that travels there.
  void travel(LinkId id, Event event);
  void transmit(LinkId id, std::size_t from, Bytes message);
  std::chrono::nanoseconds delay();
  std::chrono::nanoseconds extra_delay(const End& to, const End& from) const;
  bool happens(std::uint32_t per_million) { return per_million > 0 && random.below(1'000'000) < per_million; }

  Endpoint* living(const PeerName& name);
  Endpoint* at_address(const std::string& address, PeerName& name);
  bool is_cut(const PeerName& from, const PeerName& to) const { return cuts.contains({from, to}); }
  Standing standing(const Endpoint& endpoint, const LinkKey& key) const;

  void start_attempt(const PeerName& self, const LinkKey& key);
  void retry_later(const PeerName& self, const LinkKey& key);
  void fail_attempt(const PeerName& self, const LinkKey& key, std::uint64_t attempt, const std::string& why);
  void on_arrive(LinkId id, const Event& event);
  void on_answer(LinkId id);
  void on_message(LinkId id, Event event);
  void raise(LinkId id, std::size_t end);
  /// Ends one end: its owner hears of it if it was up, and redials if it dials. `tell`: a FIN travels to the
  /// other.
  enum class Tell { other, nobody };
  void end(LinkId id, std::size_t which, const std::string& why, Tell tell);
  void forget_if_over(LinkId id);
  void requeue_held(const PeerName& from, const PeerName& to);
  void note(std::string_view what, const End& end, BytesView bytes);

  const SimNetworkConfig config;
  const Clock& clock;
  Random random;
  std::map<PeerName, Endpoint> endpoints;
  std::map<LinkId, Link> links;
  std::map<std::pair<Moment, std::uint64_t>, Event> queue;
  std::map<std::pair<PeerName, PeerName>, std::uint64_t> cuts;
  std::map<std::pair<PeerName, PeerName>, std::chrono::nanoseconds> slow_ways;
  std::map<std::pair<PeerName, PeerName>, std::vector<Event>> held;
  std::uint64_t sequence = 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  SimNetworkCounters counters;
};

}  // namespace troupe::net
