#include <algorithm>
#include <fstream>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/api/audit_json.hpp"
#include "storage/model/audit_chain.hpp"
#include "storage/model/audit_sign.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t verify_page_size = 1'000;

/// Pages of the audit, which say themselves where the next one begins.
Result<void> each_audit_page(CellClient& client, const std::string& target,
                             const std::function<Result<bool>(const Answer&)>& visit) {
  std::string cursor;
  for (int page = 0; page < pages_max; ++page) {
    const auto answer = client.get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (!answer.ok()) return answer.error();
    const auto more = visit(answer.value());
    if (!more.ok()) return more.error();
    cursor = text_at(answer.value().value, "cursor");
    if (!more.value() || !is_true_at(answer.value().value, "hasMore") || cursor.empty()) return {};
  }
  return Error{ErrorCode::internal, "the audit has too many pages"};
}

void add_entry(Table& table, const json::Value& entry) {
  const std::string code = text_at(entry, "code");
  table.add({to_text(Instant{integer_at(entry, "timestamp")}), text_at(entry, "index"),
             text_at(entry, "caller"), text_at(entry, "command"), text_at(entry, "subject"),
             code.empty() ? text_at(entry, "outcome") : code, text_at(entry, "callReason")});
}

Result<std::string> target_of(Context& context, const AuditList& args) {
  std::string target = "/api/v3/audit?pageSize=" + std::to_string(args.page_size);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) target.append("&").append(name).append("=").append(url_text(value));
  };
  add("caller", args.caller);
  add("subject", args.subject);
  add("command", args.command);
  add("requestId", args.request);
  add("outcome", args.outcome);
  if (args.since.empty()) return target;
  const auto back = duration_of(args.since);
  if (!back) return Error{ErrorCode::invalid_argument, "--since takes a time such as 90s or 2h"};
  add("since", std::to_string((context.io.clock.wall() - *back).ms));
  return target;
}

/// Walks a chain from its oldest entry on.
class Chain {
 public:
  /// Error corrupt: this entry was changed, or one before it.
  Result<void> add(const AuditRecord& record) {
    const auto broken = [&](const std::string& what) {
      return Error{ErrorCode::corrupt, "entry " + std::to_string(record.ordinal) + ' ' + what};
    };
    const bool is_first = entries_ == 0;
    if (!is_first && record.ordinal != last_ + 1)
      return broken("follows entry " + std::to_string(last_) + ": something is missing");
    if (is_first && record.ordinal != 1)
      chain_ = record.chain;  // What came before is forgotten: the chain begins with its word.
    else
      chain_ = audit_chain(chain_, record);
    if (chain_ != record.chain) return broken("does not have the chain that it says: it was changed");
    last_ = record.ordinal;
    ++entries_;
    seen_[record.ordinal] = chain_;
    return {};
  }
  std::size_t entries() const { return entries_; }
  std::uint64_t last() const { return last_; }
  const std::string& chain() const { return chain_; }
  const std::string* at(std::uint64_t ordinal) const {
    const auto found = seen_.find(ordinal);
    return found == seen_.end() ? nullptr : &found->second;
  }

 private:
  std::string chain_;
  std::uint64_t last_ = 0;
  std::size_t entries_ = 0;
  std::map<std::uint64_t, std::string> seen_;
};

Result<Chain> read_chain(CellClient& client) {
  Chain chain;
  std::string head;
  const auto walked = each_audit_page(
      client, "/api/v3/audit?order=oldest&pageSize=" + std::to_string(verify_page_size),
      [&](const Answer& page) -> Result<bool> {
        for (const auto& item : items_of(page.value)) {
          const auto record = api::read_audit(item);
          if (!record.ok()) return record.error();
          if (auto added = chain.add(record.value()); !added.ok()) return added.error();
          if (record.value().ordinal == static_cast<std::uint64_t>(integer_at(page.value, "head/last")))
            head = text_at(page.value, "head/chain");
        }
        return true;
      });
  if (!walked.ok()) return walked.error();
  if (chain.entries() > 0 && head != chain.chain())
    return Error{ErrorCode::corrupt, "the cell's head is not the chain of its last entry"};
  return chain;
}

/// Is the head's word still the chain's? Error corrupt: not.
Result<bool> is_in(const Chain& chain, std::uint64_t ordinal, const std::string& hash) {
  const std::string* now = chain.at(ordinal);
  if (now == nullptr && ordinal > chain.last())
    return Error{ErrorCode::corrupt, "entry " + std::to_string(ordinal) + " was there and is gone"};
  if (now == nullptr) return false;  // Forgotten since, as the oldest are.
  if (*now == hash) return true;
  return Error{ErrorCode::corrupt, "the audit up to entry " + std::to_string(ordinal) +
                                       " was rewritten: its chain is not the one that was saved"};
}

