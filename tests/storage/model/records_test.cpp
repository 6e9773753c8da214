#include "storage/model/records.hpp"

#include <gtest/gtest.h>

#include "storage/base/random.hpp"
#include "tests/storage/model/samples.hpp"

namespace troupe {
namespace {

/// Comes back with the same bytes, which differ from those of an empty record in every field.
template <class Record>
Record round_trip(const Record& record) {
  const Bytes bytes = packed(record);
  auto back = unpacked<Record>(bytes);
  EXPECT_TRUE(back.ok());
  EXPECT_EQ(packed(back.value()), bytes);
  const Record empty{};
  std::vector<Bytes> here, defaults;
  each_field(record, [&](std::string_view, const auto& member) { here.push_back(packed(member)); });
  each_field(empty, [&](std::string_view, const auto& member) { defaults.push_back(packed(member)); });
  // What came later has samples of its own: these are those whose bytes are held for ever.
  if constexpr (HasGrown<Record>) here.resize(Record::fields_at_first);
  for (std::size_t n = 0; n < here.size(); ++n)
    EXPECT_NE(here[n], defaults[n]) << "sample leaves field " << n;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(unpacked<Record>(BytesView(bytes).substr(0, size)).ok()) << size;
  return std::move(back).value();
}

TEST(Records, AJobComesBack) {
  const JobRecord back = round_trip(samples::job());
  EXPECT_EQ(*back.descriptor, *samples::job().descriptor);
  EXPECT_EQ(back.id, samples::job().id);
  EXPECT_EQ(back.capacity, samples::job().capacity);
  EXPECT_EQ(back.set_aside, "crashed");
  EXPECT_EQ(back.version, Index{5});
}

TEST(Records, ASlotComesBack) { EXPECT_EQ(round_trip(samples::slot()), samples::slot()); }

TEST(Records, ATaskComesBack) {
  const TaskRecord back = round_trip(samples::task());
  EXPECT_EQ(back.steps, samples::task().steps);
  EXPECT_EQ(back.host, HostId{8});
  EXPECT_EQ(back.exit_code, -1);
  EXPECT_EQ(back.created(), Instant{100});
  EXPECT_EQ(back.set_aside, "crashed");
}

TEST(Records, ATasksStepsArePackedLikeAnArrayOfSteps) {
  TaskSteps steps;
  steps.enter(TaskState::started, {Instant{1'700'000'000'123}, Reason::filled_in});
  steps.enter(TaskState::finished, {Instant{-5}, Reason::failed});
  std::array<Step, task_state_count> plain;
  for (std::size_t n = 0; n < task_state_count; ++n) plain[n] = steps[static_cast<TaskState>(n)];
  EXPECT_EQ(packed(steps), packed(plain));
  EXPECT_EQ(plain[static_cast<std::size_t>(TaskState::started)],
            (Step{Instant{1'700'000'000'123}, Reason::filled_in}));
  EXPECT_EQ(plain[static_cast<std::size_t>(TaskState::finished)], (Step{Instant{-5}, Reason::failed}));
  EXPECT_EQ(steps[TaskState::launched], Step{});
}

TEST(Records, AStepBeyondAllTimeIsDamaged) {
  std::array<Step, task_state_count> plain;
  plain[0].at = Instant{TaskSteps::at_ms_max};
  EXPECT_FALSE(unpacked<TaskSteps>(packed(plain)).ok());
  plain[0].at = Instant{TaskSteps::at_ms_max - 1};
  EXPECT_TRUE(unpacked<TaskSteps>(packed(plain)).ok());
}

TEST(Records, AHostComesBack) {
  const HostRecord back = round_trip(samples::host());
  EXPECT_EQ(back.resources, samples::host().resources);
  EXPECT_EQ(back.attributes, samples::host().attributes);
  EXPECT_EQ(back.drivers, samples::host().drivers);
  EXPECT_EQ(back.session, samples::host().session);
  EXPECT_TRUE(back.is_connected());
}

TEST(Records, TheOthersComeBack) {
  EXPECT_EQ(round_trip(samples::group()).instance_count, 12U);
  EXPECT_EQ(round_trip(samples::cell()).policy, samples::cell().policy);
  EXPECT_EQ(round_trip(samples::request()).error, ErrorCode::sequence_in_use);
  EXPECT_EQ(round_trip(ShardRecord{ShardId{3}, NodeId{2}, Epoch{9}}),
            (ShardRecord{ShardId{3}, NodeId{2}, Epoch{9}}));
}

TEST(Records, SayWhatTheyHaveGrownOnlyWhenItIsNotTheDefault) {
  TaskRecord task = samples::task();
  const Bytes before = packed(task);
  task.attributes = StringMap{{"seen", "yes"}};
  EXPECT_GT(packed(task).size(), before.size());
  EXPECT_EQ(unpacked<TaskRecord>(packed(task)).value().attributes, task.attributes);
  task.attributes = RareMap();
  EXPECT_EQ(packed(task), before);
  task.ports = std::vector<std::uint16_t>{20'001, 20'002};
  EXPECT_EQ(unpacked<TaskRecord>(packed(task)).value().ports, task.ports);
  task.ports = RareList<std::uint16_t>();
  EXPECT_EQ(packed(task), before);
  Resources amount{1, 2, 3, 4, 5};
  const Bytes without_ports = packed(amount);
  amount.ports = 6;
  EXPECT_EQ(unpacked<Resources>(packed(amount)).value(), amount);
  amount.ports = 0;
  EXPECT_EQ(packed(amount), without_ports);
  CellPolicy policy;
  const std::size_t short_size = packed(policy).size();
  policy.audit_max = 7;  // What stands before it is the default, and is written all the same.
  EXPECT_EQ(unpacked<CellPolicy>(packed(policy)).value(), policy);
  policy.rates = {{"r", "ci-*", "POST *", 3, 60, true}};
  policy.caller_jobs_max = 5;
  EXPECT_EQ(unpacked<CellPolicy>(packed(policy)).value(), policy);
  EXPECT_EQ(packed(CellPolicy{}).size(), short_size);
  GroupRecord group = samples::group();
  group.jobs_max = 3;
  EXPECT_EQ(unpacked<GroupRecord>(packed(group)).value(), group);
}

TEST(Records, ADescriptorsLaterPartsComeBack) {
  JobDescriptor d = samples::service_descriptor();
  d.budget = samples::budget();
  std::get<ServiceSpec>(d.kind).processes = {true, false};
  EXPECT_EQ(unpacked<JobDescriptor>(packed(d)).value(), d);
}

TEST(Records, DescriptorsOfBothKindsComeBack) {
  for (const JobDescriptor& d : {samples::batch_descriptor(), samples::service_descriptor()}) {
    const auto back = unpacked<JobDescriptor>(packed(d));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back.value(), d);
  }
}

TEST(Records, FromANewerReleaseAreReadWithoutWhatItAdded) {
  TaskRecord task = samples::task();
  task.attributes = StringMap{{"a", "b"}};
  task.moved_from = "6f1c2a70-3d8e-4b21-9c55-0a1b2c3d4e5f";
  task.ports = std::vector<std::uint16_t>{20'001};
  JobRecord job = samples::job();
  job.disrupted = {Instant{1}, 2};
  job.throttle_reason = "it fails";
  const auto check = []<class Record>(const Record& record) {
    const Bytes bytes = packed(record);
    Bytes grown;
    PackWriter writer(grown);
    PackReader reader(bytes);
    const std::size_t fields = reader.array();
    ASSERT_EQ(fields, field_count<Record>) << "the last field must say something";
    writer.array(fields + 1);
    grown += bytes.substr(bytes.size() - reader.left());
    writer.array(1);
    writer.text("from the future");
    EXPECT_EQ(packed(unpacked<Record>(grown).value()), bytes);
  };
  check(task);
  check(job);
}

TEST(Records, SpoiledOnesAreReadOrRefusedButNeverCrash) {
  Random random(3);
  for (int n = 0; n < 30'000; ++n) {
    Bytes bytes = n % 2 == 0 ? packed(samples::job()) : packed(samples::host());
    for (std::uint64_t hits = 1 + random.below(4); hits-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    (void)unpacked<JobRecord>(bytes);
    (void)unpacked<TaskRecord>(bytes);
    (void)unpacked<HostRecord>(bytes);
  }
}

TEST(Descriptors, TheUniqueNameNeedsASequence) {
  JobDescriptor d = samples::batch_descriptor();
  EXPECT_EQ(d.unique_name(), "app-main-a-001");
  d.group_sequence.clear();
  EXPECT_EQ(d.unique_name(), "");
}

TEST(Descriptors, ABatchsCapacityIsItsSize) {
  EXPECT_EQ(samples::batch_descriptor().initial_capacity(), (Capacity{3, 3, 3}));
  EXPECT_EQ(samples::service_descriptor().initial_capacity(), (Capacity{1, 2, 5}));
}

TEST(Amounts, FitOnlyWhenEachOneFits) {
  const Resources room{100, 100, 100, 100, 1, 5};
  EXPECT_TRUE(room.fits_into(room));
  for (auto member : {&Resources::cpu_milli, &Resources::memory_mb, &Resources::disk_mb,
                      &Resources::network_mbps, &Resources::gpu, &Resources::ports}) {
    Resources more = room;
    ++(more.*member);
    EXPECT_FALSE(more.fits_into(room));
    EXPECT_TRUE(room.fits_into(more));
  }
  Resources sum = room;
  sum += {1, 2, 3, 4, 5};
  EXPECT_EQ(sum, (Resources{101, 102, 103, 104, 6, 5}));
  sum -= {1, 2, 3, 4, 5};
  EXPECT_EQ(sum, room);
}

}  // namespace
}  // namespace troupe
