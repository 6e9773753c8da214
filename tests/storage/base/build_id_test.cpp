#include "storage/base/build_id.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(BuildId, IsTheLinkersHashOfThisProgram) {
  EXPECT_EQ(build_id().size(), build_id_chars);
  EXPECT_EQ(build_id().find_first_not_of("0123456789abcdef"), std::string::npos) << build_id();
}

}  // namespace
}  // namespace troupe
