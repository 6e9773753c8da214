#include "cmd/troupe/cli_run_descriptor.hpp"

#include <charconv>

#include "cmd/troupe/cli_table.hpp"
#include "net/json/object_reader.hpp"
#include "net/json/writer.hpp"
#include "storage/model/job_descriptor.hpp"

namespace troupe::cli {
namespace {

using Violations = std::vector<Violation>;

StringMap pairs_of(const std::vector<std::string>& given, std::string_view option, Violations& violations) {
  StringMap out;
  for (const auto& item : given) {
    const auto equals = item.find('=');
    if (equals == std::string::npos || equals == 0)
      json::add_violation(violations, std::string(option), "must be NAME=VALUE, is " + item, {});
    else
      out[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return out;
}

std::string program_name(const std::vector<std::string>& command) {
  const std::string& program = command.front();
  const auto slash = program.rfind('/');
  const std::string name = slash == std::string::npos ? program : program.substr(slash + 1);
  return name.empty() ? "job" : name;
}

void text_member(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.text(text);
}

/// A number as the user wrote it; the cell judges its size.
void amount_member(json::Writer& writer, std::string_view name, const std::string& text,
                   Violations& violations) {
  if (text.empty()) return;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || stop != end)
    return json::add_violation(violations, std::string(name), "must be a number, is " + text, {});
  writer.key(name);
  if (const auto whole = static_cast<std::int64_t>(number); static_cast<double>(whole) == number)
    writer.integer(whole);
  else
    writer.real(number);
}

void resources_member(json::Writer& writer, const JobRun& args, Violations& violations) {
  writer.key("resources");
  writer.begin_object();
  amount_member(writer, "cpu", args.cpu, violations);
  amount_member(writer, "memoryMB", args.memory, violations);
  amount_member(writer, "diskMB", args.disk, violations);
  amount_member(writer, "networkMbps", args.network, violations);
  amount_member(writer, "ports", args.ports, violations);
  amount_member(writer, "gpu", args.gpu, violations);
  writer.end_object();
}

void image_member(json::Writer& writer, const std::string& image, Violations& violations) {
  if (image.empty()) return;
  const auto at = image.find('@');
  const auto cut = at == std::string::npos ? image.rfind(':') : at;
  // A colon before a slash is of the registry's port.
  if (cut == std::string::npos || cut == 0 || image.find('/', cut) != std::string::npos)
    return json::add_violation(violations, "--image", "must be NAME:TAG or NAME@DIGEST, is " + image, {});
  writer.key("image");
  writer.begin_object();
  text_member(writer, "name", image.substr(0, cut));
  text_member(writer, at == std::string::npos ? "tag" : "digest", image.substr(cut + 1));
  writer.end_object();
}

void container_member(json::Writer& writer, const JobRun& args, Violations& violations) {
  writer.key("container");
  writer.begin_object();
  resources_member(writer, args, violations);
  image_member(writer, args.image, violations);
  writer.key("command");
  json::write_value(writer, args.command);
  writer.key("env");
  json::write_value(writer, pairs_of(args.env, "--env", violations));
  writer.key("hardConstraints");
  writer.begin_object();
  writer.key("constraints");
  json::write_value(writer, pairs_of(args.constraints, "--constraint", violations));
  writer.end_object();
  writer.end_object();
}

void batch_member(json::Writer& writer, const JobRun& args, Violations& violations) {
  writer.key("batch");
  writer.begin_object();
  writer.key("size");
  writer.uint(args.size);
  if (!args.runtime_limit.empty()) {
    const auto limit = duration_of(args.runtime_limit);
    if (!limit)
      json::add_violation(violations, "--runtime-limit", "must be a time such as 90s, 5m or 2h", {});
    else
      text_member(writer, "runtimeLimitSec",
                  std::to_string(std::chrono::ceil<std::chrono::seconds>(*limit).count()));
  }
  writer.key("retryPolicy");
  writer.begin_object();
  writer.key("immediate");
  writer.begin_object();
  writer.key("retries");
  writer.uint(args.retries);
  writer.end_object();
  writer.end_object();
  writer.end_object();
}

}  // namespace

Result<std::string> run_descriptor(const Context& context, const JobRun& args) {
  Violations violations;
  json::Writer writer;
  writer.begin_object();
  writer.key("owner");
  writer.begin_object();
  text_member(writer, "teamEmail", args.team_email.empty() ? default_caller(context.io) : args.team_email);
  writer.end_object();
  text_member(writer, "applicationName", args.name.empty() ? program_name(args.command) : args.name);
  if (!args.capacity_group.empty()) text_member(writer, "capacityGroup", args.capacity_group);
  writer.key("attributes");
  json::write_value(writer, pairs_of(args.attributes, "--attribute", violations));
  container_member(writer, args, violations);
  batch_member(writer, args, violations);
  writer.end_object();
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return writer.take();
}

}  // namespace troupe::cli
