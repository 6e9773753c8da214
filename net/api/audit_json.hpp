#pragma once
// The audit as it is asked for and answered.

#include <optional>
#include <string>
#include <string_view>

#include "net/api/parameter_doc.hpp"
#include "net/http/http.hpp"
#include "net/json/value.hpp"
#include "net/json/writer.hpp"
#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::api {

constexpr std::uint32_t audit_page_default = 100;
constexpr std::uint32_t audit_page_max = 5'000;

/// Each criterion that is given must hold.
struct AuditQuery {
  std::string caller;
  std::string subject;  ///< "job/6f1c…"; an id alone fits, too
  std::string command;
  std::string request;
  std::optional<bool> refused;
  Instant since;  ///< unset: from the beginning
  Instant until;  ///< unset: to the end; excluded
  bool oldest_first = false;
  std::uint32_t page_size = audit_page_default;
  std::optional<std::uint64_t> after;  ///< the cursor: the ordinal that the page before ended with
};
/// Errors: invalid_argument with one violation per parameter.
Result<AuditQuery> parse_audit_query(const http::Request& request);
std::vector<ParameterDoc> audit_parameters();
bool matches(const AuditQuery& query, const AuditRecord& record);

/// {ordinal, index, timestamp, command, caller, callReason, requestId, subject, outcome, code?, message?,
/// digest, chain}
void audit_json(json::Writer& writer, const AuditRecord& record);
/// What audit_json wrote, for whoever checks the chain. Error: invalid_argument.
Result<AuditRecord> read_audit(const json::Value& value);

}  // namespace troupe::api
