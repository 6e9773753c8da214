#include "storage/base/settings.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr Setting lease_ms{"lease_ms", 500, 100, 10'000, "how long an owner may go unconfirmed"};
constexpr Setting batch_max{"batch_max", 64, 1, 1'000, "entries per batch"};
const std::vector<const Setting*> declared{&lease_ms, &batch_max};

TEST(SettingValues, AreTheDefaultsUntilSet) {
  Settings settings;
  EXPECT_EQ(settings.get(lease_ms), 500);
  ASSERT_TRUE(settings.set("lease_ms", "750", declared).ok());
  EXPECT_EQ(settings.get(lease_ms), 750);
  EXPECT_EQ(settings.get(batch_max), 64);
  settings.set(batch_max, 1'000);
  EXPECT_EQ(settings.get(batch_max), 1'000);
}

TEST(SettingValues, UnknownKeysAndValuesOutOfBoundsAreRefusedByName) {
  Settings settings;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"lease", "500"},
                                                        {"", "1"},
                                                        {"lease_ms", ""},
                                                        {"lease_ms", "fast"},
                                                        {"lease_ms", "500ms"},
                                                        {"lease_ms", "5.5"},
                                                        {"lease_ms", "99"},
                                                        {"lease_ms", "10001"},
                                                        {"lease_ms", "99999999999999999999"}}) {
    const auto refused = settings.set(name, value, declared);
    ASSERT_FALSE(refused.ok()) << name << "=" << value;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(refused.error().message.find("'" + name + "'"), std::string::npos);
  }
  EXPECT_EQ(settings.get(lease_ms), 500);
}

TEST(SettingValues, AnUnknownKeyNamesItsNeighbours) {
  Settings settings;
  const auto said = [&](std::string_view name) { return settings.set(name, "1", declared).error().message; };
  EXPECT_NE(said("lease").find("did you mean lease_ms?"), std::string::npos);
  EXPECT_NE(said("lease_sm").find("lease_ms"), std::string::npos);
  EXPECT_NE(said("batchmax").find("batch_max"), std::string::npos);
  EXPECT_EQ(said("nothing_alike").find("did you mean"), std::string::npos);
  EXPECT_EQ(said("").find("did you mean"), std::string::npos);
  EXPECT_EQ(said(std::string(100'000, 'l')).find("did you mean"), std::string::npos);
}

TEST(SettingValues, TheBoundsThemselvesAreAllowed) {
  Settings settings;
  EXPECT_TRUE(settings.set("lease_ms", "100", declared).ok());
  EXPECT_TRUE(settings.set("lease_ms", "10000", declared).ok());
  EXPECT_EQ(settings.get(lease_ms), 10'000);
}

TEST(SettingValuesDeathTest, CodeThatSetsOutOfBoundsIsABug) {
  Settings settings;
  EXPECT_DEATH(settings.set(lease_ms, 99), "check_failed");
}

}  // namespace
}  // namespace troupe
