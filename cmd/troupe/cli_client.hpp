#pragma once
// The cell as the commands see it: JSON in and out, errors as ours, repeated where that is safe.

#include <functional>
#include <string>
#include <string_view>

#include "cmd/troupe/cli.hpp"
#include "net/http/http.hpp"
#include "net/json/value.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

struct Options {
  std::string address;  ///< host:port
  std::string caller;
  std::string reason;
  std::string token;          ///< empty: none is sent
  http::TlsContextPtr tls{};  ///< empty: plain HTTP
  bool wants_json = false;
};

/// Who calls and why.
http::Headers headers_of(const Options& options);

/// An answer of the cell: its text and the same as a tree.
struct Answer {
  std::string text;
  json::Value value;
};

/// Attempts of one request, and the pause before each but the first: what Retry-After asks for, at most this.
constexpr int attempts_max = 6;
constexpr milliseconds pause_default{500};
constexpr milliseconds pause_max{30'000};

/// Errors everywhere: what the cell answered, with its code, message and violations; unavailable: no node
/// there; outcome_unknown: it may have happened. Not thread-safe; cheap to make, one per thread.
class CellClient {
 public:
  CellClient(const Options& options, Surroundings& surroundings);

  Result<Answer> get(const std::string& target);
  /// POST, PUT, DELETE. All attempts carry the same key, so that together they happen once.
  Result<Answer> change(std::string_view method, const std::string& target, const std::string& body,
                        const std::string& key);
  Result<Answer> change(std::string_view method, const std::string& target, const std::string& body = {});
  /// Streams a body until its end or until `on_chunk` answers false. Not repeated.
  Result<void> stream(const std::string& target, const http::Headers& more,
                      const std::function<bool(std::string_view)>& on_chunk, milliseconds idle_timeout);

 private:
  http::Headers headers() const { return headers_of(options_); }

  const Options& options_;
  Surroundings& surroundings_;
  http::Client client_;
};

/// --ca, --cert and --key, of a cell whose HTTP is under TLS. Files that are no good are a usage error.
void add_tls_options(CLI::App& app, Options& options);
/// As they were given, wherever they stood; null: none.
http::TlsContextPtr tls_of(const CLI::App& app);

std::string new_key();
/// "host:port", "host" or ":port". Error: invalid_argument.
Result<http::ClientConfig> config_of(const std::string& address);
/// For paths and query values.
std::string url_text(std::string_view text);

}  // namespace troupe::cli
