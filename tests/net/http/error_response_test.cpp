#include "net/http/error_response.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

TEST(ErrorJson, HasOneShape) {
  const Error error{
      ErrorCode::invalid_argument, "cpu: is wrong", {{"container.cpu", "is wrong", 3, 7}, {"page", "x"}}};
  json::Writer writer;
  error_json(writer, error, {.request_id = "r1"});
  EXPECT_EQ(
      writer.take(),
      R"({"statusCode":400,"code":"invalid_argument","message":"cpu: is wrong","retry":"never",)"
      R"("hint":"correct the request and send it again","requestId":"r1","violations":[)"
      R"({"path":"container.cpu","message":"is wrong","line":3,"column":7},{"path":"page","message":"x"}]})");
}

TEST(ErrorResponse, SaysWhenToRetryOnlyWhereThatHelps) {
  const auto later = error_response({ErrorCode::overloaded, "full"}, {}, milliseconds(1500));
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(later.headers.at("retry-after"), "2");
  EXPECT_EQ(later.headers.at("content-type"), "application/json");
  EXPECT_EQ(
      error_response({ErrorCode::limit_exceeded, "much"}, {}, milliseconds(1)).headers.at("retry-after"),
      "1");
  EXPECT_FALSE(error_response({ErrorCode::not_found, "no"}).headers.contains("retry-after"));
  EXPECT_FALSE(error_response({ErrorCode::outcome_unknown, "?"}).headers.contains("retry-after"));
}

TEST(ErrorResponse, AnUnknownOutcomeSaysWhereToLook) {
  const auto response = error_response({ErrorCode::outcome_unknown, "?"}, {"r1", "/api/v3/jobs/1"});
  EXPECT_EQ(response.status, 504);
  EXPECT_NE(response.body.find(R"("requestId":"r1","entityUrl":"/api/v3/jobs/1")"), std::string::npos);
}

TEST(ErrorJson, EveryCodeHasAHint) {
  for (int code = 0; code <= static_cast<int>(max_value(ErrorCode{})); ++code)
    EXPECT_FALSE(hint_of(static_cast<ErrorCode>(code)).empty()) << code;
}

}  // namespace
}  // namespace troupe::http
