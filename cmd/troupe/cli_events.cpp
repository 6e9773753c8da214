#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_sse.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds events_idle_max{60'000};
constexpr int events_failures_max = 10;  // in a row

std::string line_of(const SseEvent& event) {
  const auto value = json::parse(event.data);
  if (!value.ok()) return printable(event.name + ' ' + event.data);
  const auto& fact = value.value();
  std::string line = to_text(Instant{integer_at(fact, "timestamp")}) + ' ' + event.name;
  if (const auto reason = text_at(fact, "reason"); !reason.empty()) line += ' ' + reason;
  for (const auto* name : {"jobId", "taskId", "slot", "hostId", "jobState", "taskState", "reasonCode"})
    if (const auto text = text_at(fact, name); !text.empty()) line += ' ' + std::string(name) + '=' + text;
  return printable(line);
}

/// Prints what comes and remembers how far it got, so that a broken stream goes on where it stood.
class EventPrinter {
 public:
  EventPrinter(Context& context, std::uint64_t limit) : context_(context), limit_(limit) {}

  bool print(const SseEvent& event) {
    last_id_ = event.id;
    context_.io.out << (context_.options.wants_json ? event.data : line_of(event)) << std::endl;
    ++printed_;
    return !is_over() && context_.io.out.good();
  }
  bool is_over() const { return limit_ != 0 && printed_ >= limit_; }
  std::uint64_t printed() const { return printed_; }
  http::Headers resume_headers() const {
    return last_id_.empty() ? http::Headers{} : http::Headers{{"last-event-id", last_id_}};
  }

 private:
  Context& context_;
  const std::uint64_t limit_;
  std::uint64_t printed_ = 0;
  std::string last_id_;
};

bool is_worth_mending(const Error& error, const EventPrinter& printer, int failures) {
  if (retry_class(error.code) == Retry::never || failures > events_failures_max) return false;
  return failures == 0 || printer.printed() > 0;  // A stream that never began is most likely a wrong address.
}

}  // namespace

int events(Context& context, const Events& args) {
  auto client = context.client();
  std::string target = "/api/v3/events";
  for (const std::string& one : args.only) {
    const auto equals = one.find('=');
    target += (target.find('?') == std::string::npos ? '?' : '&') + url_text(one.substr(0, equals)) + '=' +
              url_text(one.substr(equals + 1));
  }
  if (!args.job.empty()) {
    const auto job = whole_id(client, IdOf::job, args.job);
    if (!job.ok()) return report(context.io.err, job.error());
    target = "/api/v3/jobs/" + job.value() + "/events";
  }
  EventPrinter printer(context, args.limit);
  for (int failures = 0;;) {
    SseReader reader;
    const auto before = printer.printed();
    const Moment began = context.io.clock.steady();
    const auto outcome = client.stream(
        target, printer.resume_headers(),
        [&](std::string_view bytes) {
          return reader.feed(bytes, [&](const SseEvent& event) { return printer.print(event); });
        },
        events_idle_max);
    if (printer.is_over() || !context.io.out.good()) return exit_ok;
    // A job's stream ends with the job; the cell's has no end.
    if (outcome.ok() && !args.job.empty()) return exit_ok;
    const bool was_quiet = context.io.clock.steady() - began >= events_idle_max;
    failures = was_quiet || printer.printed() > before ? 0 : failures + 1;
    if (!outcome.ok() && !is_worth_mending(outcome.error(), printer, failures))
      return report(context.io.err, outcome.error());
    if (failures > events_failures_max)
      return report(context.io.err, Error{ErrorCode::unavailable, "the stream of events keeps ending"});
    context.io.pause(pause_default);
  }
}

}  // namespace troupe::cli
