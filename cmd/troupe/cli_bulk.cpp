#include "cmd/troupe/cli_bulk.hpp"

#include <istream>
#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t unasked_max = 5;  ///< so many are changed without a question
constexpr std::size_t rows_max = 20;
/// A leader's failure lasts some seconds, and each round has attempts of its own.
constexpr int rounds_max = 10;
constexpr milliseconds between_rounds{1'000};

void show_bulk(std::ostream& out, const Bulk& bulk) {
  out << bulk.headline << '\n';
  if (bulk.changes.empty()) return;
  Table table(bulk.header);
  for (std::size_t n = 0; n < bulk.changes.size() && n < rows_max; ++n) table.add(bulk.changes[n].row);
  table.print(out);
  if (bulk.changes.size() > rows_max) out << "and " << bulk.changes.size() - rows_max << " more\n";
}

/// For --json: what was or would be done. The first `done` are.
void print_bulk(Context& context, const BulkArgs& args, const Bulk& bulk, std::size_t done) {
  json::Writer writer;
  writer.begin_object();
  writer.key("verb");
  writer.text(bulk.verb);
  if (!bulk.phase.empty()) {
    writer.key("phase");
    writer.text(bulk.phase);
  }
  writer.key("dryRun");
  writer.boolean(args.is_dry_run);
  writer.key("selected");
  writer.uint(bulk.selected);
  if (bulk.tasks) {
    writer.key("tasks");
    writer.integer(*bulk.tasks);
  }
  for (const bool wants_done : {true, false}) {
    writer.key(wants_done ? "changed" : "left");
    writer.begin_array();
    for (std::size_t n = 0; n < bulk.changes.size(); ++n)
      if ((n < done) == wants_done) writer.text(bulk.changes[n].name);
    writer.end_array();
  }
  writer.end_object();
  print_json(context, writer.take());
}

/// Asks for a word. Answers whether it was given.
bool asks_for(Context& context, std::string_view word, std::string_view noun, const std::string& why) {
  if (!context.io.has_person) {
    context.io.err << "troupe: " << why << ", and nobody is here to be asked: say ";
    if (word == "all")
      context.io.err << "--all (and --yes) if every " << noun << " is meant\n";
    else
      context.io.err << "--yes if that is meant\n";
    return false;
  }
  context.io.err << why << ". Type " << word << " to go on: " << std::flush;
  std::string answer;
  std::getline(context.io.in, answer);
  if (answer == word) return true;
  context.io.err << "nothing was changed\n";
  return false;
}

bool is_agreed(Context& context, const BulkArgs& args, const Bulk& bulk) {
  if (bulk.changes.empty()) return true;
  if (bulk.is_everything && !args.takes_all)
    return asks_for(context, "all", bulk.noun, "this is every " + std::string(bulk.noun) + " of the cell");
  if (args.is_confirmed) return true;
  if (!bulk.question.empty()) return asks_for(context, "yes", bulk.noun, bulk.question);
  if (bulk.changes.size() <= unasked_max) return true;
  return asks_for(context, "yes", bulk.noun,
                  "these are more than " + std::to_string(unasked_max) + ' ' + std::string(bulk.noun) + 's');
}

struct BulkRun {
  std::size_t done = 0;
  std::optional<Error> error{};
};

/// One after another, until one fails or somebody interrupts.
BulkRun run_all(Context& context, const BulkArgs& args, const Bulk& bulk, const InterruptGuard& guard) {
  const milliseconds between(1000 / args.per_second);
  BulkRun run;
  for (const BulkItem& item : bulk.changes) {
    if (run.done > 0) context.io.pause(between);
    if (guard.was_interrupted()) return run;
    const auto answer = change_anywhere(context, bulk.method, item.target, bulk.body, guard);
    const bool was_over = !answer.ok() && bulk.phase.empty() && is_over(answer.error());
    if (!answer.ok() && !was_over) {
      run.error = answer.error();
      return run;
    }
    ++run.done;
    if (!context.options.wants_json)
      context.io.out << printable(item.name) << ' ' << (was_over ? "has ended already" : bulk.becomes) << " ("
                     << run.done << " of " << bulk.changes.size() << ')' << std::endl;
  }
  return run;
}

int tell_end(Context& context, const BulkArgs& args, const Bulk& bulk, const BulkRun& run) {
  if (context.options.wants_json) print_bulk(context, args, bulk, run.done);
  if (run.done == bulk.changes.size()) return exit_ok;
  context.io.err << "troupe: " << (run.error ? "stopped" : "interrupted") << " after " << run.done << " of "
                 << counted(static_cast<std::int64_t>(bulk.changes.size()), bulk.noun) << ", before "
                 << printable(bulk.changes[run.done].name) << "; the same command goes on from there\n";
  return run.error ? report(context.io.err, *run.error) : exit_interrupted;
}

}  // namespace

std::string bulk_complaint(const Context& context, const BulkArgs& args) {
  if (!args.is_dry_run && context.options.reason.find_first_not_of(' ') == std::string::npos)
    return "say why: --reason TEXT (it is kept in the audit)";
  return {};
}

bool is_over(const Error& error) {
  return error.code == ErrorCode::not_found || error.code == ErrorCode::job_terminating ||
         error.code == ErrorCode::task_terminating;
}

Result<Answer> change_anywhere(Context& context, std::string_view method, const std::string& target,
                               const std::string& body, const InterruptGuard& guard) {
  const std::string key = new_key();
  for (int round = 1;; ++round) {
    auto answer = context.client().change(method, target, body, key);
    const bool may_be_elsewhere = !answer.ok() && may_be_dead(answer.error()) && !context.others.empty();
    if (!may_be_elsewhere || round == rounds_max || guard.was_interrupted()) return answer;
    // It lives, but there is no leader yet, or nobody lives for now.
    if (!moves_on(context)) context.io.pause(between_rounds);
  }
}

std::optional<int> begin_bulk(Context& context, const BulkArgs& args, const Bulk& bulk) {
  if (bulk.selected == 0)
    return report(context.io.err,
                  Error{ErrorCode::not_found, "the condition holds of no " + std::string(bulk.noun)});
  show_bulk(context.options.wants_json ? context.io.err : context.io.out, bulk);
  if (args.is_dry_run) {
    if (context.options.wants_json) print_bulk(context, args, bulk, 0);
    return exit_ok;
  }
  if (args.at_most && bulk.changes.size() > *args.at_most) {
    context.io.err << "troupe: these are more than --at-most " << *args.at_most << ": nothing was changed\n";
    return exit_refused;
  }
  if (!is_agreed(context, args, bulk)) return exit_refused;
  if (context.others.empty()) learn_others(context);
  return std::nullopt;
}

int run_bulk(Context& context, const BulkArgs& args, const Bulk& bulk, const InterruptGuard& guard) {
  if (const auto code = begin_bulk(context, args, bulk)) return *code;
  return tell_end(context, args, bulk, run_all(context, args, bulk, guard));
}

Result<bool> is_all_of(CellClient& client, const std::string& path, std::size_t selected) {
  const auto all = client.get(path + "?pageSize=1&fields=id");
  if (!all.ok()) return all.error();
  return static_cast<std::int64_t>(selected) >= integer_at(all.value().value, "pagination/totalItems");
}

std::string counted(std::int64_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace troupe::cli
