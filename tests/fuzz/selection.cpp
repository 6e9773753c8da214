// Conditions and selections, as operators and clients write them. What is taken stays within its bounds, can
// be evaluated, and is the same when it is read again from its own words.

#include "net/api/selection.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

api::HostSubject some_host(const HostRecord& record, const Resources& used) { return {record, used, 3}; }

bool holds(const api::Condition& condition) {
  static const JobRecord job = [] {
    JobRecord record;
    record.descriptor = std::make_shared<const JobDescriptor>();
    return record;
  }();
  static const JobCounts counts;
  static const TaskRecord task;
  static const api::TaskPlace place{"h", "c", "z", "t"};
  static const HostRecord host;
  static const Resources used;
  constexpr Instant now{1'800'000'000'000};
  switch (condition.kind()) {
    case api::SelectionKind::job:
      return condition.holds(api::JobSubject{job, counts}, now);
    case api::SelectionKind::task:
      return condition.holds(api::TaskSubject{task, place}, now);
    case api::SelectionKind::actor:
      return condition.holds(api::ActorSubject{.entity = "job/a", .last_error = ""}, now);
    case api::SelectionKind::host:
      break;
  }
  return condition.holds(some_host(host, used), now);
}

void check_error(const Error& error, BytesView text) {
  fuzz::must(error.code == ErrorCode::invalid_argument && error.violations.size() == 1);
  fuzz::must(error.violations[0].column >= 1 && error.violations[0].column <= text.size() + 1);
  for (const char c : error.message) fuzz::must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView text = fuzz::view(data, size);
  for (const auto kind : {api::SelectionKind::job, api::SelectionKind::task, api::SelectionKind::host,
                          api::SelectionKind::actor}) {
    const auto condition = api::Condition::parse(kind, text);
    if (condition.ok()) {
      fuzz::must(condition.value().cost() >= 1 && condition.value().cost() <= 9 * api::Condition::values_max);
      (void)holds(condition.value());
    } else {
      check_error(condition.error(), text);
    }
  }
  const auto selection = api::parse_selection(text);
  if (!selection.ok()) {
    check_error(selection.error(), text);
    return 0;
  }
  const auto again = api::Condition::parse(selection.value().condition.kind(), selection.value().where);
  fuzz::must(again.ok() && holds(again.value()) == holds(selection.value().condition));
  return 0;
}
