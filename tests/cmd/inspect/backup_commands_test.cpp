// `troupe cell snapshot|backup|restore` against a node that serves a real snapshot over HTTP.

#include "cmd/troupe/backup_commands.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "storage/snapshot/backup.hpp"
#include "tests/cmd/cli/fake_cell.hpp"
#include "tests/storage/snapshot/world.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

constexpr const char* snapshots_path = "/api/v3/cell/snapshots";

struct BackupCommands : testing::Test {
  TempFolder folder;
  RealMachine machine;
  std::unique_ptr<KvStore> store;
  std::unique_ptr<SnapshotShelf> shelf;
  SnapshotPtr snapshot;
  FakeCell cell;
  std::ostringstream out, err;
  std::istringstream in;
  SystemClock clock;
  Surroundings surroundings{
      .out = out,
      .err = err,
      .in = in,
      .pause = [](milliseconds) {},
      .environment = [](const std::string&) { return std::optional<std::string>("ann"); },
      .clock = clock};
  std::string id;
  int reads_until_silence = INT_MAX;

  void SetUp() override {
    ASSERT_TRUE(machine.files().make_folder(machine.root()).ok());
    store = machine.open_state(machine.root() + "/state");
    fill_state(*store, 100, 200);
    shelf = open_shelf(machine);
    snapshot = shelf->take(*store, three_nodes).value();
    cell.on(std::string("POST ") + snapshots_path, [this](const http::Request& request) {
      id = std::string(request.header("idempotency-key"));
      const std::string prefix = std::string(snapshots_path) + "/" + id;
      cell.on("GET " + prefix, encode_manifest(snapshot->manifest()));
      cell.on("DELETE " + prefix, "{}");
      for (std::uint32_t n = 0; n < snapshot->manifest().files.size(); ++n)
        cell.on("GET " + prefix + "/files/" + snapshot->manifest().files[n].name,
                [this, n](const http::Request& read) { return serve(n, read); });
      return http::Response{
          200, {}, R"({"snapshot":")" + id + R"(","node":2,"index":"100","term":"2","bytes":"7","files":3})"};
    });
  }
  http::Response serve(std::uint32_t file, const http::Request& request) {
    if (reads_until_silence-- <= 0) return {404, {}, R"({"code":"not_found","message":"no such snapshot"})"};
    const auto number = [&](const char* name) {
      return std::stoull("0" + std::string(request.parameter(name)));
    };
    return {200, {}, snapshot->read(file, number("offset"), number("limit")).value()};
  }
  int run(std::vector<std::string> arguments) {
    out.str("");
    err.str("");
    CLI::App app("Troupe", "troupe");
    app.require_subcommand(1);
    add_client_commands(app, surroundings);
    add_backup_commands(app, surroundings);
    arguments.insert(arguments.begin(), {"troupe", "--address", cell.address()});
    std::vector<const char*> argv;
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return run_app(app, static_cast<int>(argv.size()), argv.data(), surroundings);
  }
};

TEST_F(BackupCommands, ASnapshotIsTakenToldAndLetGo) {
  EXPECT_EQ(run({"cell", "snapshot"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("index: 100"));
  EXPECT_EQ(cell.asked("DELETE " + std::string(snapshots_path) + "/" + id).size(), 1u);
  EXPECT_EQ(run({"cell", "snapshot", "--json"}), exit_ok);
  EXPECT_THAT(out.str(), HasSubstr(R"("index":"100")"));
}

TEST_F(BackupCommands, ABackupIsWholeVerifiedAndLetGo) {
  const std::string backup = folder.file("backup");
  EXPECT_EQ(run({"cell", "backup", backup, "--json"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr(R"("index":"100")"));
  EXPECT_EQ(verify_backup(system_files(), backup).value(), snapshot->manifest());
  EXPECT_EQ(cell.asked("DELETE " + std::string(snapshots_path) + "/" + id).size(), 1u);
  EXPECT_EQ(run({"cell", "backup", backup}), exit_refused) << "it is there already";
  EXPECT_THAT(err.str(), HasSubstr("holds a backup already"));
}

TEST_F(BackupCommands, AnInterruptedBackupIsUnfinishedAndRunsAgain) {
  const std::string backup = folder.file("backup");
  reads_until_silence = 2;
  EXPECT_EQ(run({"cell", "backup", backup}), exit_not_found);
  EXPECT_EQ(verify_backup(system_files(), backup).error().code, ErrorCode::not_found);
  EXPECT_EQ(run({"cell", "restore", backup, folder.file("new")}), exit_not_found);
  reads_until_silence = INT_MAX;
  EXPECT_EQ(run({"cell", "backup", backup}), exit_ok) << err.str();
}

TEST_F(BackupCommands, AnotherNodeIsFoundByTheCellsStatus) {
  cell.on("GET /api/v3/cell/status",
          R"({"items":[{"node":2,"http":")" + cell.address() + R"("},{"node":3,"http":""}]})");
  EXPECT_EQ(run({"cell", "snapshot", "--node", "2"}), exit_ok) << err.str();
  EXPECT_EQ(run({"cell", "snapshot", "--node", "3"}), exit_refused);
  EXPECT_THAT(err.str(), HasSubstr("--address"));
  EXPECT_EQ(run({"cell", "snapshot", "--node", "4"}), exit_not_found);
}

TEST_F(BackupCommands, RestoredItIsAFolderOfOneVoterUnderItsNewName) {
  const std::string backup = folder.file("backup"), data = folder.file("node-1");
  ASSERT_EQ(run({"cell", "backup", backup}), exit_ok) << err.str();
  EXPECT_EQ(run({"cell", "restore", backup, data, "--node", "4", "--cell", "south"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("south"));
  const NodeFolder made = NodeFolder::look(system_files(), data).value();
  EXPECT_EQ(made.current().membership.voters, std::vector{NodeId{4}});
  EXPECT_FALSE(made.fault().value().has_value());
  const auto state = machine.look(made.state_path());
  EXPECT_EQ(read_cell_name(*state.value()).value(), "south");
  EXPECT_NE(run({"cell", "restore", backup, data}), exit_ok) << "nothing is restored over something";
}

TEST_F(BackupCommands, SayHowTheyAreUsed) {
  for (const char* command : {"snapshot", "backup", "restore"}) {
    EXPECT_EQ(run({"cell", command, "--help"}), exit_ok);
    EXPECT_THAT(out.str(), HasSubstr("Example"));
  }
  EXPECT_EQ(run({"cell", "backup"}), exit_usage);
  EXPECT_EQ(run({"cell", "restore", "/nowhere", "x"}), exit_usage);
}

}  // namespace
}  // namespace troupe::cli
