#include "cmd/troupe/server_commands.hpp"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/cli.hpp"
#include "cmd/troupe/node_files.hpp"
#include "cmd/troupe/run_until_signal.hpp"

namespace troupe::cli {
namespace {

[[noreturn]] void give_up(const Error& error) {
  std::cerr << "troupe: " << error.message << '\n';
  throw CLI::RuntimeError(error.code == ErrorCode::invalid_argument ? exit_usage : exit_internal);
}

template <class T>
T or_give_up(Result<T> result) {
  if (!result.ok()) give_up(result.error());
  return std::move(result).value();
}

void finish(const std::string& why) {
  if (why.empty()) return;
  std::cerr << "troupe: stopped: " << why << '\n';
  throw CLI::RuntimeError(exit_internal);
}

struct UpFlags {
  std::string data = "troupe-data";
  std::string http = "127.0.0.1:7001";
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 3;
  std::string driver = "process";
  std::vector<std::string> images;
  std::string registry;
  double cpus = 4;
  std::int64_t memory_mb = 4096;
  std::vector<std::string> set;
};

void run_up(const UpFlags& flags) {
  SignalWait signals(SignalWait::Takes::ends_and_dumps);
  embedded::RealOptions options;
  options.data = flags.data;
  options.nodes = flags.nodes;
  options.hosts = flags.hosts;
  options.driver = flags.driver;
  options.image_folders = flags.images;
  options.registries.default_registry = flags.registry;
  if (auto checked = agent::check_registries(options.registries); !checked.ok()) give_up(checked.error());
  options.host_resources.cpu_milli = static_cast<std::int64_t>(flags.cpus * 1000);
  options.host_resources.memory_mb = flags.memory_mb;
  options.settings = or_give_up(parse_settings(flags.set));
  const auto http = or_give_up(embedded::parse_host_port(flags.http));
  options.http_host = http.host;
  options.http_port = http.port;
  options.on_failure = [&signals](const std::string& who, const std::string& why) {
    signals.stop(who + ": " + why);
  };
  auto cluster = or_give_up(embedded::RealCluster::start(std::move(options)));
  std::cout << "gateway http://" << http.host << ':' << cluster->http_port(1) << '\n' << std::flush;
  const std::string why = signals.wait([&] {
    for (std::uint32_t n = 1; n <= flags.nodes; ++n)
      if (embedded::RealNode* one = cluster->node(n)) one->debug_to_log();
  });
  cluster.reset();
  finish(why);
}

void run_node(const std::string& file) {
  SignalWait signals(SignalWait::Takes::ends_and_dumps);
  embedded::RealNodeConfig config = or_give_up(read_node_file(file));
  config.on_failure = [&signals](const std::string& why) { signals.stop(why); };
  auto node = or_give_up(embedded::RealNode::start(std::move(config)));
  std::cout << "node peer=" << node->peer_address() << " http=" << node->http_port() << '\n' << std::flush;
  const std::string why = signals.wait([&] { node->debug_to_log(); });
  node->stop();
  finish(why);
}

void run_agent(const std::string& file) {
  SignalWait signals;
  embedded::RealAgentConfig config = or_give_up(read_agent_file(file));
  const std::string host = config.agent.host;
  // Its tasks run on; whoever starts it again finds them.
  config.on_failure = [&signals](const std::string& why) { signals.stop(why); };
  auto actors = ActorHost::with_threads(1);
  auto agent = or_give_up(embedded::RealAgent::start(*actors, std::move(config)));
  std::cout << "agent host=" << host << '\n' << std::flush;
  const std::string why = signals.wait();
  agent.reset();
  actors->await_end();
  finish(why);
}

void print_settings() {
  for (const Setting* setting : node_settings())
    std::cout << fmt::format("{:<16} default {:<8} {}..{}\n    {}\n", setting->name, setting->fallback,
                             setting->low, setting->high, setting->help);
}

}  // namespace

void add_server_commands(CLI::App& app) {
  auto flags = std::make_shared<UpFlags>();
  CLI::App* up =
      app.add_subcommand("up", "Run a whole cell in this process: for a laptop, for trying things out");
  up->footer(
      "Example: troupe up --data /tmp/cell --http 127.0.0.1:7001\nSIGUSR1: each node writes what helps a "
      "diagnosis to the log");
  up->add_option("--data", flags->data, "Folder that survives restarts")->capture_default_str();
  up->add_option("--http", flags->http, "Where node 1 answers; the others take the next ports")
      ->capture_default_str();
  up->add_option("--nodes", flags->nodes, "Control-plane nodes")
      ->capture_default_str()
      ->check(CLI::IsMember({1, 3, 5}));
  up->add_option("--hosts", flags->hosts, "Hosts")->capture_default_str()->check(CLI::Range(0, 1000));
  up->add_option("--driver", flags->driver,
                 "process: plain processes; oci: containers, as root; sim: pretended ones")
      ->capture_default_str();
  up->add_option("--images", flags->images, "oci: a folder with an OCI image layout per image name");
  up->add_option(
      "--registry", flags->registry,
      "oci: host:port of the registry that has the images without a registry in their name; a job's tag is "
      "resolved once, when it is submitted");
  up->add_option("--cpus", flags->cpus, "Of each host")->capture_default_str();
  up->add_option("--memory-mb", flags->memory_mb, "Of each host")->capture_default_str();
  up->add_option("--set", flags->set, "A setting, name=value; see `troupe settings`");
  up->callback([flags] { run_up(*flags); });

  auto file = std::make_shared<std::string>();
  CLI::App* node = app.add_subcommand("node", "Run one control-plane node");
  node->footer(
      "Example: troupe node --config node-1.yaml   (the file is described in cmd/troupe/README.md)\n"
      "SIGUSR1: it writes what helps a diagnosis to its log, and goes on");
  node->add_option("--config", *file, "YAML file")->required()->check(CLI::ExistingFile);
  node->callback([file] { run_node(*file); });

  CLI::App* agent = app.add_subcommand("agent", "Run one host's agent");
  agent->footer(
      "Example: troupe agent --config host-1.yaml   (the file is described in cmd/troupe/README.md)");
  agent->add_option("--config", *file, "YAML file")->required()->check(CLI::ExistingFile);
  agent->callback([file] { run_agent(*file); });

  app.add_subcommand("settings", "List what --set and a node's file may set")->callback([] {
    print_settings();
  });
}

}  // namespace troupe::cli
