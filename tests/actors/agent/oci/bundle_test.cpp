// What a container's config.json always says, and what job and image decide of it.

#include "actors/agent/oci/bundle.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "actors/agent/oci/container_plan.hpp"
#include "actors/agent/oci/container_start.hpp"
#include "actors/agent/oci/uid_ranges.hpp"
#include "net/json/value.hpp"

namespace troupe::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ContainerSpec busybox_spec() {
  ContainerSpec spec;
  spec.task.bytes[0] = 9;
  spec.argv = {"/bin/sh", "-c", "true"};
  spec.image = "busybox:1";
  return spec;
}

json::Value config_of(const BundleWishes& wishes) { return json::parse(bundle_config(wishes)).value(); }

std::vector<std::string> words_at(const json::Value& value) {
  std::vector<std::string> words;
  for (const json::Value& item : *value.array()) words.push_back(*item.text());
  return words;
}

TEST(Bundle, AlwaysHasNamespacesOfItsOwnAndNoWayToMoreRights) {
  BundleWishes wishes;
  wishes.argv = {"/bin/true"};
  wishes.uid_first = 1 << 28;
  wishes.uid_count = 65'536;
  const json::Value config = config_of(wishes);
  const json::Value& linux_part = *config.find("linux");
  std::vector<std::string> namespaces;
  for (const json::Value& one : *linux_part.find("namespaces")->array()) {
    namespaces.push_back(*one.find("type")->text());
    EXPECT_EQ(one.find("path"), nullptr) << "somebody else's namespace";
  }
  EXPECT_THAT(namespaces, ElementsAre("user", "pid", "mount", "ipc", "uts", "network", "cgroup"));
  EXPECT_TRUE(*config.find("process")->find("noNewPrivileges")->boolean());
  const auto bounding = words_at(*config.find("process")->find("capabilities")->find("bounding"));
  for (const char* dangerous :
       {"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_MKNOD", "CAP_NET_RAW"})
    EXPECT_THAT(bounding, ::testing::Not(Contains(dangerous)));
  const auto& map = linux_part.find("uidMappings")->array()->front();
  EXPECT_EQ(*map.find("hostID")->integer(), 1 << 28);
  EXPECT_EQ(*map.find("containerID")->integer(), 0);
  EXPECT_EQ(*map.find("size")->integer(), 65'536);
  EXPECT_THAT(words_at(*linux_part.find("maskedPaths")), Contains("/proc/kcore"));
  EXPECT_THAT(words_at(*linux_part.find("readonlyPaths")), Contains("/proc/sys"));
}

TEST(Bundle, AllowsCallsByAListThatHoldsNothingDangerous) {
  const auto& calls = allowed_system_calls();
  for (const char* dangerous :
       {"mount",         "umount2",           "unshare",     "setns",          "pivot_root",
        "bpf",           "perf_event_open",   "ptrace",      "init_module",    "kexec_load",
        "keyctl",        "add_key",           "reboot",      "swapon",         "settimeofday",
        "clock_settime", "open_by_handle_at", "userfaultfd", "io_uring_setup", "clone",
        "clone3",        "process_vm_readv",  "move_mount",  "fsopen",         "syslog",
        "acct",          "quotactl"})
    EXPECT_EQ(std::count(calls.begin(), calls.end(), dangerous), 0) << dangerous;
  auto sorted = calls;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "a call is there twice";
  const json::Value config = config_of({});
  const json::Value& seccomp = *config.find("linux")->find("seccomp");
  EXPECT_EQ(*seccomp.find("defaultAction")->text(), "SCMP_ACT_ERRNO");
  const json::Array& rules = *seccomp.find("syscalls")->array();
  ASSERT_EQ(rules.size(), 3U);
  const json::Value& flags = rules[1].find("args")->array()->front();
  EXPECT_EQ(*flags.find("value")->integer(), 0x7E02'0000);
  EXPECT_EQ(*flags.find("op")->text(), "SCMP_CMP_MASKED_EQ");
}

TEST(Bundle, TheJobsWordsGoBeforeTheImagesAndOursBeforeBoth) {
  ContainerSpec spec = busybox_spec();
  spec.env = {{"MINE", "job"}, {"TROUPE_TASK_ID", "forged"}};
  ImageConfig image;
  image.entry_point = {"/image-program"};
  image.env = {"MINE=image", "PATH=/image/bin", "=odd", "no-equals", "TITUS_JOB_ID=forged"};
  image.folder = "/srv";
  image.user = "7:8";
  const BundleWishes wishes = bundle_wishes(spec, image).value();
  EXPECT_EQ(wishes.argv, spec.argv);
  EXPECT_THAT(wishes.env, Contains("MINE=job"));
  EXPECT_THAT(wishes.env, Contains("PATH=/image/bin"));
  EXPECT_THAT(wishes.env, Contains("TROUPE_TASK_ID=" + to_text(spec.task)));
  EXPECT_THAT(wishes.env, Contains("TITUS_JOB_ID=" + to_text(spec.job)));
  EXPECT_EQ(wishes.folder, "/srv");
  EXPECT_EQ(wishes.user, 7U);
  EXPECT_EQ(wishes.group, 8U);
  EXPECT_FALSE(wishes.read_only_root);
  spec.attributes["troupe.readOnlyRoot"] = "true";
  EXPECT_TRUE(bundle_wishes(spec, image).value().read_only_root);
}

TEST(Bundle, RunsTheImagesProgramForAJobWithoutOne) {
  ContainerSpec spec = busybox_spec();
  spec.argv.clear();
  ImageConfig image;
  EXPECT_EQ(bundle_wishes(spec, image).error().code, ErrorCode::invalid_argument);
  image.entry_point = {"/a"};
  image.command = {"b"};
  EXPECT_THAT(bundle_wishes(spec, image).value().argv, ElementsAre("/a", "b"));
}

TEST(Bundle, RefusesUsersByNameAndFoldersThatAreNotAbsolute) {
  for (const char* user : {"nobody", "7:", ":7", "70000", "7:x", "-1", "7:8:9"}) {
    ImageConfig image;
    image.user = user;
    EXPECT_EQ(bundle_wishes(busybox_spec(), image).error().code, ErrorCode::invalid_argument) << user;
  }
  ImageConfig image;
  image.folder = "srv";
  EXPECT_EQ(bundle_wishes(busybox_spec(), image).error().code, ErrorCode::invalid_argument);
}

TEST(Bundle, SharedMemoryAndOtherFilesInMemoryHaveTheSizesThatTheJobAsksFor) {
  ContainerSpec spec = busybox_spec();
  spec.resources.memory_mb = 256;
  EXPECT_EQ(bundle_wishes(spec, {}).value().shm_bytes, 64 << 20);
  spec.attributes = {{"troupe.shmMB", "128"}, {"troupe.tmpfs", "/scratch=16,/var/cache=8"}};
  const BundleWishes wishes = bundle_wishes(spec, {}).value();
  EXPECT_EQ(wishes.shm_bytes, 128 << 20);
  EXPECT_THAT(wishes.tmpfs, ElementsAre(TmpfsWish{"/scratch", 16 << 20}, TmpfsWish{"/var/cache", 8 << 20}));
  EXPECT_THAT(bundle_config(wishes), HasSubstr("size=16777216"));
  const std::pair<const char*, const char*> bad[] = {
      {"troupe.shmMB", "0"},         {"troupe.shmMB", "257"},      {"troupe.shmMB", "1g"},
      {"troupe.tmpfs", "/a"},        {"troupe.tmpfs", "a=1"},      {"troupe.tmpfs", "/a=257"},
      {"troupe.tmpfs", "/a/../b=1"}, {"troupe.tmpfs", "/proc=1"},  {"troupe.tmpfs", "/dev/shm=1"},
      {"troupe.tmpfs", "/=1"},       {"troupe.network", "bridge"},
  };
  for (const auto& [name, value] : bad) {
    spec.attributes = {{name, value}};
    EXPECT_EQ(bundle_wishes(spec, {}).error().code, ErrorCode::invalid_argument) << name << '=' << value;
  }
}

TEST(Bundle, ShowsItsOwnDevicesAndTheHostsNetworkOnlyWhereTheyWereGiven) {
  BundleWishes wishes;
  wishes.argv = {"/bin/true"};
  const std::string without = bundle_config(wishes);
  EXPECT_THAT(without, ::testing::Not(HasSubstr(std::string(stage_folder) + "/devices")));
  EXPECT_THAT(without, ::testing::Not(HasSubstr("hooks")));
  wishes.devices.nodes = {{"/dev/gpu0", "/dev/gpu0", false, 1, 5, 0666}};
  wishes.devices.mounts = {{"/usr/lib/gpu", "/gpu", {"ro"}}};
  wishes.devices.hooks = {{"createContainer", "/usr/bin/hook", {"hook", "link"}, {}}};
  wishes.host_network = true;
  wishes.network_files = {"/etc/resolv.conf"};
  const json::Value config = config_of(wishes);
  std::map<std::string, std::string> mounts;
  for (const json::Value& one : *config.find("mounts")->array())
    mounts[*one.find("destination")->text()] = *one.find("source")->text();
  EXPECT_EQ(mounts["/dev/gpu0"], staged_node(0));
  EXPECT_EQ(mounts["/gpu"], "/usr/lib/gpu");
  EXPECT_EQ(mounts["/sys"], "/sys");
  EXPECT_EQ(mounts["/etc/resolv.conf"], "/etc/resolv.conf");
  const json::Value& hook = config.find("hooks")->find("createContainer")->array()->front();
  EXPECT_EQ(*hook.find("path")->text(), "/usr/bin/hook");
  EXPECT_THAT(words_at(*hook.find("args")), ElementsAre("hook", "link"));
  for (const json::Value& one : *config.find("linux")->find("namespaces")->array())
    EXPECT_NE(*one.find("type")->text(), "network");
}

TaskReport ended(Reason reason, int exit_code, int signal, std::string message) {
  TaskReport end;
  end.reason = reason;
  end.exit_code = exit_code;
  end.signal = signal;
  end.message = std::move(message);
  return end;
}

TEST(ContainerEnd, AWantOfMemoryOutweighsWhatFollowsFromIt) {
  TaskReport killed = ended(Reason::failed, 0, SIGKILL, "ended by signal 9");
  explain_oom(killed, 1, 64);
  EXPECT_EQ(killed.message, "OOMKilled: it needed more than its 64 MiB of memory");
  TaskReport shell = ended(Reason::failed, 137, 0, {});
  explain_oom(shell, 1, 64);
  EXPECT_THAT(shell.message, HasSubstr("OOMKilled"));
  TaskReport went_on = ended(Reason::normal, 0, 0, {});
  explain_oom(went_on, 2, 64);
  EXPECT_EQ(went_on.reason, Reason::normal);
  EXPECT_EQ(went_on.message, "2 of its processes were killed for want of memory");
  TaskReport untouched = ended(Reason::failed, 0, SIGKILL, "ended by signal 9");
  explain_oom(untouched, 0, 64);
  EXPECT_EQ(untouched.message, "ended by signal 9");
  TaskReport stopped = ended(Reason::killed, 0, SIGKILL, {});
  explain_oom(stopped, 1, 64);
  EXPECT_EQ(stopped.message, "");
}

TEST(ContainerEnd, AProgramThatCannotRunIsTheUsersFaultAndTheRestTheHosts) {
  using Kind = InitRecord::Kind;
  const TaskFolder nowhere{"/nonexistent"};
  const auto failure = [&](Kind kind, int value) {
    return container_failure(nowhere, busybox_spec(), InitRecord{kind, InitRecord::Stage::layers, value});
  };
  EXPECT_EQ(failure(Kind::not_started, ENOENT).reason, Reason::invalid_request);
  EXPECT_EQ(failure(Kind::not_started, ENOMEM).reason, Reason::local_system_error);
  EXPECT_EQ(failure(Kind::not_prepared, EPERM).reason, Reason::local_system_error);
  EXPECT_THAT(failure(Kind::not_prepared, EPERM).message, HasSubstr("map its layers"));
  EXPECT_EQ(container_failure(nowhere, busybox_spec(), std::nullopt).reason, Reason::local_system_error);
}

TEST(UidRanges, GivesEachContainerItsOwnAndNoneTwice) {
  UidRanges ranges(1 << 20, 2);
  TaskId a, b, c;
  a.bytes[0] = 1, b.bytes[0] = 2, c.bytes[0] = 3;
  EXPECT_EQ(ranges.take(a), 1U << 20);
  EXPECT_EQ(ranges.take(a), 1U << 20);
  EXPECT_EQ(ranges.take(b), (1U << 20) + uids_per_container);
  EXPECT_EQ(ranges.take(c), std::nullopt);
  ranges.release(a);
  ranges.release(a);
  EXPECT_EQ(ranges.take(c), 1U << 20);
  UidRanges next_life(1 << 20, 2);
  next_life.adopt(b, 1 << 20);
  EXPECT_EQ(next_life.take(a), (1U << 20) + uids_per_container);
}

}  // namespace
}  // namespace troupe::agent
