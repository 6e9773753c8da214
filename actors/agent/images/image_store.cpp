#include "actors/agent/images/image_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "actors/agent/images/blob_text.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds queue_look{100};  // how soon a pull in the queue finds out that nobody wants it

Error io_failure(const std::string& what) { return {ErrorCode::io, what + ": " + std::strerror(errno)}; }

std::optional<std::string> read_small(const fs::path& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  auto text = read_document(file);
  if (!text.ok()) return std::nullopt;
  return std::move(text).value();
}

/// Whole or not at all, and on the disk.
Result<void> write_small(const fs::path& path, std::string_view text) {
  const fs::path fresh = path.string() + ".new";
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open() || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0 || rename(fresh.c_str(), path.c_str()) != 0)
    return io_failure("cannot write " + path.string());
  return {};
}

std::uint64_t bytes_of_layer(const fs::path& folder) {
  const auto text = read_small(folder / "bytes");
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

/// Runs work(i) for each i below `count` on so many threads. After the first error nothing new is begun; that
/// error is the answer.
class Crew {
 public:
  Result<void> run(std::size_t threads, std::size_t count,
                   const std::function<Result<void>(std::size_t)>& work) {
    std::vector<std::thread> all;
    for (std::size_t i = 1; i < std::min(threads, count); ++i)
      all.emplace_back([&, count] { take_turns(count, work); });
    take_turns(count, work);
    for (std::thread& thread : all) thread.join();
    return first_error_;
  }
  Result<void> go_on() {
    const std::lock_guard lock(mutex_);
    return first_error_;
  }

 private:
  void take_turns(std::size_t count, const std::function<Result<void>(std::size_t)>& work) {
    for (std::size_t i = next_++; i < count && go_on().ok(); i = next_++) {
      auto done = work(i);
      const std::lock_guard lock(mutex_);
      if (!done.ok() && first_error_.ok()) first_error_ = std::move(done);
    }
  }
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  Result<void> first_error_;
};

struct KeptLayer {
  fs::file_time_type used;
  std::uint64_t bytes = 0;
  fs::path path;
};

}  // namespace

std::string ImageStore::layer_folder(const std::string& diff_id) const {
  return config_.folder + "/layers/" + std::string(digest_hex(diff_id));
}

Result<void> ImageStore::open() {
  std::error_code problem;
  for (const char* below : {"", "/layers", "/images", "/names"})
    fs::create_directories(config_.folder + below, problem);
  if (problem || chmod(config_.folder.c_str(), 0700) != 0)
    return Error{ErrorCode::io, "cannot make " + config_.folder + ": " + problem.message()};
  for (const auto& entry : fs::directory_iterator(config_.folder + "/layers", problem))
    if (entry.path().filename().string().find(".tmp-") != std::string::npos)
      fs::remove_all(entry.path(), problem);
  return {};
}

Result<ReadyImage> ImageStore::ensure(const std::string& image, std::function<Result<void>()> wanted) {
  auto name = parse_image_name(image);
  if (!name.ok()) return name.error();
  Pull pull;
  pull.wanted = std::move(wanted);
  auto digest = manifest_digest(name.value(), image, pull);
  if (!digest.ok()) return digest.error();
  if (auto here = pinned_if_here(digest.value()); here.ok()) return here;
  std::unique_lock lock(fetching_, std::defer_lock);
  while (!lock.try_lock_for(queue_look))
    if (auto still = pull.wanted(); !still.ok()) return still.error();
  if (auto here = pinned_if_here(digest.value()); here.ok()) return here;  // Another caller fetched it.
  pull.budget.reset();  // Its patience begins with its turn.
  if (auto fetched = fetch(name.value(), digest.value(), pull); !fetched.ok()) return fetched.error();
  auto ready = pinned_if_here(digest.value());
  if (ready.ok()) ready.value().was_fetched = true;
  return ready;
}

