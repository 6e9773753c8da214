#pragma once
// Images from registries.
//
//   FOLDER/HEX.part   a layer on its way, HEX of its digest; kept when a pull fails, and continued by the
//   next

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "actors/agent/images/image_source.hpp"
#include "actors/agent/images/registry_body.hpp"
#include "actors/agent/images/registry_protocol.hpp"

namespace troupe::agent {

struct RegistrySourceConfig {
  std::string folder;  ///< its own; made if missing
  RegistriesConfig registries;
  BackoffLimits backoff;
  BreakerLimits breaker;
  std::uint64_t layer_bytes_max = 16ULL
                                  << 30;  ///< packed; a larger one is refused before a byte is asked for
  milliseconds connect_max{5'000};
  milliseconds silence_max{20'000};        ///< of a server that answers or sends nothing
  milliseconds document_max{30'000};       ///< for a manifest, a configuration or a token
  milliseconds brief_max{3'000};           ///< instead, where there is something to fall back to
  milliseconds part_life{24 * 3'600'000};  ///< what nobody continued for so long is deleted
};

/// For operators, since the start.
struct RegistryCounts {
  std::uint64_t layers = 0, bytes = 0, retries = 0, resumes = 0, corrupt = 0, breakers_opened = 0;
};

/// The image names that registry_reference.hpp describes. Blobs are held to digest and size while they come:
/// what open_blob gives is what was asked for. A failure of the registry's is tried again, mirrors first,
/// with back-off and within the pull's budget; a registry that fails in a row is left alone by all pulls for
/// a while, and a pull that has nothing yet fails at once then. Any thread.
class RegistrySource final : public ImageSource {
 public:
  RegistrySource(RegistrySourceConfig config, const Clock& clock, Random random);
  ~RegistrySource() override;
  /// Makes its folder, deletes old parts. Errors: io.
  Result<void> open();
  Result<BlobLink> resolve(const ImageName& name, Pull& pull) override;
  Result<Fd> open_blob(const ImageName& name, const BlobWish& wish, Pull& pull) override;
  RegistryCounts counts() const;
  CircuitBreaker::State breaker_state(const std::string& host) const;

 private:
  struct Remembered {
    std::string authorization;
    Moment until{};
  };
  struct Round {
    std::optional<PullFailure> failure;  ///< of the last server that was asked; nothing: it is there
    bool was_asked = false;              ///< any server, or all are left alone for a while
  };

  Result<RegistryReference> reference_of(const ImageName& name) const;
  std::optional<PullFailure> get(const RegistryReference& reference, const std::string& path,
                                 const std::string& accept, PulledBody& body, Pull& pull);
  Round ask_all(const std::vector<RegistryEndpoint>& endpoints, const RegistryWish& wish,
                const std::string& accept, PulledBody& body, Pull& pull);
  std::optional<PullFailure> exchange(const RegistryEndpoint& endpoint, const RegistryWish& wish,
                                      const std::string& accept, PulledBody& body, Pull& pull);
  std::optional<PullFailure> pause(milliseconds wait, Pull& pull);
  PullBudget& budget_of(Pull& pull);
  std::optional<milliseconds> left_alone_for(const std::string& host);
  void judge(const std::string& host, const std::optional<PullFailure>& failure);
  void progressed(Pull& pull);
  std::string remembered(const std::string& key) const;
  void remember(const std::string& key, const RegistryExchange& exchange);
  Result<Fd> open_document(const RegistryReference& reference, const BlobWish& wish, Pull& pull);
  Result<Fd> open_layer(const RegistryReference& reference, const BlobWish& wish, Pull& pull);
  std::optional<PullFailure> come_first(const std::string& digest, Pull& pull);
  void drop_old_parts();

  RegistrySourceConfig config_;
  const Clock& clock_;
  mutable std::mutex mutex_;  ///< of all below, and of pulls' budgets
  std::condition_variable changed_;
  Random random_;
  std::map<std::string, CircuitBreaker> breakers_;    ///< by host
  std::map<std::string, Remembered> authorizations_;  ///< by host and repository
  std::set<std::string> on_their_way_;                ///< digests of layers
  RegistryCounts counts_;
};

}  // namespace troupe::agent
