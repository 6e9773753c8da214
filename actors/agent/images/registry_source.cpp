#include "actors/agent/images/registry_source.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "actors/agent/images/http_transfer.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe::agent {
namespace {

constexpr const char* manifest_types =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::size_t error_body_bytes_max = 1 << 20;  // of pages that nobody reads
constexpr std::size_t hosts_remembered_max = 1'000;    // users name them
constexpr mode_t others = 0077;

PullFailure host_failure(Error error) { return {Fault::host, std::move(error)}; }

std::string errno_text(const std::string& what) { return what + ": " + std::strerror(errno); }

/// Read at each use: a new password needs no restart.
Result<std::string> read_credentials(const std::string& path) {
  if (path.empty()) return std::string();
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || fstat(file.get(), &status) != 0)
    return Error{ErrorCode::io, errno_text("cannot read the credentials in " + path)};
  if ((status.st_mode & others) != 0)
    return Error{ErrorCode::io, "the credentials in " + path + " are open to others: chmod 600 " + path};
  char block[8'192];
  const ssize_t count = read(file.get(), block, sizeof block);
  if (count < 0) return Error{ErrorCode::io, errno_text("cannot read the credentials in " + path)};
  auto parsed = parse_credentials({block, static_cast<std::size_t>(count)});
  if (!parsed.ok()) return Error{ErrorCode::io, "the credentials in " + path + ": " + parsed.error().message};
  return parsed;
}

/// Whose certificates count for a URL that a registry leads to: its own host's, with whatever port, or those
/// of that host's entry; else the machine's.
std::string ca_file_for(const RegistriesConfig& config, const RegistryEndpoint& endpoint,
                        const RegistryUrl& url) {
  const auto name = [](std::string_view host) { return host.substr(0, host.find(':')); };
  for (const RegistrySettings& one : config.registries)
    if (one.name == url.host) return one.ca_file;
  return name(url.host) == name(endpoint.host) ? endpoint.ca_file : std::string();
}

/// A descriptor of bytes in memory.
Result<Fd> memory_file(const std::string& text) {
  Fd file(memfd_create("troupe-document", MFD_CLOEXEC));
  if (!file.is_open() || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0)
    return Error{ErrorCode::io, errno_text("cannot keep an image document in memory")};
  return file;
}

template <class Map>
void bound(Map& map) {
  if (map.size() >= hosts_remembered_max) map.clear();
}

}  // namespace

RegistrySource::RegistrySource(RegistrySourceConfig config, const Clock& clock, Random random)
    : config_(std::move(config)), clock_(clock), random_(random) {}
RegistrySource::~RegistrySource() = default;

Result<void> RegistrySource::open() {
  std::error_code problem;
  std::filesystem::create_directories(config_.folder, problem);
  if (problem || chmod(config_.folder.c_str(), 0700) != 0)
    return Error{ErrorCode::io, "cannot make " + config_.folder + ": " + problem.message()};
  drop_old_parts();
  return {};
}

