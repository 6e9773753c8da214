#include "cmd/troupe/cli_submit.hpp"

#include <fstream>
#include <iterator>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/cli_yaml.hpp"
#include "net/api/descriptor.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

/// At most one byte more than allowed.
std::string read_some(std::istream& in) {
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

Result<std::string> read_file(Context& context, const std::string& name) {
  std::string text;
  if (name == "-") {
    text = read_some(context.io.in);
  } else {
    std::ifstream file(name, std::ios::binary);
    if (!file) return Error{ErrorCode::not_found, "cannot read the file " + name};
    text = read_some(file);
  }
  if (text.size() > file_bytes_max) return Error{ErrorCode::body_too_large, name + " is larger than 4 MB"};
  return text;
}

bool is_yaml(const std::string& name, const std::string& text) {
  if (name.ends_with(".yaml") || name.ends_with(".yml")) return true;
  if (name.ends_with(".json")) return false;
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos || text[first] != '{';
}

int tell(Context& context, const JobSubmit& args, const std::string& id) {
  if (args.is_quiet)
    context.io.out << id << '\n';
  else if (context.options.wants_json)
    context.io.out << "{\"id\":\"" << id << "\"}\n";
  else
    context.io.out << "submitted job " << id << '\n';
  return exit_ok;
}

}  // namespace

Result<std::string> submit(CellClient& client, const std::string& body, const std::string& key,
                           const json::Value* document) {
  const auto answer = client.change("POST", "/api/v3/jobs", body, key);
  if (answer.ok()) return text_at(answer.value().value, "id");
  Error error = answer.error();
  for (auto& violation : error.violations) {
    if (!document) break;
    const auto at = position_of(*document, violation.path);
    violation.line = at.line;
    violation.column = at.column;
  }
  return error;
}

Result<Document> read_document(Context& context, const std::string& name) {
  auto text = read_file(context, name);
  if (!text.ok()) return text.error();
  auto value = is_yaml(name, text.value()) ? parse_yaml(text.value()) : json::parse(text.value());
  if (!value.ok()) return value.error();
  return Document{std::move(text).value(), std::move(value).value()};
}

int job_validate(Context& context, const std::string& file) {
  const auto document = read_document(context, file);
  if (!document.ok()) return report(context.io.err, document.error());
  const auto descriptor = api::parse_job_descriptor(document.value().value);
  if (!descriptor.ok()) return report(context.io.err, descriptor.error());
  context.io.out << file << ": well; the cell may have tighter limits\n";
  return exit_ok;
}

int job_submit(Context& context, const JobSubmit& args) {
  const auto text = read_file(context, args.file);
  if (!text.ok()) return report(context.io.err, text.error());
  auto client = context.client();
  const std::string key = args.key.empty() ? new_key() : args.key;
  Result<std::string> id = std::string();
  if (is_yaml(args.file, text.value())) {
    const auto document = parse_yaml(text.value());
    if (!document.ok()) return report(context.io.err, document.error());
    id = submit(client, json::to_json(document.value()), key, &document.value());
  } else {
    id = submit(client, text.value(), key);
  }
  if (id.ok()) return tell(context, args, id.value());
  const int code = report(context.io.err, id.error());
  if (id.error().code == ErrorCode::outcome_unknown)
    context.io.err << "  to repeat it safely: --idempotency-key " << key << '\n';
  return code;
}

}  // namespace troupe::cli
