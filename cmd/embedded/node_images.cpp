#include "cmd/embedded/node_images.hpp"

#include "actors/agent/images/registry_source.hpp"
#include "actors/agent/images/tag_resolver.hpp"
#include "actors/gateway/gateway_settings.hpp"

namespace troupe::embedded {
namespace {

constexpr milliseconds registry_max{3'000};  // for one server's one answer

agent::RegistrySourceConfig source_config(const agent::RegistriesConfig& registries) {
  agent::RegistrySourceConfig config;  // It fetches no layers, so it needs no folder.
  config.registries = registries;
  config.brief_max = registry_max;
  return config;
}

agent::TagResolverConfig resolver_config(const agent::RegistriesConfig& registries,
                                         const Settings& settings) {
  agent::TagResolverConfig config;
  config.registries = registries;
  config.age_max = milliseconds(settings.get(gateway::image_digest_age_ms));
  return config;
}

class NodeImages final : public ImageResolver {
 public:
  NodeImages(const agent::RegistriesConfig& registries, const Settings& settings)
      : source_(source_config(registries), clock_, Random::from_system()),
        tags_(resolver_config(registries, settings), source_, clock_) {}
  bool asks_for(const Image& image) const override { return tags_.asks_for(image); }
  void resolve(const Image& image, Done done) override { tags_.resolve(image, std::move(done)); }

 private:
  SystemClock clock_;
  agent::RegistrySource source_;
  agent::TagResolver tags_;
};

}  // namespace

std::shared_ptr<ImageResolver> make_image_resolver(const agent::RegistriesConfig& registries,
                                                   const Settings& settings) {
  if (registries.registries.empty() && registries.default_registry.empty()) return nullptr;
  return std::make_shared<NodeImages>(registries, settings);
}

}  // namespace troupe::embedded