void RegistrySource::drop_old_parts() {
  std::error_code problem;
  const std::int64_t now_ms = clock_.wall().ms;
  for (const auto& entry : std::filesystem::directory_iterator(config_.folder, problem)) {
    struct stat status {};
    if (stat(entry.path().c_str(), &status) != 0) continue;
    if (now_ms - status.st_mtim.tv_sec * 1'000 > config_.part_life.count()) unlink(entry.path().c_str());
  }
}

RegistryCounts RegistrySource::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

CircuitBreaker::State RegistrySource::breaker_state(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = breakers_.find(host);
  return found == breakers_.end() ? CircuitBreaker::State::closed : found->second.state();
}

// ---- what is asked for ----
Result<RegistryReference> RegistrySource::reference_of(const ImageName& name) const {
  auto reference = parse_reference(name.name + (name.digest.empty() ? ":" + name.tag : "@" + name.digest));
  if (!reference.ok()) return reference;
  if (reference.value().registry.empty()) reference.value().registry = config_.registries.default_registry;
  if (reference.value().registry.empty())
    return Error{ErrorCode::not_found, "no folder of images has '" + name.name +
                                           "', and it names no registry, such as registry.example.com/" +
                                           name.name};
  return reference;
}

Result<BlobLink> RegistrySource::resolve(const ImageName& name, Pull& pull) {
  auto reference = reference_of(name);
  if (!reference.ok()) return reference.error();
  PulledDocument document({}, std::nullopt);
  if (auto failure =
          get(reference.value(), "manifests/" + reference.value().tag, manifest_types, document, pull))
    return failure->error;
  return BlobLink{"", document.digest(), document.text().size()};
}

Result<Fd> RegistrySource::open_blob(const ImageName& name, const BlobWish& wish, Pull& pull) {
  auto reference = reference_of(name);
  if (!reference.ok()) return reference.error();
  return wish.kind == BlobWish::Kind::layer ? open_layer(reference.value(), wish, pull)
                                            : open_document(reference.value(), wish, pull);
}

Result<Fd> RegistrySource::open_document(const RegistryReference& reference, const BlobWish& wish,
                                         Pull& pull) {
  if (wish.size.value_or(0) > document_bytes_max)
    return Error{ErrorCode::invalid_argument,
                 "a document of the image is larger than " + std::to_string(document_bytes_max) + " bytes"};
  const bool is_manifest = wish.kind == BlobWish::Kind::manifest;
  PulledDocument document(wish.digest, wish.size);
  if (auto failure = get(reference, (is_manifest ? "manifests/" : "blobs/") + wish.digest,
                         is_manifest ? manifest_types : "", document, pull))
    return failure->error;
  return memory_file(document.text());
}

std::optional<PullFailure> RegistrySource::come_first(const std::string& digest, Pull& pull) {
  std::unique_lock lock(mutex_);
  while (!on_their_way_.insert(digest).second) {
    changed_.wait_for(lock, milliseconds(http_look_ms));
    lock.unlock();
    if (auto still = pull.wanted(); !still.ok()) return PullFailure{Fault::unwanted, still.error()};
    lock.lock();
  }
  return std::nullopt;
}

Result<Fd> RegistrySource::open_layer(const RegistryReference& reference, const BlobWish& wish, Pull& pull) {
  const std::uint64_t size = wish.size.value_or(0);
  if (size > config_.layer_bytes_max)
    return Error{ErrorCode::invalid_argument,
                 "a layer of " + std::to_string(size) + " bytes is larger than the " +
                     std::to_string(config_.layer_bytes_max) + " that this host takes"};
  if (auto failure = come_first(wish.digest, pull)) return failure->error;
  const auto leave = [&](const std::string* digest) {
    const std::lock_guard lock(mutex_);
    on_their_way_.erase(*digest);
    changed_.notify_all();
  };
  const std::unique_ptr<const std::string, decltype(leave)> turn(&wish.digest, leave);
  drop_old_parts();
  LayerFile file(config_.folder + "/" + std::string(digest_hex(wish.digest)) + ".part", wish.digest, size);
  if (auto opened = file.open(); !opened.ok()) return opened.error();
  PulledLayer body(file);
  if (file.is_whole() && !file.is_sound()) body.forget();
  body.begin();
  if (!file.is_whole())
    if (auto failure = get(reference, "blobs/" + wish.digest, "", body, pull)) {
      if (failure->fault == Fault::content) file.discard();
      return failure->error;
    }
  {
    const std::lock_guard lock(mutex_);
    ++counts_.layers;
    counts_.bytes += size;
    if (body.was_resumed()) ++counts_.resumes;
  }
  logging::info("image_layer_fetched registry={} repository={} digest={} bytes={} resumed={}",
                reference.registry, reference.repository, wish.digest, size, body.was_resumed());
  return file.take();
}

// ---- until it is there ----
std::optional<PullFailure> RegistrySource::get(const RegistryReference& reference, const std::string& path,
                                               const std::string& accept, PulledBody& body, Pull& pull) {
  const auto endpoints = endpoints_of(config_.registries, reference.registry);
  const RegistryWish wish{repository_path(reference), path};
  for (;;) {
    Round round = ask_all(endpoints, wish, accept, body, pull);
    const bool is_final = !round.failure || round.failure->fault != Fault::registry;
    if (is_final || pull.patience == Pull::Patience::brief) return round.failure;
    std::optional<milliseconds> wait;
    {
      const std::lock_guard lock(mutex_);
      PullBudget& budget = budget_of(pull);
      if (!round.was_asked && !budget.has_progressed()) return round.failure;
      wait = budget.wait_for(clock_.steady(), round.failure->wait, random_);
      if (wait) ++counts_.retries;
    }
    if (!wait) return round.failure;
    logging::warn("registry_retry registry={} repository={} wait_ms={} why=\"{}\"", reference.registry,
                  reference.repository, wait->count(), round.failure->error.message);
    if (auto stopped = pause(*wait, pull)) return stopped;
  }
}

/// The last one's word counts: it is the registry itself.
RegistrySource::Round RegistrySource::ask_all(const std::vector<RegistryEndpoint>& endpoints,
                                              const RegistryWish& wish, const std::string& accept,
                                              PulledBody& body, Pull& pull) {
  Round round;
  for (const RegistryEndpoint& endpoint : endpoints) {
    if (const auto wait = left_alone_for(endpoint.host)) {
      round.failure =
          PullFailure{Fault::registry,
                      {ErrorCode::unavailable, "the registry " + endpoint.host +
                                                   " failed again and again and is left alone for " +
                                                   std::to_string(wait->count()) + " ms"},
                      *wait};
      continue;
    }
    round.was_asked = true;
    round.failure = exchange(endpoint, wish, accept, body, pull);
    judge(endpoint.host, round.failure);
    if (!round.failure) {
      const std::lock_guard lock(mutex_);
      budget_of(pull).progressed(clock_.steady());
    }
    if (!round.failure || round.failure->fault == Fault::unwanted) break;
  }
  return round;
}

std::optional<PullFailure> RegistrySource::exchange(const RegistryEndpoint& endpoint,
                                                    const RegistryWish& wish, const std::string& accept,
                                                    PulledBody& body, Pull& pull) {
  auto credentials = read_credentials(endpoint.credentials_file);
  if (!credentials.ok()) return host_failure(credentials.error());
  const std::string key = endpoint.base_url() + "/" + wish.repository;
  RegistryExchange talk(config_.registries, endpoint, wish, std::move(credentials).value(), remembered(key));
  const bool is_brief = pull.patience == Pull::Patience::brief;
  const bool is_document = body.is_document();
  for (;;) {
    const bool is_token = talk.request().kind == RegistryExchange::Request::Kind::token;
    HttpGet get;
    get.url = talk.request().url;
    get.authorization = talk.request().authorization;
    get.ca_file = ca_file_for(config_.registries, endpoint, get.url);
    get.connect_max = is_brief ? std::min(config_.brief_max, config_.connect_max) : config_.connect_max;
    get.silence_max = config_.silence_max;
    if (is_token || is_document) get.total_max = is_brief ? config_.brief_max : config_.document_max;
    get.wanted = pull.wanted;
    std::string other;
    body.begin();
    if (!is_token) {
      get.accept = accept;
      get.first_byte = body.first_byte();
    }
    get.body = [&](const RegistryAnswer& head, std::string_view piece) -> std::optional<PullFailure> {
      if (!is_token && (head.status == 200 || head.status == 206)) {
        progressed(pull);
        return body.take(head, piece);
      }
      other.append(piece);
      if (other.size() <= error_body_bytes_max) return std::nullopt;
      return PullFailure{Fault::registry, {ErrorCode::unavailable, get.url.host + " talks too much"}};
    };
    HttpOutcome outcome = http_get(get);
    if (outcome.failure) return outcome.failure;
    if (is_token) outcome.head.body = std::move(other);
    const auto step = talk.take(outcome.head, clock_.wall());
    if (const auto* failure = std::get_if<PullFailure>(&step)) {
      if (outcome.head.status == 416) body.forget();
      return *failure;
    }
    if (!std::holds_alternative<RegistryExchange::Ready>(step)) continue;
    remember(key, talk);
    return body.finish(outcome.head);
  }
}

std::optional<PullFailure> RegistrySource::pause(milliseconds wait, Pull& pull) {
  const Moment end = clock_.steady() + wait;
  for (;;) {
    if (auto still = pull.wanted(); !still.ok()) return PullFailure{Fault::unwanted, still.error()};
    const auto left = std::chrono::ceil<milliseconds>(end - clock_.steady());
    if (left <= milliseconds(0)) return std::nullopt;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::min(left, milliseconds(http_look_ms)));
  }
}

