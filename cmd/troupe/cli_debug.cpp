// `debug bundle`: what nodes tell of themselves for a diagnosis, in one file. A node that does not answer is
// part of the picture: the bundle of all has a note in its place.

#include <unistd.h>

#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_new_file.hpp"
#include "cmd/troupe/cli_nodes.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/tar_gz.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

struct Bundle {
  std::vector<PackedFile> files;  ///< without the folder that all are in
  std::vector<std::string> told, missing;
  std::string cell;
  std::optional<Error> first_error;

  void note(const std::string& node, const Error& error) {
    missing.push_back(node);
    if (!first_error) first_error = error;
    files.push_back({"node-" + node + "/missing.txt", error.message + '\n'});
  }
};

std::string lines_in(const json::Value& list) {
  std::string out;
  for (const json::Value& line : items_of(list))
    if (line.text() != nullptr) out += *line.text() + '\n';
  return out;
}

/// What people read with their own tools stands in files of its own, too.
void add_document(Bundle& bundle, const Answer& answer) {
  const json::Value& document = answer.value;
  const std::string node = text_at(document, "about/node");
  const std::string folder = "node-" + node + '/';
  if (bundle.cell.empty()) bundle.cell = text_at(document, "about/cell");
  bundle.told.push_back(node);
  bundle.files.push_back({folder + "debug.json", json::to_json(document, json::Style::pretty) + '\n'});
  if (const auto* lines = value_at(document, "log/lines"))
    bundle.files.push_back({folder + "log.txt", lines_in(*lines)});
  if (auto metrics = text_at(document, "metrics/text"); !metrics.empty())
    bundle.files.push_back({folder + "metrics.txt", std::move(metrics)});
}

Result<Answer> ask_node(const Context& context, const std::string& address) {
  Options options = context.options;
  options.address = address;
  auto answer = CellClient(options, context.io).get("/api/v3/debug");
  if (answer.ok() && text_at(answer.value().value, "about/node").empty())
    return Error{ErrorCode::internal,
                 "the node at " + address + " answered something else than a debug document"};
  return answer;
}

Result<Bundle> bundle_of_one(Context& context, std::uint32_t node) {
  const auto address = address_of(context, node);
  if (!address.ok()) return address.error();
  const auto answer = ask_node(context, address.value());
  if (!answer.ok()) return answer.error();
  Bundle bundle;
  add_document(bundle, answer.value());
  return bundle;
}

Result<Bundle> bundle_of_all(Context& context) {
  auto client = context.client();
  const auto status = client.get("/api/v3/cell/status");
  if (!status.ok()) return status.error();
  Bundle bundle;
  bundle.files.push_back(
      {"cell-status.json", json::to_json(status.value().value, json::Style::pretty) + '\n'});
  const auto nodes = nodes_in(status.value().value);
  const auto told = ask_each(nodes, [&](const CellNode& node) {
    return node.http.empty() ? Result<Answer>(unknown_address(node.number)) : ask_node(context, node.http);
  });
  for (std::size_t n = 0; n < told.size(); ++n) {
    if (told[n].ok())
      add_document(bundle, told[n].value());
    else
      bundle.note(std::to_string(nodes[n].number), told[n].error());
  }
  if (bundle.told.empty() && bundle.first_error) return *bundle.first_error;
  return bundle;
}

/// Letters, digits, - and _ of a name; the rest becomes _.
std::string file_text(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 64))
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  return out;
}

/// troupe-debug-CELL-node-1-20261122T093000Z
std::string name_of(const Context& context, const DebugBundle& args, const Bundle& bundle) {
  std::string time;
  for (const char c : to_text(context.io.clock.wall()).substr(0, 19))
    if (c != '-' && c != ':') time += c;
  const std::string which = args.takes_all ? "all" : "node-" + bundle.told.front();
  return "troupe-debug-" + file_text(bundle.cell) + '-' + which + '-' + time + 'Z';
}

void put_list(json::Writer& writer, std::string_view key, const std::vector<std::string>& numbers) {
  writer.key(key);
  writer.begin_array();
  for (const std::string& number : numbers) writer.text(number);
  writer.end_array();
}

void tell(Context& context, const std::string& file, std::size_t bytes, const Bundle& bundle) {
  if (context.options.wants_json && file != "-") {
    json::Writer writer;
    writer.begin_object();
    writer.key("file");
    writer.text(file);
    writer.key("bytes");
    writer.uint(bytes);
    put_list(writer, "nodes", bundle.told);
    put_list(writer, "missing", bundle.missing);
    writer.end_object();
    print_json(context, writer.take());
  } else {
    (file == "-" ? context.io.err : context.io.out)
        << file << ": " << bytes << " bytes, " << bundle.told.size()
        << (bundle.told.size() == 1 ? " node\n" : " nodes\n");
  }
  for (const std::string& node : bundle.missing)
    context.io.err << "troupe: node " << node << " did not answer; see node-" << node
                   << "/missing.txt in the bundle\n";
}

}  // namespace

int debug_bundle(Context& context, const DebugBundle& args) {
  if (!args.file.empty() && args.file != "-" && access(args.file.c_str(), F_OK) == 0)
    return report(context.io.err,
                  Error{ErrorCode::precondition_failed, args.file + " is there already; nothing was asked"});
  auto bundle = args.takes_all ? bundle_of_all(context) : bundle_of_one(context, args.node);
  if (!bundle.ok()) return report(context.io.err, bundle.error());
  const std::string name = name_of(context, args, bundle.value());
  for (PackedFile& file : bundle.value().files) file.name = name + '/' + file.name;
  const auto packed = tar_gz(bundle.value().files, context.io.clock.wall());
  if (!packed.ok()) return report(context.io.err, packed.error());
  const std::string path = args.file.empty() ? name + ".tar.gz" : args.file;
  if (path == "-") {
    context.io.out << packed.value() << std::flush;
  } else if (const auto written = write_new_file(path, packed.value()); !written.ok()) {
    return report(context.io.err, written.error());
  }
  tell(context, path, packed.value().size(), bundle.value());
  return exit_ok;
}

}  // namespace troupe::cli
