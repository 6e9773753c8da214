// Image names that lead to a registry, and what the configuration says of it.

#include "actors/agent/images/registry_reference.hpp"

#include <gmock/gmock.h>

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;

const std::string reference_digest = "sha256:" + std::string(64, 'a');

TEST(RegistryReference, IsReadInAllItsForms) {
  EXPECT_EQ(parse_reference("app").value(), (RegistryReference{"", "app", "", ""}));
  EXPECT_EQ(parse_reference("team/app:v1").value(), (RegistryReference{"", "team/app", "v1", ""}));
  EXPECT_EQ(parse_reference("Registry.Example.com:5000/a/b_c__d/e--f.g:V1.2-x").value(),
            (RegistryReference{"registry.example.com:5000", "a/b_c__d/e--f.g", "V1.2-x", ""}));
  EXPECT_EQ(parse_reference("localhost/app:1").value(), (RegistryReference{"localhost", "app", "1", ""}));
  EXPECT_EQ(parse_reference("r.io/app:1@" + reference_digest).value(),
            (RegistryReference{"r.io", "app", "1", reference_digest}));
}

TEST(RegistryReference, SaysTheColumnOfWhatIsWrongAndWhatToDo) {
  const std::pair<std::string, const char*> all[] = {
      {"", "column 1"},
      {"App", "column 1: a repository is of small letters"},
      {"r.io/team/App:1", "column 10"},
      {"r.io/a___b", "column 7"},
      {"r.io/a..b", "column 7"},
      {"r.io/a//b", "column 7"},
      {"r.io/../b", "column 6"},
      {"r.io/a/", "column 7"},
      {"r.io/a:", "column 8: a tag has"},
      {"r.io/a:-x", "column 8"},
      {"r.io/a:x y", "column 9"},
      {"r.io:0/a", "column 6: a registry is HOST or HOST:PORT"},
      {"r.io:65536/a", "column 6"},
      {"r.io:80x/a", "column 6"},
      {"-r.io/a", "column 1"},
      {"r..io/a", "column 2"},
      {"r.i\no/a", "column 4"},
      {"r.io./a", "column 5"},
      {"a@b.io/x", "column 3"},
      {"r.io/a@sha256:12", "column 8: after '@' comes sha256:"},
      {"r.io/a@" + reference_digest + "0", "column 8"},
      {"r.io/" + std::string(256, 'a'), "column 6"},
      {"r.io/a:" + std::string(129, 'a'), "column 8"},
      {std::string(2'000, 'a'), "1 to 1024"},
  };
  for (const auto& [text, why] : all) {
    const auto parsed = parse_reference(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(parsed.error().message, HasSubstr(why)) << text;
  }
}

TEST(Registries, MirrorsComeFirstWithSettingsOfTheirOwn) {
  RegistriesConfig config;
  config.registries = {{"R.io", {"m1.io", "m2.io:5000"}, Transport::tls, "/ca", "/mine"},
                       {"m2.io:5000", {"never.io"}, Transport::plain, "", "/other"}};
  ASSERT_TRUE(check_registries(config).ok());
  const auto all = endpoints_of(config, "r.io");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].base_url(), "https://m1.io");
  EXPECT_EQ(all[0].credentials_file, "") << "a mirror is not shown its registry's password";
  EXPECT_EQ(all[1].base_url(), "http://m2.io:5000");
  EXPECT_EQ(all[1].credentials_file, "/other");
  EXPECT_EQ(all[2].base_url(), "https://r.io");
  EXPECT_EQ(all[2].credentials_file, "/mine");
}

TEST(Registries, OnlyLoopbackAndWhatIsSaidToBeInsecureGoWithoutTls) {
  const RegistriesConfig none;
  EXPECT_EQ(endpoints_of(none, "localhost:5000")[0].base_url(), "http://localhost:5000");
  EXPECT_EQ(endpoints_of(none, "127.0.0.1:5000")[0].base_url(), "http://127.0.0.1:5000");
  for (const char* other : {"r.io", "localhost.evil.io", "127.0.0.1.evil.io", "127.evil.a.b", "10.0.0.1"})
    EXPECT_EQ(endpoints_of(none, other)[0].base_url(), std::string("https://") + other);
  RegistriesConfig config;
  config.registries = {{"localhost:5000", {}, Transport::tls, "/ca", ""}};
  EXPECT_EQ(endpoints_of(config, "localhost:5000")[0].base_url(), "https://localhost:5000");
}

TEST(Registries, DockersOwnHasOtherNamesInItsUrls) {
  EXPECT_EQ(endpoints_of({}, "docker.io")[0].base_url(), "https://registry-1.docker.io");
  EXPECT_EQ(repository_path({"docker.io", "busybox", "1", ""}), "library/busybox");
  EXPECT_EQ(repository_path({"docker.io", "team/app", "1", ""}), "team/app");
  EXPECT_EQ(repository_path({"r.io", "busybox", "1", ""}), "busybox");
}

TEST(Registries, AContradictoryConfigurationIsRefused) {
  const auto complaint = [](std::vector<RegistrySettings> all, std::string fallback = {}) {
    RegistriesConfig config{std::move(all), std::move(fallback)};
    const auto checked = check_registries(config);
    return checked.ok() ? std::string() : checked.error().message;
  };
  EXPECT_THAT(complaint({{"a.io"}, {"A.io"}}), HasSubstr("twice"));
  EXPECT_THAT(complaint({{"https://a.io"}}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(complaint({{"a.io", {"b io"}}}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(complaint({{"a.io", {}, Transport::plain, "/ca", ""}}),
              HasSubstr("insecure and has a ca_file"));
  EXPECT_THAT(complaint({{"a.io", std::vector<std::string>(9, "b.io")}}), HasSubstr("mirrors"));
  EXPECT_THAT(complaint({}, "a/b"), HasSubstr("HOST:PORT"));
  EXPECT_EQ(complaint({{"a.io"}}, "a.io"), "");
}

}  // namespace
}  // namespace troupe::agent
