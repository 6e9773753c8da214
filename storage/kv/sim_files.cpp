#include "storage/kv/sim_files.hpp"

#include <algorithm>
#include <string_view>

namespace troupe {

using NodePtr = std::shared_ptr<SimFiles::Node>;

/// A file or a folder, as it is and as a crash would leave it.
struct SimFiles::Node {
  using Names = std::map<std::string, NodePtr>;
  /// Changes of names that happen together; null: the name goes.
  using Change = std::vector<std::pair<std::string, NodePtr>>;

  bool is_folder = false;
  Bytes bytes, synced_bytes;     ///< of a file
  Names names, synced_names;     ///< of a folder
  std::vector<Change> unsynced;  ///< of a folder, oldest first

  static void apply(Names& names, const Change& change) {
    for (const auto& [name, node] : change) {
      if (node)
        names[name] = node;
      else
        names.erase(name);
    }
  }
  void change(Change change) {
    apply(names, change);
    unsynced.push_back(std::move(change));
  }
  std::uint64_t size() const {
    std::uint64_t sum = bytes.size();
    for (const auto& [name, node] : names) sum += node->size();
    return sum;
  }
  void sync_names() {
    synced_names = names;
    unsynced.clear();
  }
  void crash(Random& random) {
    if (!is_folder) {
      // Bytes behind the synced ones may be there; a file that was cut and rewritten falls back whole.
      const bool grew = bytes.starts_with(synced_bytes);
      if (grew)
        synced_bytes =
            bytes.substr(0, synced_bytes.size() + random.below(bytes.size() - synced_bytes.size() + 1));
      bytes = synced_bytes;
      return;
    }
    const std::uint64_t kept = random.below(unsynced.size() + 1);
    for (std::uint64_t n = 0; n < kept; ++n) apply(synced_names, unsynced[n]);
    names = synced_names;
    unsynced.clear();
    for (const auto& [name, node] : names) node->crash(random);
  }
};

namespace {

Error missing(const std::string& path) { return Error{ErrorCode::not_found, path + ": no such file"}; }

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find('/', from), path.size());
    if (const std::string part = path.substr(from, to - from); !part.empty() && part != ".")
      parts.push_back(part);
    from = to + 1;
  }
  return parts;
}

struct Place {
  std::string folder, name;
};
Place place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? Place{"", path} : Place{path.substr(0, slash), path.substr(slash + 1)};
}

NodePtr new_node(bool is_folder) {
  auto node = std::make_shared<SimFiles::Node>();
  node->is_folder = is_folder;
  return node;
}

}  // namespace

SimFiles::SimFiles(SimSpace& space) : space_(space), root_(new_node(true)) {}
SimFiles::~SimFiles() = default;

NodePtr SimFiles::find(const std::string& path) const {
  NodePtr at = root_;
  for (const std::string& part : parts_of(path)) {
    const auto next = at->names.find(part);
    if (next == at->names.end()) return nullptr;
    at = next->second;
  }
  return at;
}

Result<std::vector<FileEntry>> SimFiles::list(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(folder);
  if (!node || !node->is_folder) return missing(folder);
  std::vector<FileEntry> entries;
  for (const auto& [name, child] : node->names)
    entries.push_back({name, child->bytes.size(), child->is_folder});
  return entries;
}

Result<std::uint64_t> SimFiles::size_of(const std::string& file) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(file);
  if (!node) return missing(file);
  return std::uint64_t{node->bytes.size()};
}

Result<Bytes> SimFiles::read(const std::string& file, std::uint64_t offset, std::size_t size) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(file);
  if (!node || node->is_folder) return missing(file);
  if (offset >= node->bytes.size()) return Bytes();
  return node->bytes.substr(offset, size);
}