Result<ReadyImage> ImageStore::pinned_if_here(const std::string& digest) {
  const std::shared_lock lock(deleting_);
  auto here = known(digest);
  if (here.ok()) pin(here.value().layers);
  return here;
}

void ImageStore::pin(const std::vector<std::string>& layers) {
  const std::lock_guard lock(pins_mutex_);
  for (const std::string& layer : layers) ++pins_[layer];
}

void ImageStore::unpin(const std::vector<std::string>& layers) {
  const std::lock_guard lock(pins_mutex_);
  for (const std::string& layer : layers) {
    const auto found = pins_.find(layer);
    if (found != pins_.end() && --found->second == 0) pins_.erase(found);
  }
}

Result<std::string> ImageStore::manifest_digest(const ImageName& name, const std::string& image, Pull& pull) {
  if (!name.digest.empty()) return name.digest;
  const std::string path = config_.folder + "/names/" + std::string(digest_hex(sha256_digest(image)));
  const auto remembered = [&] {
    const std::lock_guard lock(names_);
    auto last = read_small(path);
    return last && is_sha256_digest(*last) ? last : std::nullopt;
  }();
  pull.patience = remembered ? Pull::Patience::brief : Pull::Patience::full;
  auto link = source_.resolve(name, pull);
  pull.patience = Pull::Patience::full;
  if (!link.ok()) {
    const bool is_away = link.error().code == ErrorCode::unavailable || link.error().code == ErrorCode::io;
    if (auto still = pull.wanted(); !still.ok()) return still.error();
    if (remembered && is_away) return *remembered;
    return link.error();
  }
  if (remembered == link.value().digest) return link.value().digest;
  const std::lock_guard lock(names_);
  if (auto kept = write_small(path, link.value().digest); !kept.ok()) return kept.error();
  return link.value().digest;
}

Result<std::string> ImageStore::document(const ImageName& name, const BlobWish& wish, Pull& pull) {
  auto blob = source_.open_blob(name, wish, pull);
  if (!blob.ok()) return blob.error();
  auto text = read_document(blob.value());
  if (!text.ok()) return text.error();
  if (auto held = hold_to_digest(text.value(), wish.digest); !held.ok()) return held.error();
  return text;
}

Result<ReadyImage> ImageStore::known(const std::string& digest) {
  const Error absent{ErrorCode::not_found, "that image is not here"};
  const auto text = read_small(config_.folder + "/images/" + std::string(digest_hex(digest)));
  if (!text) return absent;
  auto config = unpacked<ImageConfig>(*text);
  if (!config.ok()) return absent;  // Of another release, or damaged: fetched again.
  ReadyImage ready{digest, std::move(config).value(), {}, false};
  for (const std::string& id : ready.config.diff_ids) {
    const std::string folder = layer_folder(id);
    if (utimensat(AT_FDCWD, (folder + "/bytes").c_str(), nullptr, 0) != 0) return absent;
    ready.layers.push_back(folder + "/fs");
  }
  return ready;
}

Result<ImageManifest> ImageStore::manifest_of(const ImageName& name, const std::string& digest, Pull& pull) {
  auto text = document(name, {BlobWish::Kind::manifest, digest, std::nullopt}, pull);
  if (!text.ok()) return text.error();
  auto manifest = parse_manifest(text.value());
  if (manifest.ok()) return manifest;
  // An index of several machines' manifests?
  const auto link = choose_manifest(text.value(), {});
  if (!link.ok()) return link.error().code == ErrorCode::not_found ? link.error() : manifest.error();
  auto inner = document(name, {BlobWish::Kind::manifest, link.value().digest, link.value().size}, pull);
  if (!inner.ok()) return inner.error();
  return parse_manifest(inner.value());
}

