// The bytes of every command, for ever: logs and snapshots of older releases hold them.

#include <gtest/gtest.h>

#include "storage/model/command_table.hpp"
#include "tests/storage/model/golden_bytes.hpp"
#include "tests/storage/model/samples.hpp"

namespace troupe {
namespace {

std::string hex(BytesView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(digits[static_cast<std::uint8_t>(c) >> 4]);
    text.push_back(digits[static_cast<std::uint8_t>(c) & 15]);
  }
  return text;
}

Bytes bytes_of(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (std::size_t n = 0; n + 1 < text.size(); n += 2)
    bytes.push_back(static_cast<char>(digit(text[n]) * 16 + digit(text[n + 1])));
  return bytes;
}

TEST(GoldenBytes, EveryCommandIsWrittenAsEver) {
  const auto commands = samples::commands();
  ASSERT_EQ(golden::commands.size(), command_table().size()) << "a new command needs its golden bytes";
  for (std::size_t n = 0; n < commands.size(); ++n)
    EXPECT_EQ(hex(encode(commands[n])), golden::commands.at(n)) << command_name(commands[n]);
}

TEST(GoldenBytes, EveryCommandOfAnOldLogIsReadAsItWas) {
  const auto commands = samples::commands();
  for (std::size_t n = 0; n < commands.size(); ++n) {
    const auto read = decode_command(bytes_of(golden::commands.at(n)));
    ASSERT_TRUE(read.ok()) << command_name(commands[n]);
    EXPECT_EQ(encode(read.value()), encode(commands[n])) << command_name(commands[n]);
  }
}

TEST(GoldenBytes, EveryRecordIsWrittenAsEver) {
  EXPECT_EQ(hex(packed(samples::job())), golden::job);
  EXPECT_EQ(hex(packed(samples::slot())), golden::slot);
  EXPECT_EQ(hex(packed(samples::task())), golden::task);
  EXPECT_EQ(hex(packed(samples::host())), golden::host);
  EXPECT_EQ(hex(packed(samples::group())), golden::group);
  EXPECT_EQ(hex(packed(samples::condition())), golden::condition);
  EXPECT_EQ(hex(packed(samples::cell())), golden::cell);
  EXPECT_EQ(hex(packed(samples::request())), golden::request);
}

}  // namespace
}  // namespace troupe
