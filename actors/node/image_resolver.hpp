#pragma once

#include <functional>
#include <string>

#include "storage/base/result.hpp"
#include "storage/model/job_descriptor.hpp"

namespace troupe {

/// Finds the digest that an image's tag stands for now. Calls may come from any thread and never block.
class ImageResolver {
 public:
  virtual ~ImageResolver() = default;
  /// Whether a node of this cell is to ask for it. If not, hosts resolve the tag at each launch.
  virtual bool asks_for(const Image& image) const = 0;
  /// `done` is called once, on any thread, also before this returns and at the latest when the resolver ends.
  /// Errors: not_found, invalid_argument (the image's fault); unavailable, overloaded, io, corrupt (not).
  using Done = std::function<void(Result<std::string> digest)>;
  virtual void resolve(const Image& image, Done done) = 0;
};

}  // namespace troupe
