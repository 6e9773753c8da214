// What an agent and the owner of its host say to each other.

#include "actors/agent/protocol.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

template <class Message>
void check(BytesView bytes) {
  const auto message = unpacked<Message>(bytes);
  if (!message.ok()) return;
  const Bytes once = packed(message.value());
  const auto again = unpacked<Message>(once);
  fuzz::must(again.ok() && packed(again.value()) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  check<agent::FromAgent>(bytes);
  check<agent::ToAgent>(bytes);
  check<agent::ContainerSpec>(bytes);
  return 0;
}
