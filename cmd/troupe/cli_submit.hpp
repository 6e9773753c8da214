#pragma once

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

/// POST /api/v3/jobs. The job's id. A refusal's violations get their positions from `document`, if that is
/// what the body was made from.
Result<std::string> submit(CellClient& client, const std::string& body, const std::string& key,
                           const json::Value* document = nullptr);

}  // namespace troupe::cli