/// Lines of "ordinal chain", as they were saved. Error corrupt: one of them is not in the chain.
Result<std::size_t> compare(const Chain& chain, const std::string& file) {
  std::ifstream in(file);
  if (!in) return Error{ErrorCode::not_found, "cannot read the file " + file};
  std::uint64_t ordinal = 0;
  std::string hash;
  std::size_t compared = 0;
  while (in >> ordinal >> hash) {
    const auto found = is_in(chain, ordinal, hash);
    if (!found.ok()) return found.error();
    compared += found.value() ? 1 : 0;
  }
  if (!in.eof()) return Error{ErrorCode::invalid_argument, file + " has a line that is no head"};
  return compared;
}

Result<std::vector<std::string>> lines_of(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Error{ErrorCode::not_found, "cannot read the file " + file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

/// Errors: corrupt (a head is not signed by any of the keys, or the chain is another one), not_found.
Result<std::size_t> compare_signed(const Chain& chain, const AuditVerify& args) {
  std::vector<std::string> keys;
  for (const std::string& file : args.keys) {
    auto lines = lines_of(file);
    if (!lines.ok()) return lines.error();
    keys.insert(keys.end(), lines.value().begin(), lines.value().end());
  }
  std::size_t compared = 0;
  for (const std::string& file : args.signed_heads) {
    const auto lines = lines_of(file);
    if (!lines.ok()) return lines.error();
    for (std::size_t n = 0; n < lines.value().size(); ++n) {
      const std::string where = file + ", line " + std::to_string(n + 1);
      const auto head = parse_signed_head(lines.value()[n]);
      if (!head.ok()) return Error{ErrorCode::corrupt, where + ": " + head.error().message};
      if (std::none_of(keys.begin(), keys.end(),
                       [&](const std::string& key) { return is_signed(head.value(), key); }))
        return Error{ErrorCode::corrupt, where + ": the head is signed by none of the keys"};
      const auto found = is_in(chain, head.value().ordinal, head.value().chain);
      if (!found.ok()) return found.error();
      compared += found.value() ? 1 : 0;
    }
  }
  return compared;
}

}  // namespace

int audit_list(Context& context, const AuditList& args) {
  const auto target = target_of(context, args);
  if (!target.ok()) return report(context.io.err, target.error());
  auto client = context.client();
  Table table({"TIME", "INDEX", "CALLER", "COMMAND", "SUBJECT", "OUTCOME", "REASON"});
  bool is_cut = false;
  const auto walked = each_audit_page(client, target.value(), [&](const Answer& page) -> Result<bool> {
    if (context.options.wants_json) print_json(context, page.text);
    for (const auto& entry : items_of(page.value)) add_entry(table, entry);
    is_cut = !args.wants_all_pages && is_true_at(page.value, "hasMore");
    return args.wants_all_pages;
  });
  if (!walked.ok()) return report(context.io.err, walked.error());
  if (!context.options.wants_json) table.print(context.io.out);
  if (is_cut) context.io.err << "there are more: --all-pages shows them\n";
  return exit_ok;
}

int audit_verify(Context& context, const AuditVerify& args) {
  auto client = context.client();
  const auto chain = read_chain(client);
  if (!chain.ok()) return report(context.io.err, chain.error());
  const Chain& read = chain.value();
  context.io.out << read.entries() << " entries up to " << read.last()
                 << ", each chained to the one before\n";
  if (!args.against.empty()) {
    const auto compared = compare(read, args.against);
    if (!compared.ok()) return report(context.io.err, compared.error());
    context.io.out << compared.value() << " saved heads are in the chain\n";
  }
  if (!args.signed_heads.empty()) {
    const auto compared = compare_signed(read, args);
    if (!compared.ok()) return report(context.io.err, compared.error());
    context.io.out << compared.value() << " signed heads are in the chain\n";
  }
  if (!args.save.empty() && read.entries() > 0) {
    std::ofstream out(args.save, std::ios::app);
    out << read.last() << ' ' << read.chain() << '\n';
    out.close();
    if (!out) return report(context.io.err, {ErrorCode::io, "cannot write " + args.save});
  }
  return exit_ok;
}

}  // namespace troupe::cli
