#pragma once
// Authorities and certificates that a test makes for itself.

#include <string>

#include "net/http/tls.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::http {

/// An authority of its own kind, with a folder of what it has signed. Keys are on P-256.
class Authority {
 public:
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  struct Subject {
    std::string common_name;
    std::string organisation{};
    std::string for_host{};  ///< "127.0.0.1" or a name; empty: of a client
    bool has_expired = false;
  };
  /// With this authority as who is trusted.
  TlsFiles sign(const Subject& subject);
  const std::string& file() const { return file_; }

 private:
  struct Signer;
  TempFolder folder_;
  std::string file_;
  std::unique_ptr<Signer> signer_;
  int signed_ = 0;
};

}  // namespace troupe::http
