// What a snapshot's sender and receiver say to each other, and the manifest of a snapshot or backup: as it
// is, and under a good checksum, so that what lies behind it is reached too.

#include "storage/snapshot/snapshot_message.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

void check_places(const SnapshotManifest& manifest) {
  const SnapshotPlaces places(manifest);
  fuzz::must(places.total() == manifest.bytes());
  const auto files = static_cast<std::uint32_t>(manifest.files.size());
  fuzz::must(places.position(files, 0) == places.total() && !places.position(files, 1));
  for (std::uint32_t file = 0; file < files; ++file) {
    const std::uint64_t size = manifest.files[file].size;
    fuzz::must(places.position(file, size).has_value());
    if (size != UINT64_MAX) fuzz::must(!places.position(file, size + 1));
    if (size == 0) continue;
    const auto place = places.place(places.start_of(file));
    fuzz::must(place.file == file && place.offset == 0);
  }
}

void check_manifest(BytesView bytes) {
  const auto manifest = decode_manifest(bytes);
  if (!manifest.ok()) return;
  const auto again = decode_manifest(encode_manifest(manifest.value()));
  fuzz::must(again.ok() && again.value() == manifest.value());
  check_places(manifest.value());
}

void check_message(BytesView bytes) {
  const auto message = unpacked<SnapshotMessage>(bytes);
  if (!message.ok()) return;
  const Bytes once = packed(message.value());
  const auto again = unpacked<SnapshotMessage>(once);
  fuzz::must(again.ok() && packed(again.value()) == once &&
             transfer_of(again.value()) == transfer_of(message.value()));
  if (const auto* offer = std::get_if<SnapshotOffer>(&message.value()))
    check_manifest(offer->manifest.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  check_manifest(bytes);
  check_manifest(seal_record(1, Bytes(bytes)));
  check_message(bytes);
  return 0;
}