// ---- what is known of registries ----
PullBudget& RegistrySource::budget_of(Pull& pull) {
  if (!pull.budget) pull.budget.emplace(config_.backoff, clock_.steady());
  return *pull.budget;
}

void RegistrySource::progressed(Pull& pull) {
  const std::lock_guard lock(mutex_);
  budget_of(pull).progressed(clock_.steady());
}

std::optional<milliseconds> RegistrySource::left_alone_for(const std::string& host) {
  const std::lock_guard lock(mutex_);
  if (!breakers_.contains(host)) bound(breakers_);
  return breakers_.try_emplace(host, config_.breaker).first->second.admit(clock_.steady());
}

void RegistrySource::judge(const std::string& host, const std::optional<PullFailure>& failure) {
  const std::lock_guard lock(mutex_);
  CircuitBreaker& breaker = breakers_.try_emplace(host, config_.breaker).first->second;
  const auto before = breaker.state();
  if (!failure || failure->fault == Fault::image || failure->fault == Fault::content)
    breaker.succeeded();
  else if (failure->fault == Fault::registry)
    breaker.failed(clock_.steady(), random_);
  else
    breaker.abandoned();
  if (failure && failure->fault == Fault::content) {
    ++counts_.corrupt;
    logging::warn("registry_corrupt registry={} why=\"{}\"", host, failure->error.message);
  }
  if (breaker.state() == before) return;
  if (breaker.state() == CircuitBreaker::State::open) ++counts_.breakers_opened;
  logging::warn("registry_breaker registry={} state={} why=\"{}\"", host, state_text(breaker.state()),
                failure ? failure->error.message : "it answers");
}

std::string RegistrySource::remembered(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = authorizations_.find(key);
  const bool is_fresh = found != authorizations_.end() && found->second.until > clock_.steady();
  return is_fresh ? found->second.authorization : std::string();
}

void RegistrySource::remember(const std::string& key, const RegistryExchange& exchange) {
  // A password is read anew each time, and a token that ends soon is not worth a refused attempt.
  const milliseconds lives = exchange.authorization_lives() - std::chrono::seconds(5);
  if (lives <= milliseconds(0)) return;
  const std::lock_guard lock(mutex_);
  if (!authorizations_.contains(key)) bound(authorizations_);
  authorizations_[key] = {exchange.authorization(), clock_.steady() + lives};
}

}  // namespace troupe::agent
