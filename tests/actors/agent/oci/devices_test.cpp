// Devices by their CDI files, and that no two tasks have the same.

#include "actors/agent/oci/devices.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* two_gpus = R"({
  "cdiVersion": "0.6.0", "kind": "example.com/gpu",
  "containerEdits": {"env": ["DRIVER=7"], "mounts": [{"hostPath": "/usr/lib/gpu", "containerPath": "/gpu", "options": ["ro"]}],
    "hooks": [{"hookName": "createContainer", "path": "/usr/bin/gpu-hook", "args": ["gpu-hook", "link"], "env": ["A=b"]},
              {"hookName": "poststop", "path": "/usr/bin/gpu-hook"}]},
  "devices": [
    {"name": "0", "containerEdits": {"env": ["GPU=0"], "deviceNodes": [
       {"path": "/dev/gpu0", "type": "c", "major": 1, "minor": 5},
       {"path": "/dev/gpuctl", "hostPath": "/dev/null", "permissions": "r"}]}},
    {"name": "1", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu1", "type": "b", "major": 1, "minor": 7}]}}]})";

TaskId task(std::uint8_t number) {
  TaskId id;
  id.bytes[0] = number;
  return id;
}

std::vector<std::string> names(const std::vector<Device>& devices) {
  std::vector<std::string> all;
  for (const Device& device : devices) all.push_back(device.full_name());
  return all;
}

TEST(Devices, ACdiFileSaysWhatEachChangesOfAContainer) {
  const auto devices = parse_cdi(two_gpus).value();
  ASSERT_THAT(names(devices), ElementsAre("example.com/gpu=0", "example.com/gpu=1"));
  DeviceEdits edits = devices[0].edits;
  EXPECT_THAT(edits.env, ElementsAre("DRIVER=7", "GPU=0"));
  ASSERT_EQ(edits.nodes.size(), 2U);
  EXPECT_EQ(edits.nodes[0], (DeviceNode{"/dev/gpu0", "/dev/gpu0", false, 1, 5, 0666}));
  EXPECT_EQ(edits.nodes[1].mode, 0444U);
  ASSERT_TRUE(find_numbers(edits.nodes[1]).ok());
  EXPECT_EQ(edits.nodes[1].major, 1);
  EXPECT_EQ(edits.nodes[1].minor, 3) << "of /dev/null";
  EXPECT_TRUE(devices[1].edits.nodes[0].is_block);
  EXPECT_THAT(edits.mounts, ElementsAre(DeviceMount{"/usr/lib/gpu", "/gpu", {"ro"}}));
  EXPECT_THAT(edits.hooks,
              ElementsAre(DeviceHook{"createContainer", "/usr/bin/gpu-hook", {"gpu-hook", "link"}, {"A=b"}}));
  edits += devices[1].edits;
  EXPECT_EQ(edits.mounts.size(), 1U) << "what two devices share comes once";
  EXPECT_EQ(edits.nodes.size(), 3U);
}

TEST(Devices, AFileThatIsWrongIsRefusedWithWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "JSON"},
      {"[]", "no object"},
      {R"({"devices": []})", "'kind'"},
      {R"({"kind": "gpu"})", "vendor/class"},
      {R"({"kind": "a/b", "devices": {}})", "'devices' is no list"},
      {R"({"kind": "a/b", "devices": [{}]})", "'name'"},
      {R"({"kind": "a/b", "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "dev"}]}}]})",
       "absolute"},
      {R"({"kind": "a/b", "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/a/../b"}]}}]})",
       "absolute"},
      {R"({"kind": "a/b", "containerEdits": {"hooks": [{"hookName": "later", "path": "/a"}]}})",
       "no hook 'later'"},
      {R"({"kind": "a/b", "containerEdits": {"deviceNodes": [{"path": "/a", "type": "p"}]}})", "'type'"},
  };
  for (const auto& [text, why] : rows) {
    const auto parsed = parse_cdi(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(parsed.error().message, HasSubstr(why));
  }
  DeviceNode none{"/dev/a", "/no/such/device", false, -1, -1, 0666};
  EXPECT_EQ(find_numbers(none).error().code, ErrorCode::unavailable);
}

TEST(Devices, ALaterFolderReplacesWhatAnEarlierOneSaysOfADevice) {
  const TempFolder folder;
  for (const char* name : {"first", "second"}) std::filesystem::create_directory(folder.file(name));
  std::ofstream(folder.file("first/gpus.json")) << two_gpus;
  std::ofstream(folder.file("first/notes.txt")) << "no device";
  std::ofstream(folder.file("second/gpus.json"))
      << R"({"kind": "example.com/gpu", "devices": [{"name": "1", "containerEdits": {"env": ["NEW=1"]}}]})";
  const auto devices = read_cdi_folders({folder.file("first"), folder.file("second")}).value();
  ASSERT_THAT(names(devices), ElementsAre("example.com/gpu=0", "example.com/gpu=1"));
  EXPECT_THAT(devices[1].edits.env, ElementsAre("NEW=1"));
  std::ofstream(folder.file("second/bad.json")) << "{";
  EXPECT_THAT(read_cdi_folders({folder.file("second")}).error().message, HasSubstr("bad.json"));
  EXPECT_EQ(read_cdi_folders({folder.file("none")}).error().code, ErrorCode::io);
}

