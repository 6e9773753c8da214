#pragma once
// One change of many things: said before it is done, asked about where they are many or all, done one after
// another at a bounded rate, each with the caller and the reason in the audit. When the attached node dies
// meanwhile, it goes on at another one; what was under way is repeated there with the same request id, so
// that it happens once.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_interrupt.hpp"

namespace troupe::cli {

constexpr std::size_t bulk_max = 100'000;  ///< things of one command; beyond: invalid_argument

struct BulkItem {
  std::string name;              ///< as it is told
  std::string target;            ///< that takes the change
  std::vector<std::string> row;  ///< of the table
};

struct Bulk {
  std::string_view verb;     ///< "drain"
  std::string_view noun;     ///< "host"
  std::string_view becomes;  ///< "is Draining"
  std::string_view method;
  std::string body{};
  std::string headline{};  ///< what is about to be done
  std::vector<std::string> header{};
  std::vector<BulkItem> changes{};
  std::size_t selected = 0;  ///< with those that need no change
  bool is_everything = false;
  std::string question{};               ///< why it is asked about though they are few; empty: it is not
  std::string_view phase{};             ///< for --json; empty: none
  std::optional<std::int64_t> tasks{};  ///< likewise
};

/// What is wrong with the options, or nothing.
std::string bulk_complaint(const Context& context, const BulkArgs& args);
/// Tells what would be done; then asks, and does it unless it is a dry run. Answers the exit code. What has
/// ended meanwhile counts as done.
int run_bulk(Context& context, const BulkArgs& args, const Bulk& bulk, const InterruptGuard& guard);

/// Tells what would be done, and asks; answers the exit code where it ends there: a dry run, nothing
/// selected, too many, nobody agrees.
std::optional<int> begin_bulk(Context& context, const BulkArgs& args, const Bulk& bulk);
/// One change, under one request id whichever nodes it is sent to: a dead one's place is taken by another.
Result<Answer> change_anywhere(Context& context, std::string_view method, const std::string& target,
                               const std::string& body, const InterruptGuard& guard);
/// Somebody else did it, or it ended by itself.
bool is_over(const Error& error);

/// Are `selected` all that the list at `path` has? Errors: the cell's.
Result<bool> is_all_of(CellClient& client, const std::string& path, std::size_t selected);
/// "3 hosts", "1 host"
std::string counted(std::int64_t count, std::string_view what);

}  // namespace troupe::cli
