#include "actors/diagnosis/process_report.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "net/json/value.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe {
namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

json::Value object_in(const std::string& text) { return json::parse(text).value(); }

TEST(ProcessReport, TellsOfThisProcess) {
  const auto process = object_in(process_json("/proc/self"));
  EXPECT_EQ(*process.find("pid")->integer(), getpid());
  EXPECT_GT(*process.find("rssBytes")->integer(), 1'000'000);
  EXPECT_GE(*process.find("threads")->integer(), 1);
  EXPECT_GE(*process.find("descriptors")->integer(), 3);
  EXPECT_NE(process.find("uptimeMs"), nullptr);
  const auto threads = object_in(threads_json("/proc/self").value());
  const auto& first = threads.find("threads")->array()->at(0);
  EXPECT_EQ(*first.find("id")->integer(), getpid());
  EXPECT_EQ(*first.find("state")->text(), "R");
  EXPECT_FALSE(first.find("name")->text()->empty());
}

TEST(ProcessReport, ReadsWhatTheKernelWrites) {
  const TempFolder folder;
  const std::string fields = " 1 1 1 0 -1 0 0 0 0 0 150 25 0 0 20 0 1 0 1000 ";
  write_file(folder.file("self/stat"), "7 (a) b) S" + fields);
  write_file(folder.file("self/status"), "Name:\ta\nPid:\t7\nVmRSS:\t    12 kB\nThreads:\t2\n");
  write_file(folder.file("uptime"), "15.50 1.00\n");
  write_file(folder.file("loadavg"), "0.5 0.4 0.3 1/2 3\n");
  write_file(folder.file("self/task/8/stat"), "8 (odd ) name) D" + fields);
  write_file(folder.file("self/task/8/comm"), "odd ) name\n");
  write_file(folder.file("self/task/8/wchan"), "futex_wait");
  write_file(folder.file("self/task/8/stack"), std::string(stack_bytes_max + 100, 's'));
  const auto process = object_in(process_json(folder.file("self")));
  EXPECT_EQ(*process.find("rssBytes")->integer(), 12 * 1024);
  EXPECT_EQ(*process.find("userMs")->integer(), 1'500);
  EXPECT_EQ(*process.find("uptimeMs")->integer(), 5'000);
  EXPECT_EQ(*process.find("load")->text(), "0.5 0.4 0.3 1/2 3");
  EXPECT_EQ(process.find("descriptors"), nullptr) << "cannot be read here";
  const auto threads = object_in(threads_json(folder.file("self")).value());
  const auto& thread = threads.find("threads")->array()->at(0);
  EXPECT_EQ(*thread.find("name")->text(), "odd ) name");
  EXPECT_EQ(*thread.find("state")->text(), "D");
  EXPECT_EQ(*thread.find("systemMs")->integer(), 250);
  EXPECT_EQ(*thread.find("waitsIn")->text(), "futex_wait");
  EXPECT_EQ(thread.find("stack")->text()->size(), stack_bytes_max);
}

TEST(ProcessReport, ThreadsBeyondTheLimitAreCounted) {
  const TempFolder folder;
  for (std::size_t n = 1; n <= threads_told_max + 3; ++n)
    std::filesystem::create_directories(folder.file("self/task/" + std::to_string(n)));
  const auto threads = object_in(threads_json(folder.file("self")).value());
  EXPECT_EQ(threads.find("threads")->array()->size(), threads_told_max);
  EXPECT_EQ(*threads.find("leftOut")->integer(), 3);
}

TEST(ProcessReport, WhatIsNotThereIsAnError) {
  const TempFolder folder;
  EXPECT_EQ(threads_json(folder.file("none")).error().code, ErrorCode::io);
  EXPECT_EQ(disk_json(folder.file("none")).error().code, ErrorCode::io);
  EXPECT_GT(*object_in(disk_json(folder.path()).value()).find("bytes")->integer(), 0);
}

}  // namespace
}  // namespace troupe
