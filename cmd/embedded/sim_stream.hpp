#pragma once

#include <functional>
#include <string_view>

namespace troupe::embedded {

/// What a client of a stream is told. on_over comes exactly once; neither may call the cluster.
struct SimStream {
  std::function<void(std::string_view chunk)> on_chunk;
  std::function<void()> on_over;
};

}  // namespace troupe::embedded
