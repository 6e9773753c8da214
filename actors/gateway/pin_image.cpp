#include "actors/gateway/pin_image.hpp"

#include "actors/gateway/gateway_settings.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/pinned_image.hpp"

namespace troupe::gateway {
namespace {

bool is_resolved_here(const NodeContext& node, const Image& image) {
  return node.images != nullptr && node.images->asks_for(image) &&
         node.reads().cell_record().level >= level_of_pinned_images;
}

bool is_images_fault(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::invalid_argument;
}

Error no_such_image(const Image& image, const Error& error) {
  const std::string name = image.name + ':' + image.tag;
  return {ErrorCode::invalid_argument,
          "the image " + name + " cannot be had: " + error.message + "; push it, or correct container.image",
          {{"container.image", error.message}}};
}

Error not_resolved(const Image& image, const Error& error) {
  return {ErrorCode::unavailable, "the tag of the image " + image.name + ':' + image.tag +
                                      " cannot be resolved at the moment: " + error.message +
                                      "; nothing was created; repeat it, or name the image by digest"};
}

}  // namespace

void pin_image(Services& services, const CallPtr& call, JobDescriptor job,
               std::function<void(DescriptorPtr)> then) {
  auto stored = std::make_shared<JobDescriptor>(std::move(job));
  if (!is_resolved_here(services.node(), stored->image)) return then(std::move(stored));
  services.resolve_image(
      stored->image, [&services, call, stored, then = std::move(then)](const Result<std::string>& digest) {
        if (digest.ok()) {
          services.probe().image("resolved");
          stored->image.digest = digest.value();
        } else if (is_images_fault(digest.error().code)) {
          services.probe().image("refused");
          return call->fail(no_such_image(stored->image, digest.error()));
        } else {
          services.probe().image("unresolved");
          if (services.node().settings.get(image_digest_required) != 0)
            return call->fail(not_resolved(stored->image, digest.error()));
          stored->attributes[unresolved_image_attribute] = "true";
        }
        call->level = level_of_pinned_images;
        then(stored);
      });
}

}  // namespace troupe::gateway
