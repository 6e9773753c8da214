#include "actors/diagnosis/debug_document.hpp"

#include "actors/diagnosis/redact.hpp"

namespace troupe {
namespace {

constexpr std::size_t section_values_max = 200'000;
/// Kept free, so that what does not fit any more can still be said to be missing.
constexpr std::size_t room_for_notes = 64 * 1024;

std::string missing(std::string_view why) {
  json::Writer writer;
  writer.begin_object();
  writer.key("missing");
  writer.text(why.substr(0, 1'000));
  writer.end_object();
  return writer.take();
}

Result<std::string> redacted(std::string_view section) {
  json::Limits limits;
  limits.bytes = DebugDocument::section_bytes_max;
  limits.values = section_values_max;
  const auto value = json::parse(section, limits);
  if (!value.ok()) return value.error();
  json::Writer writer;
  write_redacted(writer, value.value());
  return writer.take();
}

}  // namespace

void DebugDocument::put(std::string_view name, std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
  text_ += json;
}

void DebugDocument::add(std::string_view name, const Result<std::string>& json) {
  if (!json.ok()) return put(name, missing(redacted_text(json.error().message)));
  const auto section = redacted(json.value());
  if (!section.ok()) return put(name, missing("it cannot be told: " + section.error().message));
  const std::size_t size = section.value().size();
  if (size > section_bytes_max || text_.size() + size + room_for_notes > document_bytes_max)
    return put(name, missing("it would be " + std::to_string(size) + " bytes, too many"));
  put(name, section.value());
}

std::string DebugDocument::take() {
  std::string taken = std::move(text_) + '}';
  text_ = "{";
  return taken;
}

}  // namespace troupe
