#include "storage/base/error.hpp"

#include <gtest/gtest.h>

#include <set>

#include "storage/base/result.hpp"

namespace troupe {
namespace {

std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (int n = 0; n <= static_cast<int>(max_value(ErrorCode{})); ++n)
    codes.push_back(static_cast<ErrorCode>(n));
  return codes;
}

TEST(Errors, EachCodeHasATextOfItsOwnThatLeadsBackToIt) {
  std::set<std::string_view> texts;
  for (const ErrorCode code : all_codes()) {
    EXPECT_TRUE(texts.insert(code_text(code)).second) << code_text(code);
    EXPECT_EQ(code_from_text(code_text(code)), code);
  }
  EXPECT_EQ(texts.size(), 24U) << "a code was added: name it in the tests of its callers, then count it here";
  EXPECT_EQ(code_from_text("no_such_code"), std::nullopt);
  EXPECT_EQ(code_from_text(""), std::nullopt);
}

TEST(Errors, StatusesAreThoseOfErrorsAndAgreeWithTheRetryClass) {
  for (const ErrorCode code : all_codes()) {
    EXPECT_GE(http_status(code), 400) << code_text(code);
    EXPECT_LT(http_status(code), 600) << code_text(code);
    if (http_status(code) == 503) {
      EXPECT_NE(retry_class(code), Retry::never) << code_text(code);
    }
    if (http_status(code) == 504) {
      EXPECT_EQ(retry_class(code), Retry::unknown) << code_text(code);
    }
  }
}

TEST(Errors, NumbersAreForEverBecauseTheRequestTableStoresThem) {
  EXPECT_EQ(static_cast<int>(ErrorCode::invalid_argument), 0);
  EXPECT_EQ(static_cast<int>(ErrorCode::sequence_in_use), 8);
  EXPECT_EQ(static_cast<int>(ErrorCode::limit_exceeded), 13);
  EXPECT_EQ(static_cast<int>(ErrorCode::outcome_unknown), 19);
  EXPECT_EQ(static_cast<int>(ErrorCode::io), 23);
}

TEST(ResultDeathTest, TheValueOfAnErrorStopsTheProcess) {
  const Result<int> failed = Error{ErrorCode::io, "disk"};
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::io);
  EXPECT_DEATH((void)failed.value(), "check_failed");
  const Result<void> fine;
  EXPECT_DEATH((void)fine.error(), "check_failed");
}

}  // namespace
}  // namespace troupe
