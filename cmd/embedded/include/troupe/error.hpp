#pragma once
// How calls of this library fail.

#include <stdexcept>
#include <string>

namespace troupe::embedded {

/// Thrown where a call cannot do what its contract promises. Exceptions rather than results, because the
/// callers are tests: every test framework turns one into a failure of that test and prints what(), a line of
/// a test stays one line, and a result that nobody looked at cannot let a broken test pass. What a cell
/// *answers*, refusals included, is no failure: Client's plain calls give it as a Response.
///
/// what() ends with the seed, if there is one, and the command that repeats the run.
class Failure : public std::runtime_error {
 public:
  enum class Kind {
    invalid,      ///< the caller's mistake: no such host, a node that is down already, an unknown setting
    unsupported,  ///< this world (real or simulated) cannot do that
    refused,      ///< the cell answered otherwise than the call promises
    timeout,      ///< what was awaited did not come in time
    unexpected,   ///< what a story expected is not what happened
    broken,       ///< the machine under the cluster: folders, ports, a node that gave up
  };
  Failure(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

}  // namespace troupe::embedded
