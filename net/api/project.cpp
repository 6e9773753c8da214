#include "net/api/query.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t item_bytes_max = 16 * 1024 * 1024;  // our own output: far above any descriptor

/// The wanted names of one object, by the parts of their dotted paths.
struct Wanted {
  bool is_whole = false;  ///< everything below, too
  std::map<std::string, Wanted, std::less<>> below{};
};

/// Calls visit(part) for each part of a dotted path, until it answers false.
template <class Visit>
void each_part(std::string_view path, Visit visit) {
  while (true) {
    const auto dot = path.find('.');
    if (!visit(path.substr(0, dot)) || dot == std::string_view::npos) return;
    path.remove_prefix(dot + 1);
  }
}

void want(Wanted& top, std::string_view path) {
  Wanted* at = &top;
  each_part(path, [&](std::string_view part) {
    at = &at->below[std::string(part)];
    return true;
  });
  at->is_whole = true;
}

/// Names may contain dots themselves (task.index): they are walked part by part, as the paths are. Null: not
/// wanted.
const Wanted* find(const Wanted& top, std::string_view name) {
  const Wanted* at = &top;
  each_part(name, [&](std::string_view part) {
    if (at->is_whole) return false;
    const auto found = at->below.find(part);
    at = found == at->below.end() ? nullptr : &found->second;
    return at != nullptr;
  });
  return at;
}

// The depth is that of our own objects.
void write_wanted(json::Writer& writer, const json::Value& value, const Wanted& wanted) {
  const json::Array* array = value.array();
  const json::Object* object = value.object();
  if (wanted.is_whole || (!array && !object)) return json::write_value(writer, value);
  if (array) {
    writer.begin_array();
    for (const auto& item : *array) write_wanted(writer, item, wanted);
    writer.end_array();
    return;
  }
  writer.begin_object();
  for (const auto& member : *object) {
    const Wanted* below = find(wanted, member.name);
    if (!below) continue;
    writer.key(member.name);
    write_wanted(writer, member.value, *below);
  }
  writer.end_object();
}

Result<json::Value> parse_item(std::string_view text) {
  json::Limits limits;
  limits.bytes = item_bytes_max;
  return json::parse(text, limits);
}

}  // namespace

std::string project(std::string json_object, const std::vector<std::string>& fields) {
  if (fields.empty()) return json_object;
  const auto value = parse_item(json_object);
  if (!value.ok()) return json_object;
  Wanted wanted;
  want(wanted, "id");
  for (const auto& field : fields) want(wanted, field);
  json::Writer writer;
  write_wanted(writer, value.value(), wanted);
  return writer.take();
}

std::string result_json(const Page& page, const std::vector<std::string>& fields,
                        const std::function<void(json::Writer&, std::size_t)>& item) {
  std::string out = "{\"items\":[";
  for (std::size_t i = page.begin; i < page.end; ++i) {
    json::Writer writer;
    item(writer, i);
    if (i > page.begin) out += ',';
    out += project(writer.take(), fields);
  }
  json::Writer pagination;
  pagination_json(pagination, page);
  return out + "],\"pagination\":" + pagination.take() + "}";
}

}  // namespace troupe::api
