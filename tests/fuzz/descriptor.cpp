// JSON that callers send: a job's descriptor and the other bodies. What is taken is the same when it is
// printed and read again; what is refused says at least one thing, each with a path and a place in the text.

#include "net/api/descriptor.hpp"

#include "net/api/bodies.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

void check_error(const Error& error, BytesView text) {
  fuzz::must(error.code == ErrorCode::invalid_argument && !error.violations.empty());
  for (const Violation& one : error.violations) {
    fuzz::must(!one.message.empty());
    fuzz::must(one.line <= text.size() + 1 && one.column <= text.size() + 1);
  }
}

template <class T>
void check(const Result<T>& read, BytesView text) {
  if (!read.ok()) check_error(read.error(), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView text = fuzz::view(data, size);
  check(api::parse_capacity(text), text);
  check(api::parse_capacity_change(text), text);
  check(api::parse_processes(text), text);
  check(api::parse_budget(text), text);
  check(api::parse_task_move(text), text);
  const auto job = api::parse_job_descriptor(text);
  if (!job.ok()) {
    check_error(job.error(), text);
    return 0;
  }
  json::Writer writer;
  api::descriptor_json(writer, job.value());
  const auto again = api::parse_job_descriptor(writer.take());
  fuzz::must(again.ok() && again.value() == job.value());
  return 0;
}
