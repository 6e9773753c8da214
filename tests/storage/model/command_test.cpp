#include "storage/model/command.hpp"

#include <gtest/gtest.h>

#include <set>

#include "storage/base/random.hpp"
#include "storage/model/command_table.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/pinned_image.hpp"
#include "tests/storage/model/samples.hpp"

namespace troupe {
namespace {

TEST(CommandTable, EveryNumberHasARowAndABody) {
  const auto rows = command_table();
  ASSERT_EQ(rows.size(), std::variant_size_v<CommandBody>);
  const auto commands = samples::commands();
  ASSERT_EQ(commands.size(), rows.size());
  std::set<std::string_view> names;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    EXPECT_EQ(rows[n].number, n + 1);
    EXPECT_EQ(commands[n].number(), n + 1);
    EXPECT_EQ(command_name(commands[n]), rows[n].name);
    EXPECT_TRUE(names.insert(rows[n].name).second);
    EXPECT_FALSE(rows[n].precondition.empty());
    EXPECT_FALSE(rows[n].why_twice_is_harmless.empty());
  }
}

TEST(CommandTableDeathTest, ANumberWithoutARowIsABug) {
  EXPECT_DEATH((void)command_row(0), "check_failed");
  EXPECT_DEATH((void)command_row(static_cast<std::uint16_t>(command_table().size() + 1)), "check_failed");
}

TEST(Commands, ComeBackWithTheirEnvelope) {
  for (const Command& before : samples::commands()) {
    const Bytes bytes = encode(before);
    const auto after = decode_command(bytes);
    ASSERT_TRUE(after.ok()) << command_name(before);
    EXPECT_EQ(encode(after.value()), bytes) << command_name(before);
    EXPECT_EQ(after.value().number(), before.number());
    EXPECT_EQ(after.value().level, before.level);
    EXPECT_EQ(after.value().fence, before.fence);
    EXPECT_EQ(after.value().proposal, before.proposal);
    EXPECT_EQ(after.value().request, before.request);
    EXPECT_EQ(after.value().caller, before.caller);
    EXPECT_EQ(after.value().reason, before.reason);
  }
}

/// A command's bytes with its parts replaced: as another build might write them.
Bytes envelope(std::uint64_t number, std::size_t parts, const Bytes& body, const Bytes& more = {}) {
  Bytes bytes(1, '\x01');
  PackWriter writer(bytes);
  writer.array(parts);
  writer.uint(number);
  pack(writer, std::uint32_t{0});
  pack(writer, Fence{});
  pack(writer, ProposalId{});
  for (int n = 0; n < 3; ++n) writer.text("");
  return bytes + body + more;
}

TEST(Commands, AnUnknownNumberIsNotDamageButAReasonToStop) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{command_table().size() + 1},
                                     std::uint64_t{65'535}, std::uint64_t{UINT64_MAX}}) {
    const auto refused = decode_command(envelope(number, 8, packed(KillJob{})));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable) << number;
  }
}

TEST(Commands, AShortBodyLeavesDefaultsAndALongOneIsSkipped) {
  Bytes empty_body, long_body;
  PackWriter(empty_body).array(0);
  PackWriter writer(long_body);
  writer.array(2);
  pack(writer, samples::id<JobId>(1));
  writer.array(1);
  writer.text("from the future");
  const auto empty = decode_command(envelope(5, 8, empty_body));
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(std::get<KillJob>(empty.value().body).job.is_nil());
  const auto grown = decode_command(envelope(5, 8, long_body));
  ASSERT_TRUE(grown.ok());
  EXPECT_EQ(std::get<KillJob>(grown.value().body).job, samples::id<JobId>(1));
}

TEST(Commands, ALongerEnvelopeIsSkippedAndAShorterOneIsDamage) {
  const Bytes body = packed(KillJob{samples::id<JobId>(1)});
  EXPECT_TRUE(decode_command(envelope(5, 9, body, packed(std::string("from the future")))).ok());
  const auto shorter = decode_command(envelope(5, 7, {}));
  ASSERT_FALSE(shorter.ok());
  EXPECT_EQ(shorter.error().code, ErrorCode::corrupt);
  EXPECT_FALSE(decode_command(envelope(5, 9, body)).ok()) << "the ninth part is missing";
}

TEST(Commands, BytesLeftOverAreDamage) {
  for (const Command& command : samples::commands()) {
    const auto refused = decode_command(encode(command) + '\x05');
    ASSERT_FALSE(refused.ok()) << command_name(command);
    EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
  }
}