TEST(Devices, EachIsOneTasksAtATimeAndAllOrNothingIsGiven) {
  auto devices = parse_cdi(two_gpus).value();
  devices.push_back({"example.com/card", "a", {}});
  DeviceBook book(devices, "example.com/gpu");
  EXPECT_EQ(book.gpus(), 2);
  EXPECT_EQ(book.kinds().at("example.com/card"), 1U);
  EXPECT_THAT(names(book.take(task(1), 1, {"example.com/card"}).value()),
              testing::UnorderedElementsAre("example.com/gpu=0", "example.com/card=a"));
  EXPECT_EQ(names(book.take(task(1), 1, {}).value()).size(), 2U) << "it has them already";
  EXPECT_EQ(book.take(task(2), 1, {"example.com/card"}).error().code, ErrorCode::unavailable);
  EXPECT_EQ(book.take(task(2), 2, {}).error().code, ErrorCode::unavailable);
  EXPECT_THAT(names(book.take(task(3), 1, {}).value()), ElementsAre("example.com/gpu=1"))
      << "nothing was kept back";
  EXPECT_EQ(book.take(task(4), 1, {"example.com/gpu=0"}).error().code, ErrorCode::unavailable);
  book.release(task(1));
  EXPECT_THAT(book.take(task(4), 0, {"example.com/gpu=0"}).error().message,
              HasSubstr("container.resources.gpu"))
      << "nobody counts what an attribute asks for";
  EXPECT_THAT(names(book.take(task(4), 1, {"example.com/gpu=0"}).value()), ElementsAre("example.com/gpu=0"));
  EXPECT_EQ(book.take(task(5), 0, {"example.com/unheard-of"}).error().code, ErrorCode::invalid_argument);
  DeviceBook none({}, {});
  EXPECT_EQ(none.gpus(), 0);
  EXPECT_EQ(none.take(task(1), 1, {}).error().code, ErrorCode::unavailable);
}

/// A kind's devices: {name, the nodes that its own part of the file has}.
std::vector<Device> kind_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& devices) {
  std::vector<Device> all;
  for (const auto& [name, own] : devices) all.push_back({"v/gpu", name, {}, own});
  return all;
}

TEST(Devices, ACardUnderSeveralNamesIsOneCard) {
  DeviceBook book(kind_of({{"0", {"/dev/card0", "/dev/dri/0"}},
                           {"GPU-6f1c", {"/dev/card0", "/dev/dri/0"}},
                           {"1", {"/dev/card1"}},
                           {"all", {"/dev/card0", "/dev/card1", "/dev/dri/0"}}}),
                  "v/gpu");
  EXPECT_EQ(book.gpus(), 2);
  EXPECT_THAT(names(book.take(task(1), 1, {"v/gpu=GPU-6f1c"}).value()), ElementsAre("v/gpu=GPU-6f1c"));
  EXPECT_EQ(book.take(task(2), 1, {"v/gpu=0"}).error().code, ErrorCode::unavailable);
  EXPECT_EQ(book.take(task(2), 2, {"v/gpu=all"}).error().code, ErrorCode::unavailable);
  EXPECT_THAT(names(book.take(task(2), 1, {}).value()), ElementsAre("v/gpu=1"));
  book.release(task(1));
  book.release(task(2));
  EXPECT_EQ(book.take(task(3), 1, {"v/gpu=all"}).error().code, ErrorCode::invalid_argument) << "that is two";
  EXPECT_THAT(names(book.take(task(3), 2, {"v/gpu=all"}).value()), ElementsAre("v/gpu=all"));
  EXPECT_EQ(book.take(task(4), 1, {}).error().code, ErrorCode::unavailable);
}

TEST(Devices, ThatShareTheirDriversNodeAreStillSeveral) {
  EXPECT_EQ(
      DeviceBook(kind_of({{"0", {"/dev/kfd", "/dev/dri/0"}}, {"1", {"/dev/kfd", "/dev/dri/1"}}}), "v/gpu")
          .gpus(),
      2);
  EXPECT_EQ(DeviceBook(kind_of({{"0", {"/dev/card0"}}, {"all", {"/dev/card0"}}}), "v/gpu").gpus(), 1);
  EXPECT_EQ(DeviceBook(kind_of({{"0", {}}, {"1", {}}}), "v/gpu").gpus(), 2)
      << "nothing tells them from others";
}

TEST(Devices, ThatAreNamedAreChosenFirst) {
  DeviceBook book(kind_of({{"0", {"/dev/0"}}, {"1", {"/dev/1"}}}), "v/gpu");
  EXPECT_THAT(names(book.take(task(1), 2, {"v/gpu=0"}).value()),
              testing::UnorderedElementsAre("v/gpu=0", "v/gpu=1"));
}

TEST(Devices, OfAFileInYamlAreNotOverlooked) {
  const TempFolder folder;
  std::ofstream(folder.file("nvidia.yaml")) << "kind: nvidia.com/gpu";
  EXPECT_THAT(read_cdi_folders({folder.path()}).error().message, HasSubstr("--format=json"));
  std::ofstream(folder.file("nvidia.json")) << R"({"kind": "nvidia.com/gpu", "devices": []})";
  EXPECT_TRUE(read_cdi_folders({folder.path()}).ok());
}

TEST(Devices, AreStillTheirTasksInTheAgentsNextLife) {
  DeviceBook book(parse_cdi(two_gpus).value(), "example.com/gpu");
  book.adopt(task(1), {"example.com/gpu=0", "example.com/gpu=gone"});
  EXPECT_THAT(names(book.take(task(2), 1, {}).value()), ElementsAre("example.com/gpu=1"));
  EXPECT_EQ(book.take(task(3), 1, {}).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace troupe::agent
