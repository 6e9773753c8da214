// Commands of the replicated log. What decodes must encode to bytes that decode to the same.

#include "storage/model/command.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto command = decode_command(fuzz::view(data, size));
  if (!command.ok()) return 0;
  const Bytes once = encode(command.value());
  const auto again = decode_command(once);
  fuzz::must(again.ok() && encode(again.value()) == once);
  fuzz::must(!command_name(command.value()).empty());
  return 0;
}
