#include "actors/diagnosis/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe {
namespace {

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_quote(char c) { return c == '"' || c == '\''; }

/// Lower case, letters and digits alone: api_key, apiKey and API-KEY are one name.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

constexpr std::array<std::string_view, 12> secret_parts{
    "password", "passwd",     "passphrase", "secret",        "token",  "credential",
    "apikey",   "privatekey", "accesskey",  "authorization", "cookie", "environment"};
/// Of a place, or of a number about them.
constexpr std::array<std::string_view, 8> harmless_ends{"file", "path",  "folder", "dir",
                                                        "max",  "count", "total",  "ms"};

/// Where a value that begins at `from` ends: at its closing quote, or before a separator.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  if (from < text.size() && is_quote(text[from])) {
    std::size_t at = from + 1;
    while (at < text.size() && text[at] != text[from]) at += text[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text.size());
  }
  return std::min(text.find_first_of(" \t\n,;&\"'}])", from), text.size());
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

/// Behind `name`, `name"`, blanks and = or :, the place of the value; npos if no value follows.
std::size_t value_behind(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '\\') ++at;
  if (at < text.size() && is_quote(text[at])) ++at;
  at = skip_blanks(text, at);
  if (at >= text.size() || (text[at] != '=' && text[at] != ':')) return text.npos;
  at = skip_blanks(text, at + 1);
  if (at < text.size() && text[at] == '\\') ++at;
  return at < text.size() ? at : text.npos;
}

/// "Bearer x": the scheme is not the secret, what follows is.
bool is_scheme(std::string_view word) {
  const std::string name = plain(word);
  return name == "bearer" || name == "basic";
}

/// scheme://user:password@host, from the :// on: the place of the @, or npos.
std::size_t at_sign_behind(std::string_view text, std::size_t from) {
  const std::size_t end = text.find_first_of("@/ \t\"'", from);
  return end != text.npos && text[end] == '@' ? end : text.npos;
}

std::size_t end_of_name(std::string_view text, std::size_t from) {
  while (from < text.size() && is_name_char(text[from])) ++from;
  return from;
}

/// Of a secret's value at `from`: behind all of it, a scheme before it included.
std::size_t end_of_secret(std::string_view text, std::size_t from) {
  std::size_t end = end_of_value(text, from);
  if (!is_scheme(text.substr(from, end - from))) return end;
  return end_of_value(text, skip_blanks(text, end));
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::string all = plain(name);
  if (all == "env" || all == "environ") return true;
  const auto ends = [&](std::string_view end) { return all.ends_with(end); };
  if (std::any_of(harmless_ends.begin(), harmless_ends.end(), ends)) return false;
  return std::any_of(secret_parts.begin(), secret_parts.end(),
                     [&](std::string_view part) { return all.find(part) != all.npos; });
}

std::string redacted_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("://")) {
      const std::size_t sign = at_sign_behind(text, at + 3);
      out += "://";
      at += 3;
      if (sign != text.npos) {
        out += redacted_mark;
        at = sign;
      }
      continue;
    }
    const std::size_t end = end_of_name(text, at);
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::string_view name = text.substr(at, end - at);
    std::size_t value = is_secret_name(name) ? value_behind(text, end) : text.npos;
    if (is_scheme(name) && end < text.size() && is_blank(text[end])) value = skip_blanks(text, end);
    const bool hides = value != text.npos && value < text.size();
    out += text.substr(at, (hides ? value : end) - at);
    at = end;
    if (!hides) continue;
    out += redacted_mark;
    at = end_of_secret(text, value);
  }
  return out;
}

void write_redacted(json::Writer& writer, const json::Value& value) {
  if (const auto* text = value.text()) return writer.text(redacted_text(*text));
  if (const auto* list = value.array()) {
    writer.begin_array();
    for (const json::Value& item : *list) write_redacted(writer, item);
    return writer.end_array();
  }
  const auto* object = value.object();
  if (object == nullptr) return json::write_value(writer, value);
  writer.begin_object();
  for (const json::Member& member : *object) {
    writer.key(member.name);
    if (is_secret_name(member.name))
      writer.text(redacted_mark);
    else
      write_redacted(writer, member.value);
  }
  writer.end_object();
}

}  // namespace troupe
