#include "actors/agent/images/http_transfer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>

namespace troupe::agent {
namespace {

constexpr const char* user_agent = "troupe-agent";
constexpr long receive_buffer_bytes = 256 * 1024;

struct EasyEnd {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiEnd {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyEnd>;
using Multi = std::unique_ptr<CURLM, MultiEnd>;
using Headers = std::unique_ptr<curl_slist, ListEnd>;

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_named(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] - 'A' + 'a') : line[i];
    if (c != name[i]) return false;
  }
  return true;
}

/// What happens during one transfer; libcurl calls it back with a pointer to it.
struct Transfer {
  const HttpGet& get;
  RegistryAnswer head{};
  std::size_t header_bytes = 0;
  std::optional<PullFailure> failure{};

  bool take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > http_header_bytes_max) {
      failure = PullFailure{Fault::registry,
                            {ErrorCode::unavailable, "the headers of " + get.url.host + " are too long"}};
      return false;
    }
    if (line.starts_with("HTTP/")) {  // Of the answer itself, after those that only said to go on.
      head = {};
      const std::size_t blank = line.find(' ');
      if (blank != std::string_view::npos)
        std::from_chars(line.data() + blank + 1, line.data() + line.size(), head.status);
      return true;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const std::string value(trimmed(line.substr(colon + 1)));
    if (is_named(line, "www-authenticate"))
      head.challenges.push_back(value);
    else if (is_named(line, "location"))
      head.location = value;
    else if (is_named(line, "retry-after"))
      head.retry_after = value;
    else if (is_named(line, "content-range"))
      head.content_range = value;
    else if (is_named(line, "docker-content-digest"))
      head.content_digest = value;
    else if (is_named(line, "content-length")) {
      std::uint64_t length = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      if (parsed.ec == std::errc()) head.content_length = length;
    }
    return true;
  }

  bool take_body(std::string_view piece) {
    failure = get.body(head, piece);
    return !failure;
  }
};

// Nothing may be thrown through C; and of memory there is none to be short of that would not end the process.
std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<Transfer*>(self)->take_header({data, size * count}) ? size * count : 0;
}
std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<Transfer*>(self)->take_body({data, size * count}) ? size * count : 0;
}

void begin_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// "name: value", which curl copies.
bool add_header(Headers& headers, const std::string& line) {
  curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
  if (!longer) return false;
  (void)headers.release();
  headers.reset(longer);
  return true;
}

void prepare(CURL* easy, const HttpGet& get, Transfer& transfer, curl_slist* headers) {
  curl_easy_setopt(easy, CURLOPT_URL, get.url.text().c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, get.url.transport == Transport::plain ? "http" : "https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(get.connect_max.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(get.total_max.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, static_cast<long>(get.silence_max.count() / 1'000)));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  if (get.first_byte > 0)
    curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(get.first_byte) + "-").c_str());
  if (!get.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, get.ca_file.c_str());
  // A proxy that the environment names is no way to this machine itself.
  if (is_loopback(get.url.host)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

bool is_about_trust(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CERTPROBLEM;
}

PullFailure failure_of(CURLcode code, const HttpGet& get) {
  const std::string said = get.url.host + ": " + curl_easy_strerror(code);
  if (is_about_trust(code))
    return {Fault::host,
            {ErrorCode::unavailable, said + "; name its authority's file as `ca_file` of that registry"}};
  return {Fault::registry, {ErrorCode::unavailable, said}};
}

/// Until the transfer ends or is no longer wanted.
std::optional<PullFailure> run(CURLM* multi, const HttpGet& get, const Transfer& transfer) {
  for (int running = 1; running > 0;) {
    if (auto wanted = get.wanted(); !wanted.ok()) return PullFailure{Fault::unwanted, wanted.error()};
    if (curl_multi_perform(multi, &running) != CURLM_OK || transfer.failure) break;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, http_look_ms, nullptr);
  }
  if (transfer.failure) return transfer.failure;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE)
      return message->data.result == CURLE_OK ? std::nullopt
                                              : std::optional(failure_of(message->data.result, get));
  return PullFailure{Fault::host, {ErrorCode::io, "the HTTP client failed on " + get.url.host}};
}

}  // namespace

HttpOutcome http_get(const HttpGet& get) {
  begin_curl();
  Transfer transfer{get};
  Headers headers;
  bool is_ready = add_header(headers, "Accept: " + (get.accept.empty() ? std::string("*/*") : get.accept));
  if (!get.authorization.empty())
    is_ready = is_ready && add_header(headers, "Authorization: " + get.authorization);
  const Multi multi(curl_multi_init());
  const Easy easy(curl_easy_init());
  if (!is_ready || !multi || !easy)
    return {{}, PullFailure{Fault::host, {ErrorCode::io, "the HTTP client cannot begin"}}};
  prepare(easy.get(), get, transfer, headers.get());
  curl_multi_add_handle(multi.get(), easy.get());
  auto failure = run(multi.get(), get, transfer);
  curl_multi_remove_handle(multi.get(), easy.get());
  return {std::move(transfer.head), std::move(failure)};
}

}  // namespace troupe::agent