Result<void> ImageStore::fetch(const ImageName& name, const std::string& digest, Pull& pull) {
  auto manifest = manifest_of(name, digest, pull);
  if (!manifest.ok()) return manifest.error();
  const BlobLink& link = manifest.value().config;
  auto config_text = document(name, {BlobWish::Kind::config, link.digest, link.size}, pull);
  if (!config_text.ok()) return config_text.error();
  auto config = parse_config(config_text.value(), manifest.value().layers.size());
  if (!config.ok()) return config.error();
  if (auto got = fetch_layers(name, manifest.value(), config.value(), pull); !got.ok()) return got;
  return write_small(config_.folder + "/images/" + std::string(digest_hex(digest)), packed(config.value()));
}

Result<void> ImageStore::fetch_layers(const ImageName& name, const ImageManifest& manifest,
                                      const ImageConfig& config, Pull& pull) {
  std::map<std::string, const BlobLink*> wanted;  // An image may have the same layer twice.
  std::vector<std::string> order;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i)
    if (wanted.emplace(config.diff_ids[i], &manifest.layers[i]).second) order.push_back(config.diff_ids[i]);
  Crew crew;
  const auto outside = pull.wanted;
  // What is on its way when another layer fails ends, too.
  pull.wanted = [&] {
    auto still = outside();
    return still.ok() ? crew.go_on() : still;
  };
  auto done = crew.run(config_.layers_at_once, order.size(), [&](std::size_t i) {
    return fetch_layer(name, *wanted.at(order[i]), order[i], pull);
  });
  pull.wanted = outside;
  return done;
}

Result<void> ImageStore::fetch_layer(const ImageName& name, const BlobLink& blob, const std::string& diff_id,
                                     Pull& pull) {
  const std::string final_folder = layer_folder(diff_id);
  std::error_code problem;
  if (fs::exists(final_folder + "/bytes", problem)) return {};
  auto bytes = source_.open_blob(name, {BlobWish::Kind::layer, blob.digest, blob.size}, pull);
  if (!bytes.ok()) return bytes.error();
  const std::string folder = final_folder + ".tmp-" + std::to_string(next_temporary_++);
  fs::create_directories(folder + "/fs", problem);
  if (problem) return Error{ErrorCode::io, "cannot make " + folder + ": " + problem.message()};
  UnpackOrder order{config_.helper, folder + "/fs", bytes.value().get(),
                    blob.digest,    diff_id,        config_.limits};
  auto outcome = unpack_layer(order);
  Result<void> done;
  if (!outcome.ok()) {
    Error error = outcome.error();
    error.message = "layer " + blob.digest + ": " + error.message;
    done = error;
  } else {
    done = write_small(folder + "/bytes", std::to_string(outcome.value().bytes));
    const Fd inside(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // All of its files are on the disk before it has its name.
    if (done.ok() &&
        (!inside.is_open() || syncfs(inside.get()) != 0 || rename(folder.c_str(), final_folder.c_str()) != 0))
      done = io_failure("cannot keep layer " + blob.digest);
  }
  if (!done.ok()) fs::remove_all(folder, problem);
  return done;
}

std::uint64_t ImageStore::trim() {
  const std::lock_guard fetching(fetching_);
  const std::unique_lock deleting(deleting_);
  std::vector<KeptLayer> layers;
  std::uint64_t total = 0;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(config_.folder + "/layers", problem)) {
    layers.push_back(
        {fs::last_write_time(entry.path() / "bytes", problem), bytes_of_layer(entry.path()), entry.path()});
    total += layers.back().bytes;
  }
  if (total <= config_.bytes_high) return total;
  std::sort(layers.begin(), layers.end(),
            [](const KeptLayer& a, const KeptLayer& b) { return a.used < b.used; });
  const std::lock_guard pins(pins_mutex_);
  for (const KeptLayer& layer : layers) {
    if (total <= config_.bytes_low) break;
    if (pins_.contains(layer.path / "fs")) continue;
    // Out of sight in one step, so that a crash leaves rubbish and not half a layer.
    const fs::path rubbish = layer.path.string() + ".tmp-0";
    fs::rename(layer.path, rubbish, problem);
    if (problem) continue;
    fs::remove_all(rubbish, problem);
    total -= layer.bytes;
  }
  return total;
}

}  // namespace troupe::agent
