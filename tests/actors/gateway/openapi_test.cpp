// The contract that the gateway serves. contract_test.py holds the answers of all these tests against it.

#include <gmock/gmock.h>

#include <cctype>
#include <set>

#include "actors/gateway/router.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

TEST(GatewayContract, HasEveryRouteAndNoOther) {
  Scene scene;
  const auto document = scene.get("/api/v3/openapi.json")->json();
  EXPECT_EQ(*document.find("openapi")->text(), "3.1.0");
  const auto* paths = document.find("paths");
  std::size_t operations = 0;
  for (const auto& [name, at, path] : *paths->object()) operations += path.object()->size();
  EXPECT_EQ(operations, gateway::routes().size());
  for (const auto& route : gateway::routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const auto* path = paths->find(route.pattern);
    ASSERT_NE(path, nullptr) << route.pattern;
    ASSERT_NE(path->find(method), nullptr) << method << ' ' << route.pattern;
    EXPECT_FALSE(path->find(method)->find("summary")->text()->empty()) << method << ' ' << route.pattern;
  }
}

TEST(GatewayContract, EveryOperationHasANameOfItsOwnForGeneratedClients) {
  Scene scene;
  const auto document = scene.get("/api/v3/openapi.json")->json();
  std::set<std::string> names;
  for (const auto& [path_name, path_at, path] : *document.find("paths")->object())
    for (const auto& [method, at, operation] : *path.object())
      EXPECT_TRUE(names.insert(*operation.find("operationId")->text()).second) << method << ' ' << path_name;
  for (const std::string name : {"postJobs", "getJobsById", "putJobsByIdCapacityAttributes", "postTasksMove",
                                 "getOpenapi", "putApplicationsByName"})
    EXPECT_TRUE(names.contains(name)) << name;
}

// Generators make a type of each object and enumeration within a schema, named by the schema and the member.
TEST(GatewayContract, NoSchemaIsNamedAsAGeneratorNamesAPartOfAnother) {
  Scene scene;
  const auto document = scene.get("/api/v3/openapi.json")->json();
  const auto* schemas = document.find("components")->find("schemas");
  for (const auto& [name, at, schema] : *schemas->object()) {
    const auto* properties = schema.find("properties");
    if (properties == nullptr) continue;
    for (const auto& [member, member_at, shape] : *properties->object()) {
      if (shape.find("$ref") != nullptr) continue;  // It is that other one.
      std::string part = name + member;
      part[name.size()] = static_cast<char>(std::toupper(part[name.size()]));
      EXPECT_EQ(schemas->find(part), nullptr) << part;
    }
  }
}

TEST(GatewayContract, EverySchemaThatIsNamedIsThere) {
  Scene scene;
  const auto seen = scene.get("/api/v3/openapi.json");
  const auto document = seen->json();
  const auto* schemas = document.find("components")->find("schemas");
  const std::string text = seen->response.body, mark = "#/components/schemas/";
  std::size_t named = 0;
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1), ++named) {
    const auto name = text.substr(at + mark.size(), text.find('"', at) - at - mark.size());
    EXPECT_NE(schemas->find(name), nullptr) << name;
  }
  EXPECT_GT(named, 50U);
}

TEST(GatewayContract, ListsTheCodesThatErrorsHave) {
  Scene scene;
  const auto document = scene.get("/api/v3/openapi.json")->json();
  const auto* error = document.find("components")->find("schemas")->find("Error");
  EXPECT_EQ(error->find("properties")->find("code")->find("enum")->array()->size(),
            static_cast<std::size_t>(max_value(ErrorCode{})) + 1);
}

}  // namespace
}  // namespace troupe
