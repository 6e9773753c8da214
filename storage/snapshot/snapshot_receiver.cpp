#include "storage/snapshot/snapshot_receiver.hpp"

#include <deque>

namespace troupe {

SnapshotReceiver::Replies SnapshotReceiver::on(const SnapshotMessage& message, Index applied) {
  const auto fault = folder_.fault();
  const bool repairs = !fault.ok() || fault.value().has_value();
  return perform(core_.on(message, applied, repairs));
}

SnapshotReceiver::Replies SnapshotReceiver::perform(Core::Effects effects) {
  Replies replies;
  std::deque<Core::Effect> work(effects.begin(), effects.end());
  while (!work.empty()) {
    const Core::Effect effect = std::move(work.front());
    work.pop_front();
    Core::Effects more;
    if (const auto* reply = std::get_if<Core::Reply>(&effect)) replies.push_back(reply->message);
    if (const auto* resume = std::get_if<Core::Resume>(&effect)) more = perform(*resume);
    if (const auto* write = std::get_if<Core::Write>(&effect)) more = perform(*write);
    if (const auto* verify = std::get_if<Core::Verify>(&effect)) more = perform(*verify);
    // What cannot be dropped now is dropped when the next snapshot begins.
    if (std::holds_alternative<Core::Drop>(effect)) (void)folder_.drop_incoming();
    work.insert(work.end(), more.begin(), more.end());
  }
  return replies;
}

std::string SnapshotReceiver::path_of(std::uint32_t file) const {
  return folder_.incoming_path() + "/" + core_.manifest().files[file].name;
}

Result<void> SnapshotReceiver::begin(const SnapshotManifest& manifest) {
  const auto begun = folder_.incoming();
  if (!begun.ok()) return begun.error();
  if (begun.value() == manifest) return folder_.files().make_folder(folder_.incoming_path());
  return folder_.begin_incoming(manifest);
}

SnapshotReceiver::Core::Effects SnapshotReceiver::perform(const Core::Resume& resume) {
  if (auto begun = begin(resume.manifest); !begun.ok()) return core_.failed(begun.error());
  FileDoor& files = folder_.files();
  for (std::uint32_t n = 0; n < resume.manifest.files.size(); ++n) {
    const SnapshotFile& wanted = resume.manifest.files[n];
    const auto size = files.size_of(path_of(n));
    if (!size.ok() && size.error().code == ErrorCode::not_found) return core_.resumed(n, 0);
    if (!size.ok()) return core_.failed(size.error());
    // A crash may have left anything behind what was synced; a whole file is verified at its end.
    if (size.value() < wanted.size) return core_.resumed(n, size.value());
    const auto found = describe_file(files, folder_.incoming_path(), wanted.name);
    if (!found.ok()) return core_.failed(found.error());
    if (found.value() != wanted) return core_.resumed(n, 0);
  }
  return core_.resumed(static_cast<std::uint32_t>(resume.manifest.files.size()), 0);
}

SnapshotReceiver::Core::Effects SnapshotReceiver::perform(const Core::Write& write) {
  const auto written = folder_.files().write(path_of(write.file), write.offset, write.data.view());
  return written.ok() ? core_.written() : core_.failed(written.error());
}

SnapshotReceiver::Core::Effects SnapshotReceiver::perform(const Core::Verify& verify) {
  FileDoor& files = folder_.files();
  if (auto synced = files.sync(path_of(verify.file)); !synced.ok()) return core_.failed(synced.error());
  const auto found = describe_file(files, folder_.incoming_path(), core_.manifest().files[verify.file].name);
  return found.ok() ? core_.verified(found.value()) : core_.failed(found.error());
}

}  // namespace troupe
