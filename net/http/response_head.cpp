#include "net/http/response_head.hpp"

#include <algorithm>

namespace troupe::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

constexpr Phrase phrases[] = {{200, "OK"},
                              {201, "Created"},
                              {202, "Accepted"},
                              {204, "No Content"},
                              {301, "Moved Permanently"},
                              {302, "Found"},
                              {304, "Not Modified"},
                              {307, "Temporary Redirect"},
                              {400, "Bad Request"},
                              {401, "Unauthorized"},
                              {403, "Forbidden"},
                              {404, "Not Found"},
                              {405, "Method Not Allowed"},
                              {408, "Request Timeout"},
                              {409, "Conflict"},
                              {413, "Content Too Large"},
                              {415, "Unsupported Media Type"},
                              {422, "Unprocessable Content"},
                              {429, "Too Many Requests"},
                              {431, "Request Header Fields Too Large"},
                              {500, "Internal Server Error"},
                              {503, "Service Unavailable"},
                              {504, "Gateway Timeout"}};

bool is_ours(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection";
}

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto* found = std::find_if(std::begin(phrases), std::end(phrases),
                                   [&](const Phrase& phrase) { return phrase.status == status; });
  return found == std::end(phrases) ? std::string_view("Status") : found->text;
}

std::string response_head(int status, const Headers& headers, Framing framing, std::size_t body_size,
                          Connection connection) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out.append(reason_phrase(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    if (is_ours(name)) continue;
    append_clean(out, name);
    out += ": ";
    append_clean(out, value);
    out += "\r\n";
  }
  if (framing == Framing::length) out += "content-length: " + std::to_string(body_size) + "\r\n";
  if (framing == Framing::chunked) out += "transfer-encoding: chunked\r\n";
  out += connection == Connection::close ? "connection: close\r\n\r\n" : "connection: keep-alive\r\n\r\n";
  return out;
}

}  // namespace troupe::http
