#pragma once
// The two disks under one interface, for the conformance suite.

#include <filesystem>
#include <memory>
#include <string>

#include "storage/kv/memory_store.hpp"
#include "storage/kv/rocks_store.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe {

class TestDisk {
 public:
  virtual ~TestDisk() = default;
  virtual std::string path(const std::string& name) const = 0;
  virtual Result<std::unique_ptr<KvStore>> open(const std::string& path) = 0;
  /// The store's process dies: to be called while it is open, which it then is no longer.
  virtual void crash(const std::string& path, std::unique_ptr<KvStore>& store) = 0;
  /// What stands there, for looking at.
  virtual Result<std::unique_ptr<KvStore>> look(const std::string& path) = 0;
  virtual FileDoor& files() = 0;
  static std::vector<std::string> tables() { return {"a", "b", "c"}; }
  /// One of them as apply's busiest table: it must differ in nothing but speed.
  static std::vector<Table> unread_tables(RocksConfig::Role role) {
    return role == RocksConfig::Role::state ? std::vector<Table>{1} : std::vector<Table>{};
  }
};

class RocksDisk final : public TestDisk {
 public:
  explicit RocksDisk(RocksConfig::Role role) : role_(role) {}
  std::string path(const std::string& name) const override { return folder_.file(name); }
  Result<std::unique_ptr<KvStore>> open(const std::string& path) override {
    return open_rocks({.path = path,
                       .role = role_,
                       .tables = tables(),
                       .unread_tables = unread_tables(role_),
                       .lose_unflushed_on_close = true});
  }
  void crash(const std::string&, std::unique_ptr<KvStore>& store) override { store.reset(); }
  Result<std::unique_ptr<KvStore>> look(const std::string& path) override {
    return open_rocks_read_only({.path = path, .role = role_, .tables = tables()});
  }
  FileDoor& files() override { return system_files(); }

 private:
  TempFolder folder_;
  RocksConfig::Role role_;
};

class MemoryDisk final : public TestDisk {
 public:
  std::string path(const std::string& name) const override { return name; }
  Result<std::unique_ptr<KvStore>> open(const std::string& path) override {
    return disk_.open(path, tables());
  }
  void crash(const std::string& path, std::unique_ptr<KvStore>& store) override {
    disk_.crash(path, random_);
    store.reset();
  }
  Result<std::unique_ptr<KvStore>> look(const std::string& path) override {
    return disk_.open_copy(path, tables());
  }
  FileDoor& files() override { return disk_.files(); }

 private:
  SimDisk disk_;
  Random random_{7};
};

}  // namespace troupe
