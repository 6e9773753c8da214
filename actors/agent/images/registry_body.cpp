#include "actors/agent/images/registry_body.hpp"

#include <algorithm>

#include "actors/agent/images/blob_text.hpp"
#include "actors/agent/images/image_documents.hpp"

namespace troupe::agent {
namespace {

PullFailure lie(const std::string& what) { return {Fault::content, {ErrorCode::corrupt, what}}; }
PullFailure broken(const std::string& what) { return {Fault::registry, {ErrorCode::unavailable, what}}; }
PullFailure disk_problem(const Error& error) { return {Fault::host, error}; }

}  // namespace

std::optional<PullFailure> PulledDocument::take(const RegistryAnswer&, std::string_view piece) {
  const std::uint64_t most = size_ ? std::min<std::uint64_t>(*size_, document_bytes_max) : document_bytes_max;
  if (piece.size() > most - text_.size())
    return lie("a document of the image is larger than " + std::to_string(most) + " bytes");
  text_.append(piece);
  return std::nullopt;
}

std::optional<PullFailure> PulledDocument::finish(const RegistryAnswer& head) {
  if (head.status != 200) return broken("a part of a document came, which nobody asked for");
  const std::string found = sha256_digest(text_);
  const bool is_said = digest_.empty() && is_sha256_digest(head.content_digest);
  const std::string& wanted = is_said ? head.content_digest : digest_;
  if (!wanted.empty() && found != wanted)
    return lie("a document of the image has the digest " + found + ", not " + wanted);
  if (size_ && text_.size() != *size_)
    return lie("a document of the image has " + std::to_string(text_.size()) + " bytes, not " +
               std::to_string(*size_));
  digest_ = found;
  return std::nullopt;
}

void PulledLayer::begin() {
  // Errors of the disk show at the next write.
  if (is_to_restart_) (void)file_.restart();
  is_to_restart_ = false;
  is_first_piece_ = true;
  is_resumed_ = false;
}

std::optional<PullFailure> PulledLayer::take_head(const RegistryAnswer& head) {
  const std::uint64_t have = file_.bytes();
  if (head.status == 206 && range_begin(head.content_range) != have) {
    forget();
    return broken("another part of the layer came than was asked for");
  }
  if (head.status == 200 && have > 0)  // It knows no ranges.
    if (auto restarted = file_.restart(); !restarted.ok()) return disk_problem(restarted.error());
  is_resumed_ = file_.bytes() > 0;
  was_resumed_ = was_resumed_ || is_resumed_;
  const std::uint64_t left = file_.size() - file_.bytes();
  if (!head.content_length || *head.content_length == left) return std::nullopt;
  forget();
  return lie("layer's size: " + std::to_string(*head.content_length) + " bytes would come, not " +
             std::to_string(left));
}

std::optional<PullFailure> PulledLayer::take(const RegistryAnswer& head, std::string_view piece) {
  if (is_first_piece_)
    if (auto failure = take_head(head)) return failure;
  is_first_piece_ = false;
  auto kept = file_.append(piece);
  if (kept.ok()) return std::nullopt;
  if (kept.error().code != ErrorCode::invalid_argument) return disk_problem(kept.error());
  forget();
  return lie(kept.error().message);
}

std::optional<PullFailure> PulledLayer::finish(const RegistryAnswer&) {
  if (!file_.is_whole()) return broken("the layer ended after " + std::to_string(file_.bytes()) + " bytes");
  if (file_.is_sound()) return std::nullopt;
  forget();
  // What was there before may be what is wrong: a crash of this host, or another server's bytes.
  if (is_resumed_) return broken("what was continued has another digest");
  return lie("what came has another digest than its manifest says");
}

}  // namespace troupe::agent