Result<void> SimFiles::write(const std::string& file, std::uint64_t offset, BytesView bytes) {
  const std::lock_guard lock(mutex_);
  const auto [folder_path, name] = place_of(file);
  const NodePtr folder = find(folder_path);
  if (!folder || !folder->is_folder) return missing(folder_path);
  NodePtr node = find(file);
  const std::uint64_t before = node ? node->bytes.size() : 0;
  if (offset > before) return Error{ErrorCode::invalid_argument, "write behind the end of " + file};
  const std::uint64_t used = space_.used_bytes + offset + bytes.size() - before;
  if (used > space_.limit_bytes) return Error{ErrorCode::io, "write " + file + ": no space left on the disk"};
  if (!node) folder->change({{name, node = new_node(false)}});
  node->bytes.resize(offset);
  node->bytes.append(bytes);
  space_.used_bytes = used;
  return {};
}

Result<void> SimFiles::sync(const std::string& file) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(file);
  if (!node) return missing(file);
  node->synced_bytes = node->bytes;
  return {};
}

Result<void> SimFiles::sync_folder(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(folder);
  if (!node || !node->is_folder) return missing(folder);
  node->sync_names();
  return {};
}

Result<void> SimFiles::make_folder(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  NodePtr at = root_;
  for (const std::string& part : parts_of(folder)) {
    const auto found = at->names.find(part);
    const NodePtr next = found == at->names.end() ? new_node(true) : found->second;
    if (!next->is_folder) return Error{ErrorCode::io, folder + ": a file stands in the way"};
    if (found == at->names.end()) at->change({{part, next}});
    at = next;
  }
  return {};
}

Result<void> SimFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto [folder, name] = place_of(from);
  const auto [to_folder, to_name] = place_of(to);
  if (folder != to_folder) return Error{ErrorCode::io, "rename " + from + ": into another folder"};
  const NodePtr node = find(from), replaced = find(to);
  if (!node) return missing(from);
  if (replaced && !replaced->names.empty()) return Error{ErrorCode::io, to + ": folder not empty"};
  if (replaced) space_.used_bytes -= replaced->bytes.size();
  find(folder)->change({{name, nullptr}, {to_name, node}});
  return {};
}

Result<void> SimFiles::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto [folder, name] = place_of(path);
  const NodePtr node = find(path);
  if (!node) return {};
  space_.used_bytes -= node->size();
  find(folder)->change({{name, nullptr}});
  return {};
}

bool SimFiles::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return find(path) != nullptr;
}

std::map<std::string, Bytes> SimFiles::read_folder(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Bytes> files;
  if (const NodePtr node = find(path))
    for (const auto& [name, child] : node->names) files[name] = child->bytes;
  return files;
}

Result<void> SimFiles::write_folder(const std::string& path, const std::map<std::string, Bytes>& files) {
  if (auto made = make_folder(path); !made.ok()) return made;
  for (const auto& [name, bytes] : files) {
    const std::string file = path + "/" + name;
    if (auto written = write(file, 0, bytes); !written.ok()) return written;
    if (auto synced = sync(file); !synced.ok()) return synced;
  }
  const std::lock_guard lock(mutex_);
  NodePtr at = root_;
  for (const std::string& part : parts_of(path)) {
    at->sync_names();
    at = at->names.at(part);
  }
  at->sync_names();
  return {};
}

void SimFiles::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(path);
  if (!node) return;
  space_.used_bytes -= node->size();
  const auto [folder_path, name] = place_of(path);
  const NodePtr folder = find(folder_path);
  folder->names.erase(name);
  folder->synced_names.erase(name);
  for (auto& change : folder->unsynced)
    std::erase_if(change, [&](const auto& at) { return at.first == name; });
}

void SimFiles::crash(Random& random) {
  const std::lock_guard lock(mutex_);
  space_.used_bytes -= root_->size();
  root_->crash(random);
  space_.used_bytes += root_->size();
}

bool SimFiles::flip_bit(const std::string& file, Random& random) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(file);
  if (!node || node->bytes.empty()) return false;
  const std::uint64_t bit = random.below(node->bytes.size() * 8);
  char& byte = node->bytes[bit / 8];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << (bit % 8)));
  node->synced_bytes = node->bytes;
  return true;
}

}  // namespace troupe
