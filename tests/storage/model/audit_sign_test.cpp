#include "storage/model/audit_sign.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

SignedHead head() { return {42, std::string(64, 'a'), Instant{1'000}, NodeId{2}, "main", {}}; }

TEST(SignedHeads, AreGoodForTheKeyThatSignedThemAndNoOther) {
  const SigningKey key = SigningKey::make().value();
  const SignedHead made = key.sign(head());
  EXPECT_TRUE(is_signed(made, key.public_key()));
  EXPECT_FALSE(is_signed(made, SigningKey::make().value().public_key()));
  EXPECT_FALSE(is_signed(made, "no key"));
  EXPECT_FALSE(is_signed(head(), key.public_key()));
}

TEST(SignedHeads, CoverEverythingTheySay) {
  const SigningKey key = SigningKey::make().value();
  const SignedHead made = key.sign(head());
  auto changed = made;
  changed.ordinal = 43;
  EXPECT_FALSE(is_signed(changed, key.public_key()));
  changed = made;
  changed.chain[7] = 'b';
  EXPECT_FALSE(is_signed(changed, key.public_key()));
  changed = made;
  changed.at = Instant{1'001};
  EXPECT_FALSE(is_signed(changed, key.public_key()));
  changed = made;
  changed.node = NodeId{3};
  EXPECT_FALSE(is_signed(changed, key.public_key()));
  changed = made;
  changed.cell = "other";
  EXPECT_FALSE(is_signed(changed, key.public_key()));
}

TEST(SignedHeads, AreALineThatIsReadBack) {
  const SigningKey key = SigningKey::make().value();
  const auto read = parse_signed_head(line_of(key.sign(head())));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().ordinal, 42U);
  EXPECT_EQ(read.value().cell, "main");
  EXPECT_TRUE(is_signed(read.value(), key.public_key()));
  for (const auto* bad : {"", "42", "x a 1 2 main 00", "42 a 1 2 main 00 more", "42 a x 2 main 00"})
    EXPECT_FALSE(parse_signed_head(bad).ok()) << bad;
}

TEST(SigningKeys, AreTheSameWhenTheyAreReadAgain) {
  const SigningKey key = SigningKey::make().value();
  const SigningKey again = SigningKey::of_secret(key.secret()).value();
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_EQ(again.sign(head()).signature, key.sign(head()).signature);
  EXPECT_FALSE(SigningKey::of_secret("abc").ok());
}

}  // namespace
}  // namespace troupe
