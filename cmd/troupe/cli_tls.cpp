#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_client.hpp"

namespace troupe::cli {
namespace {

http::TlsFiles files_of(const CLI::App& app) {
  http::TlsFiles files;
  const auto take = [&](const char* name, std::string& file) {
    if (app.get_option(name)->count() > 0) file = app.get_option(name)->as<std::string>();
  };
  take("--ca", files.authorities);
  take("--cert", files.certificate);
  take("--key", files.key);
  return files;
}

}  // namespace

http::TlsContextPtr tls_of(const CLI::App& app) {
  const http::TlsFiles files = files_of(app);
  if (files.authorities.empty()) return nullptr;
  auto made = http::tls_client(files);
  if (!made.ok()) throw CLI::ValidationError("--ca", made.error().message);
  return std::move(made).value();
}

void add_tls_options(CLI::App& app, Options& options) {
  auto* ca = app.add_option("--ca", "PEM file: whose certificates nodes have; HTTP is under TLS then")
                 ->type_name("TEXT")
                 ->envname("TROUPE_CA")
                 ->check(CLI::ExistingFile);
  auto* cert = app.add_option("--cert", "PEM file: the certificate that says who calls")
                   ->type_name("TEXT")
                   ->envname("TROUPE_CERT")
                   ->check(CLI::ExistingFile)
                   ->needs(ca);
  auto* key = app.add_option("--key", "PEM file: the key of --cert")
                  ->type_name("TEXT")
                  ->envname("TROUPE_KEY")
                  ->check(CLI::ExistingFile)
                  ->needs(cert);
  cert->needs(key);
  app.parse_complete_callback([&app, &options] { options.tls = tls_of(app); });
}

}  // namespace troupe::cli
