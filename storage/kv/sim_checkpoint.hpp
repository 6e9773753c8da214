#pragma once
// A simulated store as files: what a simulated checkpoint consists of, so that it is copied as a real one is.

#include <absl/container/btree_map.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"

namespace troupe {

/// The tables of a simulated store; values are shared, so that a copy of a table copies no bytes.
struct SimTables {
  using Map = absl::btree_map<Bytes, std::shared_ptr<const Bytes>, std::less<>>;
  std::vector<std::string> names;
  std::vector<std::shared_ptr<Map>> tables;
};

/// Several bounded files per table, by name.
std::map<std::string, Bytes> checkpoint_files(const SimTables& tables);
/// Error: corrupt (a checksum, a gap in the files).
Result<SimTables> checkpoint_tables(const std::map<std::string, Bytes>& files);

}  // namespace troupe
