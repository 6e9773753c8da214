#include <gtest/gtest.h>

#include "net/api/bodies.hpp"
#include "net/api/constraint_names.hpp"
#include "net/api/descriptor.hpp"
#include "storage/base/random.hpp"

namespace troupe::api {
namespace {

constexpr std::uint64_t descriptors_checked = 500;
constexpr std::uint64_t mutations_checked = 20'000;

std::string random_text(Random& random, std::size_t size_max) {
  static constexpr std::array<std::string_view, 12> pieces{
      "a", "Z", "7", " ", "\"", "\\", "/", "\t", "é", "\u2028", "\xf0\x9f\x8e\xac", "{"};
  std::string out;
  for (auto left = random.below(size_max + 1); left > 0; --left) out += pieces[random.below(pieces.size())];
  return out;
}
std::string random_name(Random& random) {
  std::string out;
  for (auto left = 1 + random.below(12); left > 0; --left) out += static_cast<char>('a' + random.below(26));
  return out;
}
StringMap random_map(Random& random) {
  StringMap out;
  for (auto left = random.below(5); left > 0; --left) out[random_name(random)] = random_text(random, 8);
  return out;
}
std::vector<std::string> random_words(Random& random) {
  std::vector<std::string> out;
  for (auto left = random.below(4); left > 0; --left) out.push_back(random_text(random, 6));
  return out;
}
std::uint32_t small(Random& random, std::uint64_t bound) {
  return static_cast<std::uint32_t>(random.below(bound));
}

RetryPolicy random_retry(Random& random) {
  RetryPolicy out;
  out.kind = static_cast<RetryPolicy::Kind>(random.below(3));
  out.retries = small(random, 100);
  if (out.kind != RetryPolicy::Kind::immediate) out.delay = milliseconds(random.between(0, 1'000'000));
  if (out.kind == RetryPolicy::Kind::exponential)
    out.delay_max = out.delay + milliseconds(random.between(0, 1'000'000));
  return out;
}

void fill_constraints(Random& random, JobDescriptor& out) {
  for (const auto& known : constraint_names()) {
    if (!random.chance(20)) continue;
    auto& where = random.chance(50) ? out.hard_constraints : out.soft_constraints;
    const bool is_boolean = known.value == ConstraintValue::boolean;
    where[std::string(known.name)] =
        is_boolean ? (random.chance(50) ? "true" : "false") : random_name(random);
  }
}

void fill_kind(Random& random, JobDescriptor& out) {
  if (random.chance(50)) {
    BatchSpec batch;
    batch.size = 1 + small(random, 1000);
    batch.runtime_limit = std::chrono::seconds(random.between(5, 864'000));
    batch.retry_on_runtime_limit = random.chance(50);
    batch.retry = random_retry(random);
    out.kind = batch;
    return;
  }
  ServiceSpec service;
  service.capacity.min = small(random, 800);
  service.capacity.desired = service.capacity.min + small(random, 800);
  service.capacity.max = service.capacity.desired + small(random, 800);
  service.enabled = random.chance(50);
  service.retry = random_retry(random);
  service.processes = {random.chance(50), random.chance(50)};
  out.kind = service;
}

DisruptionBudget random_budget(Random& random) {
  using Policy = DisruptionBudget::Policy;
  using Rate = DisruptionBudget::Rate;
  DisruptionBudget out;
  out.policy = static_cast<Policy>(1 + random.below(4));
  if (out.policy == Policy::self_managed) out.relocation_time = milliseconds(random.between(0, 864'000'000));
  if (out.policy == Policy::availability_percentage) out.policy_milli_percent = small(random, 100'001);
  if (out.policy == Policy::unhealthy_tasks || out.policy == Policy::relocations)
    out.policy_limit = 1 + small(random, 1'000);
  out.rate = static_cast<Rate>(random.below(4));
  if (out.rate == Rate::per_interval || out.rate == Rate::percentage_per_interval)
    out.interval = milliseconds(random.between(1, 3'600'000));
  if (out.rate == Rate::per_interval) out.rate_limit = 1 + small(random, 1'000);
  if (out.rate == Rate::percentage_per_hour || out.rate == Rate::percentage_per_interval)
    out.rate_milli_percent = small(random, 100'001);
  for (auto left = random.below(3); left > 0; --left) {
    const std::uint32_t start = small(random, 24);
    out.windows.push_back({{static_cast<DisruptionWindow::Day>(random.below(7))},
                           {{start, start + 1 + small(random, 24 - start)}},
                           random.chance(50) ? "PST" : ""});
  }
  if (random.chance(50)) out.health = {{"alwaysHealthy", {}}};
  return out;
}

JobDescriptor random_descriptor(Random& random) {
  JobDescriptor out;
  out.team_email = random_name(random) + '@' + random_name(random);
  out.application_name = random_name(random) + " é\"";
  out.capacity_group = random_name(random);
  if (random.chance(50)) out.group_stack = random_name(random);
  if (random.chance(50)) out.group_detail = random_name(random);
  if (random.chance(50)) out.group_sequence = random_name(random);
  out.attributes = random_map(random);
  if (random.chance(30)) {
    const auto seconds = random.between(0, kill_wait_s_max);
    out.kill_grace = std::chrono::seconds(seconds);
    out.attributes[std::string(kill_wait_attribute)] = std::to_string(seconds);
  }
  out.resources = {random.between(100, 96'000), random.between(16, 1'152'000), random.between(0, 1'550'000),
                   random.between(0, 400'000), random.between(0, 16)};
  if (random.chance(50)) out.image = {"registry:5000/" + random_name(random), "v1.0", ""};
  if (random.chance(30)) out.image = {random_name(random), "", "sha256:" + std::string(64, 'a')};
  out.entry_point = random_words(random);
  out.command = random_words(random);
  auto& first = out.entry_point.empty() ? out.command : out.entry_point;
  first.insert(first.begin(), "/bin/" + random_name(random));
  out.env = random_map(random);
  fill_constraints(random, out);
  fill_kind(random, out);
  if (random.chance(50)) out.budget = random_budget(random);
  return out;
}

std::string printed(const JobDescriptor& descriptor, const CallMark& mark, json::Style style) {
  json::Writer writer(style);
  descriptor_json(writer, descriptor, mark);
  return writer.take();
}

TEST(DescriptorProperty, WhatIsPrintedIsReadAsTheSame) {
  for (std::uint64_t seed = 0; seed < descriptors_checked; ++seed) {
    Random random(seed);
    const auto descriptor = random_descriptor(random);
    const auto style = random.chance(50) ? json::Style::compact : json::Style::pretty;
    const auto text = printed(descriptor, {"ann", "a test"}, style);
    const auto read = parse_job_descriptor(text);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().message << "\n" << text;
    ASSERT_EQ(read.value(), descriptor) << "seed " << seed << "\n" << text;
  }
}

/// One to four small damages: a byte changed, a part cut out, doubled or moved, a token put in.
std::string damaged(std::string text, Random& random) {
  static constexpr std::array<std::string_view, 14> tokens{
      "{",    "}",    "[", "]", ",", "null", "-1", "1e400", "\"\"", "\\u0000", "99999999999999999999",
      "true", "\xff", ":"};
  for (auto left = 1 + random.below(4); left > 0 && !text.empty(); --left) {
    const auto at = random.below(text.size());
    const auto size = random.below(40);
    switch (random.below(4)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, size);
        break;
      case 2:
        text.insert(random.below(text.size()), text.substr(at, size));
        break;
      case 3:
        text.insert(at, tokens[random.below(tokens.size())]);
        break;
    }
  }
  return text;
}

TEST(DescriptorProperty, DamagedTextsAreRefusedOrReadButNeverCrash) {
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 0; seed < mutations_checked; ++seed) {
    Random random(seed);
    const auto text = damaged(printed(random_descriptor(random), {}, json::Style::compact), random);
    const auto read = parse_job_descriptor(text);
    static_cast<void>(parse_capacity(text));
    static_cast<void>(parse_group(text, std::nullopt));
    if (read.ok()) {
      const auto again = parse_job_descriptor(printed(read.value(), {}, json::Style::compact));
      ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.error().message;
      ASSERT_EQ(again.value(), read.value()) << "seed " << seed;
      continue;
    }
    ++refused;
    ASSERT_FALSE(read.error().violations.empty()) << "seed " << seed;
    ASSERT_LE(read.error().violations.size(), 33u) << "seed " << seed;
  }
  EXPECT_GT(refused, mutations_checked / 2);
  EXPECT_LT(refused, mutations_checked);
}

TEST(DescriptorProperty, DeepAndHugeBodiesAreRefused) {
  const std::string deep = std::string(1'000'000, '[');
  EXPECT_FALSE(parse_job_descriptor(deep).ok());
  const std::string huge = "\"" + std::string(5 * 1024 * 1024, 'x') + "\"";
  EXPECT_FALSE(parse_job_descriptor(huge).ok());
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"env\":";
  EXPECT_FALSE(parse_job_descriptor(objects).ok());
}

}  // namespace
}  // namespace troupe::api
