#include "net/api/audit_json.hpp"

#include <array>

#include "net/api/members.hpp"
#include "net/api/reading.hpp"
#include "net/api/schema_text.hpp"
#include "storage/model/command_table.hpp"

namespace troupe::api {
namespace {

constexpr std::string_view done = "done", refused = "refused";

std::string take_time(Instant& at, std::string_view value) {
  const auto ms = integer_of(value);
  if (!ms || *ms < 0) return "must be milliseconds since 1970";
  at.ms = *ms;
  return {};
}

std::string take_outcome(AuditQuery& query, std::string_view value) {
  if (value != done && value != refused) return "must be done or refused";
  query.refused = value == refused;
  return {};
}

std::string take_order(AuditQuery& query, std::string_view value) {
  if (value != "newest" && value != "oldest") return "must be newest or oldest";
  query.oldest_first = value == "oldest";
  return {};
}

std::string take_size(AuditQuery& query, std::string_view value) {
  const auto size = integer_of(value);
  if (!size || *size < 1 || *size > audit_page_max)
    return "must be from 1 to " + std::to_string(audit_page_max);
  query.page_size = static_cast<std::uint32_t>(*size);
  return {};
}

std::string take_after(AuditQuery& query, std::string_view value) {
  if (value.empty()) return {};
  const auto ordinal = integer_of(value);
  if (!ordinal || *ordinal < 0) return "is no cursor: send back the one of the page before";
  query.after = static_cast<std::uint64_t>(*ordinal);
  return {};
}

template <std::string AuditQuery::*Member>
std::string take_text(AuditQuery& query, std::string_view value) {
  query.*Member = std::string(value);
  return {};
}
template <Instant AuditQuery::*Member>
std::string take_instant(AuditQuery& query, std::string_view value) {
  return take_time(query.*Member, value);
}
std::string take_consistency(AuditQuery&, std::string_view value) {
  return value == "stale" || value == "linearizable" ? "" : "must be linearizable or stale";
}

struct Parameter {
  std::string_view name;
  std::string (*take)(AuditQuery& query, std::string_view value);
  std::string_view help;
  std::vector<std::string_view> values{};  ///< none: any
};

const std::array parameters{
    Parameter{"caller", take_text<&AuditQuery::caller>, "who asked"},
    Parameter{"subject", take_text<&AuditQuery::subject>, "such as job/ID, or the id alone"},
    Parameter{"command", take_text<&AuditQuery::command>, "such as create_job"},
    Parameter{"requestId", take_text<&AuditQuery::request>,
              "the Idempotency-Key, or the one that was answered"},
    Parameter{"outcome", take_outcome, "", {done, refused}},
    Parameter{"since", take_instant<&AuditQuery::since>, "milliseconds since 1970"},
    Parameter{"until", take_instant<&AuditQuery::until>, "likewise, excluded"},
    Parameter{"order", take_order, "newest is the default", {"newest", "oldest"}},
    Parameter{"pageSize", take_size, "at most 5000"},
    Parameter{"cursor", take_after, "of the page before"},
    Parameter{"consistency", take_consistency, "", {"linearizable", "stale"}},
};

std::string take(AuditQuery& query, std::string_view name, std::string_view value) {
  std::string known;
  for (const Parameter& one : parameters) {
    if (one.name == name) return one.take(query, value);
    known.append(known.empty() ? "" : ", ").append(one.name);
  }
  return "is not a known parameter; there are " + known;
}

std::uint16_t number_of(std::string_view command) {
  for (const auto& row : command_table())
    if (row.name == command) return row.number;
  return 0;
}

/// "job/6f1c…", and its id alone.
bool is_about(std::string_view wanted, std::string_view subject) {
  if (wanted == subject) return true;
  const auto slash = subject.find('/');
  return slash != std::string_view::npos && subject.substr(slash + 1) == wanted;
}

std::uint64_t read_number(json::ObjectReader& reader, std::string_view name) {
  return static_cast<std::uint64_t>(read_required_integer(reader, name, {0, INT64_MAX}));
}

AuditRecord read_record(const json::Value& value, std::vector<Violation>& violations) {
  json::ObjectReader reader(value, "", violations);
  AuditRecord out;
  out.ordinal = read_number(reader, "ordinal");
  out.index = Index{read_number(reader, "index")};
  out.at = Instant{static_cast<std::int64_t>(read_number(reader, "timestamp"))};
  out.command = number_of(reader.required_string("command"));
  out.caller = reader.required_string("caller");
  out.reason = reader.required_string("callReason");
  out.request = reader.required_string("requestId");
  out.subject = reader.required_string("subject");
  out.refused = reader.required_string("outcome") == refused;
  if (out.refused) out.error = code_from_text(reader.required_string("code")).value_or(ErrorCode::internal);
  if (out.refused) out.message = reader.required_string("message");
  out.digest = reader.required_string("digest");
  out.chain = reader.required_string("chain");
  return out;
}

}  // namespace

Result<AuditQuery> parse_audit_query(const http::Request& request) {
  AuditQuery query;
  std::vector<Violation> violations;
  for (const auto& [name, value] : request.query) {
    std::string complaint = take(query, name, value);
    if (!complaint.empty()) json::add_violation(violations, name.substr(0, 64), std::move(complaint), {});
  }
  if (!query.command.empty() && number_of(query.command) == 0)
    json::add_violation(violations, "command", "is no command", {});
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return query;
}

std::vector<ParameterDoc> audit_parameters() {
  std::vector<ParameterDoc> docs;
  for (const Parameter& one : parameters) {
    docs.push_back(
        {one.name, one.values.empty() ? schema::text() : schema::enumeration(one.values), one.help});
  }
  return docs;
}

bool matches(const AuditQuery& query, const AuditRecord& record) {
  const auto is_wanted = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  return is_wanted(query.caller, record.caller) && is_wanted(query.request, record.request) &&
         (query.subject.empty() || is_about(query.subject, record.subject)) &&
         (query.command.empty() || number_of(query.command) == record.command) &&
         (!query.refused || *query.refused == record.refused) &&
         (!query.since.is_set() || record.at >= query.since) &&
         (!query.until.is_set() || record.at < query.until);
}

void audit_json(json::Writer& writer, const AuditRecord& record) {
  writer.begin_object();
  text_json(writer, "ordinal", std::to_string(record.ordinal));
  text_json(writer, "index", to_text(record.index));
  time_json(writer, "timestamp", record.at);
  text_json(writer, "command", command_row(record.command).name);
  text_json(writer, "caller", record.caller);
  text_json(writer, "callReason", record.reason);
  text_json(writer, "requestId", record.request);
  text_json(writer, "subject", record.subject);
  text_json(writer, "outcome", record.refused ? refused : done);
  if (record.refused) {
    text_json(writer, "code", code_text(record.error));
    text_json(writer, "message", record.message);
  }
  text_json(writer, "digest", record.digest);
  text_json(writer, "chain", record.chain);
  writer.end_object();
}

Result<AuditRecord> read_audit(const json::Value& value) {
  std::vector<Violation> violations;
  AuditRecord out = read_record(value, violations);
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return out;
}

}  // namespace troupe::api
