#include "cmd/troupe/cli_context.hpp"

#include <unistd.h>

#include <array>
#include <ostream>

#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "storage/base/id.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t prefix_size_min = 4;

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

}  // namespace

void print_json(Context& context, const std::string& text) { context.io.out << text << '\n'; }

Result<void> each_page(CellClient& client, const std::string& target,
                       const std::function<bool(const Answer&)>& visit) {
  std::string cursor;
  for (int page = 0; page < pages_max; ++page) {
    const auto answer = client.get(cursor.empty() ? target : target + "&cursor=" + url_text(cursor));
    if (!answer.ok()) return answer.error();
    const auto& value = answer.value().value;
    cursor = text_at(value, "pagination/cursor");
    if (!visit(answer.value()) || !is_true_at(value, "pagination/hasMore") || cursor.empty()) return {};
  }
  return Error{ErrorCode::limit_exceeded, "the list has too many pages"};
}

Result<std::string> whole_id(CellClient& client, IdOf what, const std::string& id_or_prefix) {
  if (parse_uuid<JobId>(id_or_prefix).ok()) return id_or_prefix;
  if (id_or_prefix.size() < prefix_size_min || !is_hexadecimal(id_or_prefix))
    return Error{ErrorCode::invalid_argument, "\"" + id_or_prefix.substr(0, 64) +
                                                  "\" is no id: give a UUID or at least its first " +
                                                  std::to_string(prefix_size_min) + " characters"};
  std::vector<std::string> found;
  const std::string list = what == IdOf::job ? "/api/v3/jobs?" : "/api/v3/tasks?";
  const std::string target = list + "pageSize=10&fields=id" + where_parameter("id ~ '" + id_or_prefix + "*'");
  const auto walked = each_page(client, target, [&](const Answer& page) {
    for (const auto& item : items_of(page.value))
      if (auto id = text_at(item, "id"); id.starts_with(id_or_prefix)) found.push_back(std::move(id));
    return found.size() < 2;
  });
  if (!walked.ok()) return walked.error();
  if (found.empty())
    return Error{ErrorCode::not_found, "nothing that lives has an id that begins with " + id_or_prefix};
  if (found.size() > 1)
    return Error{ErrorCode::invalid_argument,
                 "several ids begin with " + id_or_prefix + ", such as " + found[0] + " and " + found[1]};
  return found[0];
}

std::string default_caller(const Surroundings& io) {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto user = io.environment("USER");
  return user.value_or("uid" + std::to_string(getuid())) + '@' + (host[0] ? host.data() : "localhost");
}

}  // namespace troupe::cli
