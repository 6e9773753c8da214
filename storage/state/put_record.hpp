#pragma once

#include "storage/base/msgpack.hpp"
#include "storage/kv/kv_store.hpp"
#include "storage/state/state_hash.hpp"

namespace troupe {

/// Packs a record into a batch. Returns its share in the state's hash.
template <class Record>
std::uint64_t put_record(KvBatch& batch, Table table, BytesView key, const Record& record) {
  const BytesView value = batch.put_written(table, key, [&](Bytes& bytes) {
    PackWriter writer(bytes);
    pack(writer, record);
  });
  return record_hash(key, value);
}

}  // namespace troupe
