#pragma once
// What leaves a node for a diagnosis goes through here: whoever reads it may not be who may know its secrets.
// Pure.

#include <string>
#include <string_view>

#include "net/json/writer.hpp"

namespace troupe {

inline constexpr std::string_view redacted_mark = "[redacted]";

/// By its name in any spelling: passwords, tokens, keys, credentials, and environments as a whole. A name
/// that says it is a file's or folder's is none: a path to a secret may be known.
bool is_secret_name(std::string_view name);

/// A line of text with the values of `name=value`, `name: value` and `"name":"value"` replaced where the name
/// is a secret's; likewise what stands before the @ of a URL, and behind Bearer and Basic. Errs to the side
/// of too much.
std::string redacted_text(std::string_view text);

/// Writes the value with each secret member's value, whatever it is, and all texts redacted.
void write_redacted(json::Writer& writer, const json::Value& value);

}  // namespace troupe