TEST(Commands, EveryTruncationAndAnotherFormatAreDamage) {
  for (const Command& command : samples::commands()) {
    const Bytes bytes = encode(command);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto refused = decode_command(BytesView(bytes).substr(0, size));
      ASSERT_FALSE(refused.ok()) << command_name(command) << " " << size;
      EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
    }
    Bytes other = bytes;
    other[0] = '\x02';
    EXPECT_EQ(decode_command(other).error().code, ErrorCode::corrupt);
  }
}

TEST(Commands, SpoiledBytesNeverCrash) {
  Random random(11);
  const auto commands = samples::commands();
  for (int n = 0; n < 60'000; ++n) {
    Bytes bytes = encode(commands[random.below(commands.size())]);
    for (std::uint64_t hits = 1 + random.below(4); hits-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    (void)decode_command(bytes);
  }
}

TEST(RequestHash, LeavesOutTheJobIdThatEachGatewayMintsAnew) {
  const auto descriptor = std::make_shared<const JobDescriptor>(samples::batch_descriptor());
  const CommandBody first = CreateJob{samples::id<JobId>(1), descriptor};
  const CommandBody again =
      CreateJob{samples::id<JobId>(2), std::make_shared<const JobDescriptor>(*descriptor)};
  EXPECT_EQ(request_hash(first), request_hash(again));
  JobDescriptor other = *descriptor;
  other.env["A"] = "2";
  EXPECT_NE(request_hash(first),
            request_hash(CreateJob{samples::id<JobId>(1), std::make_shared<const JobDescriptor>(other)}));
  (void)request_hash(CreateJob{samples::id<JobId>(1), nullptr});
}

TEST(RequestHash, LeavesOutWhatGatewaysAddToAJob) {
  const auto command_of = [](JobDescriptor job, std::uint32_t level) {
    Command command;
    command.level = level;
    command.body = CreateJob{samples::id<JobId>(1), std::make_shared<const JobDescriptor>(std::move(job))};
    return command;
  };
  JobDescriptor sent = samples::batch_descriptor();
  sent.image = {"app", "1", ""};
  JobDescriptor pinned = sent, unresolved = sent, other = sent;
  pinned.image.digest = "sha256:1";
  unresolved.attributes[unresolved_image_attribute] = "true";
  other.image.tag = "2";
  const std::uint64_t hash = request_hash(command_of(sent, 0));
  EXPECT_EQ(request_hash(command_of(pinned, level_of_pinned_images)), hash);
  EXPECT_EQ(request_hash(command_of(unresolved, level_of_pinned_images)), hash);
  EXPECT_NE(request_hash(command_of(other, level_of_pinned_images)), hash);
  EXPECT_NE(request_hash(command_of(pinned, level_of_pinned_images - 1)), hash)
      << "as builds of that level have it";
  JobDescriptor by_digest = sent;
  by_digest.image = {"app", "", "sha256:1"};
  JobDescriptor another = by_digest;
  another.image.digest = "sha256:2";
  EXPECT_NE(request_hash(command_of(by_digest, level_of_pinned_images)),
            request_hash(command_of(another, level_of_pinned_images)));
}

TEST(RequestHash, TellsAllOtherBodiesApart) {
  EXPECT_NE(request_hash(KillJob{samples::id<JobId>(1)}), request_hash(KillJob{samples::id<JobId>(2)}));
  std::set<std::uint64_t> hashes;
  for (const Command& command : samples::commands()) hashes.insert(request_hash(command.body));
  EXPECT_EQ(hashes.size(), command_table().size());
}

TEST(RequestHash, TellsCommandsApartWhoseBodiesLookAlike) {
  EXPECT_NE(request_hash(AdvanceSlots{}), request_hash(KillTasks{}));
  EXPECT_NE(request_hash(FinishJobs{}), request_hash(EndTasks{}));
}

TEST(EntityRefs, NameTheirEntity) {
  const auto job = samples::id<JobId>(1);
  const auto task = samples::id<TaskId>(2);
  EXPECT_EQ(EntityRef::of(job).job(), job);
  EXPECT_EQ(EntityRef::of(task).task(), task);
  EXPECT_EQ(EntityRef::of(HostId{70'000}).host(), HostId{70'000});
  EXPECT_EQ(EntityRef::of(HostId{7}).text(), "host/7");
  EXPECT_EQ(EntityRef::of(job).text(), "job/" + to_text(job));
  EXPECT_EQ(EntityRef::of(task).text(), "task/" + to_text(task));
  EXPECT_EQ(shard_of(EntityRef::of(job), 64), shard_of(job, 64));
  EXPECT_EQ(shard_of(EntityRef::of(task), 64), shard_of(task, 64));
  EXPECT_EQ(shard_of(EntityRef::of(HostId{70}), 64), shard_of(HostId{70}, 64));
}

}  // namespace
}  // namespace troupe
