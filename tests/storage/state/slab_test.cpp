#include "storage/state/slab.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

/// Few different hashes, so that probing wraps, collides and shifts all the time.
struct CrowdedId {
  std::uint32_t value = 0;
  std::uint64_t hash() const { return value % 7; }
  friend auto operator<=>(const CrowdedId&, const CrowdedId&) = default;
};

struct Item {
  CrowdedId key;
  std::string payload;
  const CrowdedId& id() const { return key; }
};

struct Numbered {
  TaskId key;
  std::string payload;
  const TaskId& id() const { return key; }
};

template <class Record, class Id, class Mint>
void against_a_map(Random& random, int steps, Mint mint) {
  Slab<Record, Id> slab;
  std::map<Id, std::pair<std::string, const Record*>> model;
  std::vector<Id> known;
  for (int n = 0; n < steps; ++n) {
    // Grows for a while, then shrinks, over and over.
    const bool growing = n / 500 % 2 == 0;
    if (model.empty() || random.chance(growing ? 70 : 30)) {
      const Id id = mint(random);
      if (model.contains(id)) continue;
      const std::string payload = std::to_string(random.next());
      model[id] = {payload, &slab.insert({id, payload})};
      known.push_back(id);
    } else {
      const std::size_t at = random.below(known.size());
      std::swap(known[at], known.back());
      slab.erase(known.back());
      model.erase(known.back());
      EXPECT_EQ(slab.find(known.back()), nullptr);
      known.pop_back();
    }
    ASSERT_EQ(slab.size(), model.size());
    if (n % 97 != 0) continue;
    for (const auto& [id, expected] : model) {
      const Record* found = slab.find(id);
      ASSERT_EQ(found, expected.second) << "an address moved";
      ASSERT_EQ(found->payload, expected.first);
    }
    std::set<Id> walked;
    slab.each([&](const Record& record) { EXPECT_TRUE(walked.insert(record.id()).second); });
    ASSERT_EQ(walked.size(), model.size());
    std::set<Id> scanned;
    for (std::optional<std::size_t> at = 0; at;)
      at = slab.scan(*at, 1 + random.below(300),
                     [&](const Record& record) { EXPECT_TRUE(scanned.insert(record.id()).second); });
    ASSERT_EQ(scanned, walked);
  }
}

TEST(Slabs, AScanMeetsOnceWhatStaysThroughout) {
  Random random(3);
  Slab<Numbered, TaskId> slab;
  std::vector<TaskId> stay, come_and_go;
  for (int n = 0; n < 2'000; ++n) {
    auto& ids = n % 2 == 0 ? stay : come_and_go;
    ids.push_back(random.uuid<TaskId>());
    slab.insert({ids.back(), ""});
  }
  std::map<TaskId, int> met;
  for (std::optional<std::size_t> at = 0; at;) {
    at = slab.scan(*at, 64, [&](const Numbered& record) { ++met[record.key]; });
    for (int n = 0; n < 40 && !come_and_go.empty(); ++n) {
      slab.erase(come_and_go.back());
      come_and_go.pop_back();
    }
    for (int n = 0; n < 30; ++n) slab.insert({random.uuid<TaskId>(), ""});
  }
  for (const TaskId& id : stay) EXPECT_EQ(met[id], 1);
}

TEST(Slabs, AgreeWithAMapWhateverComesAndGoes) {
  Random random(1);
  against_a_map<Numbered, TaskId>(random, 20'000, [](Random& r) { return r.uuid<TaskId>(); });
}

TEST(Slabs, AgreeWithAMapWhenAllHashesCollide) {
  Random random(2);
  against_a_map<Item, CrowdedId>(
      random, 8'000, [](Random& r) { return CrowdedId{static_cast<std::uint32_t>(r.below(400))}; });
}

TEST(Slabs, GiveBackWhatTheirRecordsHeld) {
  auto shared = std::make_shared<int>(1);
  struct Holder {
    CrowdedId key;
    std::shared_ptr<int> held;
    const CrowdedId& id() const { return key; }
  };
  {
    Slab<Holder, CrowdedId> slab;
    for (std::uint32_t n = 0; n < 1'000; ++n) slab.insert({{n}, shared});
    for (std::uint32_t n = 0; n < 500; ++n) slab.erase({n});
    EXPECT_EQ(shared.use_count(), 501);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Slabs, AnEmptyOneFindsNothing) {
  const Slab<Item, CrowdedId> slab;
  EXPECT_EQ(slab.find({1}), nullptr);
  EXPECT_EQ(slab.size(), 0U);
}

TEST(SlabsDeathTest, TheSameIdTwiceOrNoneToEraseIsABug) {
  Slab<Item, CrowdedId> slab;
  slab.insert({{1}, "one"});
  EXPECT_DEATH(slab.insert({{1}, "again"}), "check_failed");
  EXPECT_DEATH(slab.erase({2}), "check_failed");
}

}  // namespace
}  // namespace troupe
