#pragma once
// Byte strings. Bytes is a plain owned buffer; Blob is shared and never changes.

#include <memory>
#include <string>
#include <string_view>

namespace troupe {

using Bytes = std::string;
using BytesView = std::string_view;

/// Immutable shared bytes: log entries, which the log cache, links and apply hold at the same time.
class Blob {
 public:
  Blob() = default;
  explicit Blob(Bytes bytes) : bytes_(std::make_shared<const Bytes>(std::move(bytes))) {}
  BytesView view() const { return bytes_ ? BytesView(*bytes_) : BytesView(); }
  std::size_t size() const { return view().size(); }
  friend bool operator==(const Blob& a, const Blob& b) { return a.view() == b.view(); }

 private:
  std::shared_ptr<const Bytes> bytes_;
};

}  // namespace troupe
