#include "cmd/troupe/cli_client.hpp"

#include <algorithm>
#include <charconv>

#include "cmd/troupe/cli_value.hpp"
#include "storage/base/random.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint16_t default_port = 7001;
constexpr std::size_t answer_bytes_max = 256 * 1024 * 1024;
constexpr std::size_t answer_values_max = 20'000'000;

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400:
      return ErrorCode::invalid_argument;
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
      return ErrorCode::permission_denied;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::precondition_failed;
    case 429:
      return ErrorCode::limit_exceeded;
    case 503:
      return ErrorCode::unavailable;
    case 504:
      return ErrorCode::outcome_unknown;
    default:
      return status < 500 ? ErrorCode::invalid_argument : ErrorCode::internal;
  }
}

Result<json::Value> parse_answer(std::string_view text) {
  json::Limits limits;
  limits.bytes = answer_bytes_max;
  limits.values = answer_values_max;
  return json::parse(text, limits);
}

std::uint32_t position_at(const json::Value& violation, std::string_view name) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(integer_at(violation, name), 0, 1'000'000'000));
}

/// The cell's error answer; what is not in its shape (a proxy's page) is told by its status.
Error error_of(const http::Response& response) {
  Error error{code_of_status(response.status), "the cell answered " + std::to_string(response.status)};
  const auto body = parse_answer(response.body);
  if (!body.ok() || !body.value().object()) return error;
  if (const auto code = code_from_text(text_at(body.value(), "code"))) error.code = *code;
  if (auto message = text_at(body.value(), "message"); !message.empty()) error.message = std::move(message);
  const json::Value* violations = body.value().find("violations");
  if (!violations || !violations->array()) return error;
  for (const auto& item : *violations->array())
    error.violations.push_back({text_at(item, "path"), text_at(item, "message"), position_at(item, "line"),
                                position_at(item, "column")});
  return error;
}

Result<Answer> answer_of(Result<http::Response> response) {
  if (!response.ok()) return response.error();
  http::Response& got = response.value();
  if (got.status < 200 || got.status > 299) return error_of(got);
  if (got.body.empty()) return Answer{};
  auto value = parse_answer(got.body);
  if (!value.ok())
    return Error{ErrorCode::internal, "the cell's answer is no JSON: " + value.error().message};
  return Answer{std::move(got.body), std::move(value).value()};
}

milliseconds pause_asked_by(const Result<http::Response>& response) {
  if (!response.ok()) return pause_default;
  const auto found = response.value().headers.find("retry-after");
  std::int64_t seconds = 0;
  if (found == response.value().headers.end() ||
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), seconds).ec !=
          std::errc{})
    return pause_default;
  return std::clamp<milliseconds>(std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3600)),
                                  pause_default, pause_max);
}

/// Would the same request, with the same key, do better after a pause?
bool is_worth_repeating(const Error& error, bool was_answered) {
  // Nobody listens at all: most likely a wrong address, which waiting does not mend.
  if (!was_answered && error.code == ErrorCode::unavailable) return false;
  return retry_class(error.code) != Retry::never;
}

}  // namespace

CellClient::CellClient(const Options& options, Surroundings& surroundings)
    : options_(options), surroundings_(surroundings), client_([&] {
        auto config =
            config_of(options.address).ok() ? config_of(options.address).value() : http::ClientConfig{};
        config.tls = options.tls;
        return config;
      }()) {}

http::Headers headers_of(const Options& options) {
  http::Headers headers{{"x-titus-callerid", options.caller}};
  if (!options.reason.empty()) headers.emplace("x-titus-callreason", options.reason);
  if (!options.token.empty()) headers.emplace("authorization", "Bearer " + options.token);
  return headers;
}

Result<Answer> CellClient::get(const std::string& target) {
  return answer_of(client_.call("GET", target, {}, headers()));
}

Result<Answer> CellClient::change(std::string_view method, const std::string& target, const std::string& body,
                                  const std::string& key) {
  auto headers = this->headers();
  headers.emplace("idempotency-key", key);
  if (!body.empty()) headers.emplace("content-type", "application/json");
  bool was_sent = false;
  for (int attempt = 1;; ++attempt) {
    const auto response = client_.call(method, target, body, headers);
    auto answer = answer_of(response);
    if (answer.ok()) return answer;
    was_sent = was_sent || response.ok() || answer.error().code == ErrorCode::outcome_unknown;
    if (attempt == attempts_max || !is_worth_repeating(answer.error(), was_sent)) return answer;
    surroundings_.pause(pause_asked_by(response));
  }
}

Result<Answer> CellClient::change(std::string_view method, const std::string& target,
                                  const std::string& body) {
  return change(method, target, body, new_key());
}

Result<void> CellClient::stream(const std::string& target, const http::Headers& more,
                                const std::function<bool(std::string_view)>& on_chunk,
                                milliseconds idle_timeout) {
  auto headers = this->headers();
  headers.insert(more.begin(), more.end());
  const auto response = client_.stream(target, headers, on_chunk, idle_timeout);
  if (!response.ok()) return response.error();
  if (response.value().status != 200) return error_of(response.value());
  return {};
}

std::string new_key() {
  static thread_local Random random = Random::from_system();
  return to_text(random.uuid<JobId>());
}

Result<http::ClientConfig> config_of(const std::string& address) {
  const Error refusal{ErrorCode::invalid_argument, "an address is host:port, such as 127.0.0.1:7001"};
  http::ClientConfig config;
  config.port = default_port;
  const auto colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  if (!host.empty()) config.host = host;
  if (colon == std::string::npos) return host.empty() ? Result<http::ClientConfig>(refusal) : config;
  const std::string_view port = std::string_view(address).substr(colon + 1);
  const auto [stop, fault] = std::from_chars(port.data(), port.data() + port.size(), config.port);
  if (fault != std::errc{} || stop != port.data() + port.size() || config.port == 0) return refusal;
  return config;
}

std::string url_text(std::string_view text) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("-._~").find(c) != std::string_view::npos;
    if (is_plain)
      out += c;
    else
      out.append("%").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
  }
  return out;
}

}  // namespace troupe::cli
