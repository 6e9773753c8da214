#include "actors/diagnosis/redact.hpp"

#include <gmock/gmock.h>

namespace troupe {
namespace {

using testing::HasSubstr;

TEST(Redact, NamesOfSecretsAreKnownInAnySpelling) {
  for (const char* name : {"password", "DB_PASSWORD", "registryPassword", "api_key", "apiKey", "API-KEY",
                           "token", "session-token", "client_secret", "credentials", "Authorization",
                           "private_key", "environment", "env", "passphrase"})
    EXPECT_TRUE(is_secret_name(name)) << name;
}

TEST(Redact, PathsAndNumbersAboutSecretsAreNone) {
  for (const char* name : {"credentials_file", "credentialsFile", "passwordPath", "secrets_dir", "tokens_max",
                           "token_count", "lease_ms", "key", "keys", "node", "name", "envelope", "keepers"})
    EXPECT_FALSE(is_secret_name(name)) << name;
}

TEST(Redact, LinesLoseTheValuesAlone) {
  const std::vector<std::pair<const char*, const char*>> lines{
      {"pulled image=a password=hunter2 ms=5", "pulled image=a password=[redacted] ms=5"},
      {"login token: abc.def, then", "login token: [redacted], then"},
      {R"(body={"user":"ann","password":"a b\"c","n":1})",
       R"(body={"user":"ann","password":[redacted],"n":1})"},
      {R"(why="secret='a b' x=1")", R"(why="secret=[redacted] x=1")"},
      {"fetch https://ann:hunter2@h/x", "fetch https://[redacted]@h/x"},
      {"fetch https://h/x@1", "fetch https://h/x@1"},
      {"Authorization: Bearer abc123 next=1", "Authorization: [redacted] next=1"},
      {"sent Basic YW5uOmg= to h", "sent Basic [redacted] to h"},
      {"credentials_file=/etc/troupe/password mode=600", "credentials_file=/etc/troupe/password mode=600"},
      {"the token is wrong", "the token is wrong"},
      {"password=", "password="},
      {"password", "password"},
      {"", ""}};
  for (const auto& [line, wanted] : lines) EXPECT_EQ(redacted_text(line), wanted) << line;
}

TEST(Redact, EveryEndOfALineIsSafe) {
  const std::string line = R"(a https://u:p@h password="x\" token: Bearer y env={"K":"v"})";
  for (std::size_t size = 0; size <= line.size(); ++size)
    EXPECT_LE(redacted_text(line.substr(0, size)).size(), size + 5 * redacted_mark.size());
}

TEST(Redact, MembersOfAnyDepthLoseTheirValuesWhateverTheyAre) {
  const auto value =
      json::parse(R"({"a":[{"password":"hunter2","lease_ms":5}],"token":17,"env":{"HOME":"/root"},)"
                  R"("credentials_file":"/etc/p","text":"token=hunter2","ok":true,"none":null})");
  json::Writer writer;
  write_redacted(writer, value.value());
  EXPECT_EQ(writer.take(),
            R"({"a":[{"password":"[redacted]","lease_ms":5}],"token":"[redacted]","env":"[redacted]",)"
            R"("credentials_file":"/etc/p","text":"token=[redacted]","ok":true,"none":null})");
}

}  // namespace
}  // namespace troupe
