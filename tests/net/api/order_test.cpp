#include "net/api/order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/random.hpp"

namespace troupe::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A host of that number, and what is said of it.
struct Seen {
  HostRecord record;
  Resources used;
  HostSubject subject() const { return {record, used}; }
};
Seen seen(std::uint32_t number, std::int64_t cpu_milli, StringMap attributes = {}) {
  Seen host;
  host.record.id = HostId{number};
  host.record.name = "h" + std::to_string(number);
  host.record.attributes = std::move(attributes);
  host.used.cpu_milli = cpu_milli;
  return host;
}

std::vector<std::uint32_t> listed(const std::vector<Seen>& hosts, std::string_view order, Paging paging) {
  const auto parsed = Order::parse(SelectionKind::host, order);
  EXPECT_TRUE(parsed.ok());
  Listed list(&parsed.value(), paging);
  for (const Seen& host : hosts) list.add(host.subject(), sort_key(host.record));
  std::vector<SortKey> places;
  const Page page = list.page(places);
  EXPECT_EQ(page.total, hosts.size());
  EXPECT_EQ(page.end - page.begin, places.size());
  std::vector<std::uint32_t> numbers;
  for (const SortKey& place : places) numbers.push_back(host_of(place).value);
  return numbers;
}

TEST(Order, IsByNumbersBeforeTextsAndWhatIsNotSetComesLastEitherWay) {
  const std::vector<Seen> hosts{seen(1, 5),
                                seen(2, 5, {{"rack", "b"}}),
                                seen(3, 5, {{"rack", "10"}}),
                                seen(4, 5, {{"rack", "9"}}),
                                seen(5, 5, {{"rack", "a"}}),
                                seen(6, 5)};
  EXPECT_THAT(listed(hosts, "attributes.rack", {.page = 0, .page_size = 9, .after = {}}),
              ElementsAre(4, 3, 5, 2, 1, 6));
  EXPECT_THAT(listed(hosts, "attributes.rack desc", {.page = 0, .page_size = 9, .after = {}}),
              ElementsAre(3, 4, 2, 5, 1, 6));
}

TEST(Order, IsThatOfCreationWhereTwoAreAlike) {
  const std::vector<Seen> hosts{seen(3, 5), seen(1, 5), seen(2, 7)};
  EXPECT_THAT(listed(hosts, "used.cpu desc", {.page = 0, .page_size = 9, .after = {}}), ElementsAre(2, 1, 3));
  EXPECT_THAT(listed(hosts, "used.cpu asc", {.page = 0, .page_size = 9, .after = {}}), ElementsAre(1, 3, 2));
}

TEST(Order, RefusesWhatHasNone) {
  const auto refused = [](std::string_view text) {
    const auto order = Order::parse(SelectionKind::host, text);
    return order.ok() ? ""
                      : order.error().violations.at(0).path + ": " + order.error().violations.at(0).message;
  };
  EXPECT_THAT(refused("used.cpux desc"),
              HasSubstr("orderBy: there is no field \"used.cpux\"; did you mean used.cpu?"));
  EXPECT_THAT(refused("used.cpu down"), HasSubstr("there is no field"));
  EXPECT_THAT(refused("drivers"), HasSubstr("is a list"));
  EXPECT_THAT(refused(""), HasSubstr("there is no field"));
}

TEST(Listed, GivesThePagesOfAFullSortWhateverItThrowsAway) {
  Random random(7);
  std::vector<Seen> hosts;
  for (std::uint32_t n = 1; n <= 9'000; ++n)
    hosts.push_back(seen(n, static_cast<std::int64_t>(random.below(500))));
  auto sorted = hosts;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Seen& a, const Seen& b) { return a.used.cpu_milli > b.used.cpu_milli; });
  for (const std::uint32_t page : {0, 1, 7, 900, 1'000}) {
    const Paging paging{.page = page, .page_size = 10, .after = {}};
    std::vector<std::uint32_t> expected;
    for (std::size_t n = page * 10U; n < std::min<std::size_t>(sorted.size(), page * 10U + 10U); ++n)
      expected.push_back(sorted[n].record.id.value);
    EXPECT_EQ(listed(hosts, "used.cpu desc", paging), expected) << page;
  }
}

TEST(Listed, WithoutAnOrderIsInThatOfCreation) {
  Listed list(nullptr, {.page = 1, .page_size = 2, .after = {}});
  for (const std::uint32_t number : {5, 3, 9, 1}) list.add_known({}, sort_key(seen(number, 0).record));
  std::vector<SortKey> places;
  const Page page = list.page(places);
  EXPECT_EQ(page.begin, 2U);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(host_of(places[0]).value, 5U);
  EXPECT_EQ(host_of(places[1]).value, 9U);
}

}  // namespace
}  // namespace troupe::api
