#include "storage/model/placement_terms.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(PlacementTerms, ReadsSpreads) {
  EXPECT_EQ(parse_spread("zone").value(), (std::vector<SpreadTerm>{{"zone", 1}}));
  EXPECT_EQ(parse_spread("zone:2, rack:10").value(), (std::vector<SpreadTerm>{{"zone", 2}, {"rack", 10}}));
  for (const char* wrong : {"", "zone:", "zone:0", "zone:-1", "zone:1001", "zone:1x", "zone,,rack", ":1"})
    EXPECT_FALSE(parse_spread(wrong).ok()) << wrong;
}

TEST(PlacementTerms, ReadsNeighbours) {
  const std::string id = "6f1c0000-0000-4000-8000-000000000001";
  const auto both = parse_neighbours("zone,host=" + id);
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both.value()[0], (NeighbourTerm{"zone", {}}));
  EXPECT_EQ(to_text(both.value()[1].job), id);
  EXPECT_FALSE(parse_neighbours("zone=").ok());
  EXPECT_FALSE(parse_neighbours("zone=job-7").ok());
}

TEST(PlacementTerms, ReadsTolerations) {
  EXPECT_EQ(parse_tolerations("spot, dedicated=video,*").value(),
            (std::vector<Toleration>{{"spot", ""}, {"dedicated", "video"}, {"*", ""}}));
  EXPECT_FALSE(parse_tolerations("spot,").ok());
}

TEST(PlacementTerms, AreBounded) { EXPECT_FALSE(parse_spread("a,b,c,d,e,f,g,h,i").ok()); }

}  // namespace
}  // namespace troupe
