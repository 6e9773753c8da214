// Records of the log: as they are, and under a good checksum, so that what lies behind it is reached too.

#include <xxhash.h>

#include "storage/log/log_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

Bytes sealed(BytesView body) {
  Bytes out(1, '\1');
  const std::uint64_t sum = XXH3_64bits(body.data(), body.size());
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(sum >> shift));
  return out.append(body);
}

void check_entry(BytesView key, BytesView record) {
  const auto entry = log_entry(key, record);
  if (!entry.ok()) return;
  fuzz::must(log_key(entry.value().index) == key && log_record(entry.value()) == record);
}

void check_head(BytesView record) {
  const auto head = log_head(record);
  if (!head.ok()) return;
  const auto again = log_head(log_head_record(head.value()));
  fuzz::must(again.ok() && again.value() == head.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  const Bytes good = sealed(bytes);
  const Index at{size >= 8 ? static_cast<std::uint8_t>(bytes[0]) : 0u};
  check_entry(log_key(at), bytes);
  check_entry(log_key(at), good);
  check_entry(bytes, good);
  check_head(bytes);
  check_head(good);
  return 0;
}
