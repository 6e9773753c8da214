#pragma once

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

/// POST /api/v3/jobs. The job's id. A refusal's violations get their positions from `document`, if that is
/// what the body was made from.
Result<std::string> submit(CellClient& client, const std::string& body, const std::string& key,
                           const json::Value* document = nullptr);

/// A file in JSON or YAML, or what stands on stdin ("-").
struct Document {
  std::string text;
  json::Value value;
};
/// Errors: not_found, body_too_large; invalid_argument with its position.
Result<Document> read_document(Context& context, const std::string& name);

}  // namespace troupe::cli
