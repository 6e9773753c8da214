#include "cmd/troupe/node_files.hpp"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "storage/model/ports.hpp"

namespace troupe::cli {
namespace {

struct BadFile {
  std::string message;
};

[[noreturn]] void refuse(const YAML::Node& at, const std::string& what) {
  throw BadFile{fmt::format("line {}: {}", at.Mark().line + 1, what)};
}

template <class T>
T value_of(const YAML::Node& node, std::string_view key) {
  try {
    return node.as<T>();
  } catch (const YAML::Exception&) {
    refuse(node, fmt::format("'{}' has a value of the wrong type", key));
  }
}

using Readers = std::map<std::string, std::function<void(const YAML::Node&)>, std::less<>>;

/// Calls the reader of each key; one without a reader is refused.
void read_map(const YAML::Node& node, std::string_view what, const Readers& readers) {
  if (!node.IsMap()) refuse(node, fmt::format("{} must be a map", what));
  for (const auto& item : node) {
    const auto key = value_of<std::string>(item.first, "key");
    const auto reader = readers.find(key);
    if (reader == readers.end()) refuse(item.first, fmt::format("{} has no '{}'", what, key));
    reader->second(item.second);
  }
}

template <class T>
auto into(T& target, std::string_view key) {
  return [&target, key = std::string(key)](const YAML::Node& node) { target = value_of<T>(node, key); };
}

template <class Config>
Result<Config> read_file(const std::string& path,
                         const std::function<void(const YAML::Node&, Config&)>& read) {
  Config config;
  try {
    read(YAML::LoadFile(path), config);
  } catch (const YAML::BadFile&) {
    return Error{ErrorCode::io, "cannot read " + path};
  } catch (const YAML::Exception& problem) {
    return Error{ErrorCode::invalid_argument, path + ": " + problem.what()};
  } catch (const BadFile& problem) {
    return Error{ErrorCode::invalid_argument, path + ": " + problem.message};
  }
  return config;
}

void read_nodes(const YAML::Node& list, std::map<NodeId, NodeAddress>& nodes) {
  if (!list.IsSequence()) refuse(list, "'nodes' must be a list");
  for (const YAML::Node& item : list) {
    std::uint32_t id = 0;
    NodeAddress address;
    read_map(
        item, "a node",
        {{"id", into(id, "id")}, {"peer", into(address.peer, "peer")}, {"http", into(address.http, "http")}});
    for (const std::string* text : {&address.peer, &address.http})
      if (auto parsed = embedded::parse_host_port(*text); !parsed.ok()) refuse(item, parsed.error().message);
    if (id == 0 || !nodes.emplace(NodeId{id}, address).second)
      refuse(item, "node ids are different and above 0");
  }
}

void read_settings(const YAML::Node& map, Settings& settings) {
  if (!map.IsMap()) refuse(map, "'settings' must be a map");
  for (const auto& item : map) {
    const auto set = settings.set(value_of<std::string>(item.first, "a setting"),
                                  value_of<std::string>(item.second, "a setting"), node_settings());
    if (!set.ok()) refuse(item.first, set.error().message);
  }
}

void read_identities(const YAML::Node& path, std::shared_ptr<const api::Identities>& identities) {
  std::ifstream in(value_of<std::string>(path, "identities"));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) refuse(path, "the file 'identities' cannot be read");
  auto parsed = api::Identities::parse(text);
  if (!parsed.ok()) {
    std::string why = parsed.error().message;
    for (const Violation& one : parsed.error().violations)
      why += fmt::format("; line {}, {}: {}", one.line, one.path, one.message);
    refuse(path, "the file 'identities': " + why);
  }
  identities = std::make_shared<const api::Identities>(std::move(parsed).value());
}

void read_tls(const YAML::Node& map, http::TlsContextPtr& tls) {
  http::TlsFiles files;
  std::string clients;
  read_map(map, "'tls'",
           {{"certificate", into(files.certificate, "certificate")},
            {"key", into(files.key, "key")},
            {"client_authorities", into(files.authorities, "client_authorities")},
            {"client_certificates", into(clients, "client_certificates")}});
  if (files.certificate.empty() || files.key.empty())
    refuse(map, "'tls' needs a 'certificate' and its 'key'");
  auto asks = http::ClientCertificates::none;
  if (clients == "optional")
    asks = http::ClientCertificates::optional;
  else if (clients == "required")
    asks = http::ClientCertificates::required;
  else if (!clients.empty() && clients != "none")
    refuse(map, "'client_certificates' is none, optional or required");
  if ((asks != http::ClientCertificates::none) == files.authorities.empty())
    refuse(map, "'client_authorities' goes with 'client_certificates' optional or required");
  auto made = http::tls_server(files, asks);
  if (!made.ok()) refuse(map, made.error().message);
  tls = std::move(made).value();
}

void read_registries(const YAML::Node& list, std::vector<agent::RegistrySettings>& registries) {
  if (!list.IsSequence()) refuse(list, "'registries' must be a list");
  for (const YAML::Node& item : list) {
    agent::RegistrySettings one;
    bool insecure = false;
    read_map(item, "a registry",
             {{"name", into(one.name, "name")},
              {"mirrors", into(one.mirrors, "mirrors")},
              {"insecure", into(insecure, "insecure")},
              {"ca_file", into(one.ca_file, "ca_file")},
              {"credentials_file", into(one.credentials_file, "credentials_file")}});
    if (insecure) one.transport = agent::Transport::plain;
    registries.push_back(std::move(one));
    agent::RegistriesConfig so_far{registries, {}};
    if (auto checked = agent::check_registries(so_far); !checked.ok()) refuse(item, checked.error().message);
    registries = std::move(so_far.registries);
  }
}

void check_default_registry(const YAML::Node& root, agent::RegistriesConfig& registries) {
  if (auto checked = agent::check_registries(registries); !checked.ok())
    refuse(root, "'default_registry': " + checked.error().message);
}

void read_node(const YAML::Node& root, embedded::RealNodeConfig& config) {
  read_map(
      root, "a node's file",
      {{"node", into(config.node.self.value, "node")},
       {"cell", into(config.node.cell, "cell")},
       {"data", into(config.data, "data")},
       {"join", into(config.node.joins, "join")},
       {"identities", [&](const YAML::Node& node) { read_identities(node, config.node.identities); }},
       {"tls", [&](const YAML::Node& node) { read_tls(node, config.http_tls); }},
       {"nodes", [&](const YAML::Node& node) { read_nodes(node, config.node.nodes); }},
       {"registries", [&](const YAML::Node& node) { read_registries(node, config.registries.registries); }},
       {"default_registry", into(config.registries.default_registry, "default_registry")},
       {"settings", [&](const YAML::Node& node) { read_settings(node, config.node.settings); }}});
  if (config.data.empty()) refuse(root, "'data' is missing: the node's folder");
  check_default_registry(root, config.registries);
  const auto own = config.node.nodes.find(config.node.self);
  if (own == config.node.nodes.end()) refuse(root, "'node' must be one of the ids in 'nodes'");
  config.peer_listen = own->second.peer;
  config.http_listen = own->second.http;
}

void read_resources(const YAML::Node& map, Resources& resources) {
  double cpus = 1;
  read_map(map, "'resources'",
           {{"cpus", into(cpus, "cpus")},
            {"memory_mb", into(resources.memory_mb, "memory_mb")},
            {"disk_mb", into(resources.disk_mb, "disk_mb")},
            {"network_mbps", into(resources.network_mbps, "network_mbps")},
            {"gpu", into(resources.gpu, "gpu")}});
  resources.cpu_milli = static_cast<std::int64_t>(cpus * 1000 + 0.5);
  if (resources.cpu_milli <= 0 || resources.memory_mb < 0 || resources.disk_mb < 0 ||
      resources.network_mbps < 0 || resources.gpu < 0)
    refuse(map, "resources are not negative, and there is some cpu");
}

void read_layer_limits(const YAML::Node& map, agent::LayerLimits& limits) {
  constexpr std::uint64_t mib = 1 << 20;
  std::uint64_t bytes_mb = limits.bytes_max / mib, free_mb = limits.ratio_free_bytes / mib;
  read_map(map, "'layers'",
           {{"bytes_mb", into(bytes_mb, "bytes_mb")},
            {"entries", into(limits.entries_max, "entries")},
            {"ratio", into(limits.ratio_max, "ratio")},
            {"ratio_free_mb", into(free_mb, "ratio_free_mb")}});
  constexpr std::uint64_t mb_max = 1 << 24;
  if (bytes_mb == 0 || bytes_mb > mb_max || free_mb > mb_max || limits.entries_max == 0 ||
      limits.ratio_max == 0)
    refuse(map, "the limits of a layer are above 0, and its size is at most 16777216 MiB");
  limits.bytes_max = bytes_mb * mib;
  limits.ratio_free_bytes = free_mb * mib;
}

void read_disk_quota(const YAML::Node& node, agent::DiskQuota& quota) {
  auto parsed = agent::parse_disk_quota(value_of<std::string>(node, "disk_quota"));
  if (!parsed.ok()) refuse(node, "'disk_quota': " + parsed.error().message);
  quota = parsed.value();
}

void read_pause(const YAML::Node& node, milliseconds& pause) {
  pause = milliseconds(value_of<std::int64_t>(node, "look_every_ms"));
  if (pause < milliseconds(100) || pause > milliseconds(600'000))
    refuse(node, "'look_every_ms' is from 100 to 600000");
}

void read_probes(const YAML::Node& map, agent::ProbeLimits& limits) {
  const std::map<std::string, double*> shares{{"disk_free_percent", &limits.disk_free_min},
                                              {"inodes_free_percent", &limits.inodes_free_min},
                                              {"memory_available_percent", &limits.memory_available_min}};
  Readers readers;
  for (const auto& [name, share] : shares)
    readers.emplace(name, [name = name, share = share](const YAML::Node& node) {
      *share = value_of<double>(node, name) / 100;
      if (!(*share >= 0 && *share <= 1)) refuse(node, fmt::format("'{}' is from 0 to 100", name));
    });
  read_map(map, "'probes'", readers);
}

void read_agent(const YAML::Node& root, embedded::RealAgentConfig& config) {
  bool allow_process = false;
  read_map(
      root, "an agent's file",
      {{"host", into(config.agent.host, "host")},
       {"host_group", into(config.agent.host_group, "host_group")},
       {"cell", into(config.cell, "cell")},
       {"data", into(config.data, "data")},
       {"driver", into(config.driver, "driver")},
       {"allow_process", into(allow_process, "allow_process")},
       {"images", into(config.image_folders, "images")},
       {"registries", [&](const YAML::Node& node) { read_registries(node, config.registries.registries); }},
       {"default_registry", into(config.registries.default_registry, "default_registry")},
       {"uid_first", into(config.uid_first, "uid_first")},
       {"uid_ranges", into(config.uid_ranges, "uid_ranges")},
       {"pids_max", into(config.pids_max, "pids_max")},
       {"disk_quota", [&](const YAML::Node& node) { read_disk_quota(node, config.disk_quota); }},
       {"cdi", into(config.cdi_folders, "cdi")},
       {"gpus", into(config.gpu_kind, "gpus")},
       {"look_every_ms", [&](const YAML::Node& node) { read_pause(node, config.usage_every); }},
       {"probes", [&](const YAML::Node& node) { read_probes(node, config.probes); }},
       {"allow_host_network", into(config.allow_host_network, "allow_host_network")},
       {"layers", [&](const YAML::Node& node) { read_layer_limits(node, config.layer_limits); }},
       {"nodes", into(config.agent.bootstrap, "nodes")},
       {"resources", [&](const YAML::Node& node) { read_resources(node, config.agent.resources); }},
       {"attributes", into(config.agent.attributes, "attributes")}});
  if (const auto ports = config.agent.attributes.find(std::string(ports_attribute));
      ports != config.agent.attributes.end())
    if (const auto ranges = parse_ports(ports->second); !ranges.ok())
      refuse(root, "the attribute 'ports' " + ranges.error().message);
  if (config.agent.host.empty()) refuse(root, "'host' is missing: the host's name");
  if (config.data.empty()) refuse(root, "'data' is missing: the agent's folder");
  if (config.agent.bootstrap.empty()) refuse(root, "'nodes' is missing: at least one \"ID@host:port\"");
  for (const std::string& node : config.agent.bootstrap)
    if (node.find('@') == std::string::npos) refuse(root, "'" + node + "' is not ID@host:port");
  check_default_registry(root, config.registries);
  if (config.pids_max < 16) refuse(root, "'pids_max' is at least 16: the runtime needs some to begin with");
  if (config.uid_first < 65'536 || config.uid_ranges == 0 ||
      config.uid_first + std::uint64_t{config.uid_ranges} * 65'536 > 0xFFFF'FFFEULL)
    refuse(root, "'uid_first' is at least 65536, and all ranges of 65536 end below 4294967294");
  if (config.driver == "process" && !allow_process)
    refuse(root, "the driver `process` isolates nothing: say 'allow_process: true' if this host may run it");
}

}  // namespace

Result<embedded::RealNodeConfig> read_node_file(const std::string& path) {
  return read_file<embedded::RealNodeConfig>(path, read_node);
}

Result<embedded::RealAgentConfig> read_agent_file(const std::string& path) {
  return read_file<embedded::RealAgentConfig>(path,
                                              [](const YAML::Node& root, embedded::RealAgentConfig& config) {
                                                config.cell = "troupe";
                                                config.agent.host_group = "default";
                                                read_agent(root, config);
                                              });
}

Result<Settings> parse_settings(const std::vector<std::string>& assignments) {
  Settings settings;
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Error{ErrorCode::invalid_argument, "'" + assignment + "' is not name=value"};
    if (auto set = settings.set(assignment.substr(0, equals), assignment.substr(equals + 1), node_settings());
        !set.ok())
      return set.error();
  }
  return settings;
}

}  // namespace troupe::cli
