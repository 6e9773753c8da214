#pragma once
// Processes that a bench starts: this same program with other arguments.

#include <sys/types.h>

#include <string>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

/// A child, killed when this object goes, and when this process dies. Not thread-safe, and to be started from
/// a thread that outlives it (its end would end the child).
class BenchProcess {
 public:
  /// Both of its outputs are appended to `log`; when that is empty, there are pipes at its standard input and
  /// output. Errors: io.
  static Result<std::unique_ptr<BenchProcess>> start(const std::vector<std::string>& arguments,
                                                     const std::string& log);
  ~BenchProcess();
  BenchProcess(const BenchProcess&) = delete;
  BenchProcess& operator=(const BenchProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool is_running();
  void send_signal(int number) const;
  void kill_and_wait();
  int in() const { return in_; }    ///< what it reads
  int out() const { return out_; }  ///< what it writes

 private:
  BenchProcess(pid_t pid, int in, int out) : pid_(pid), in_(in), out_(out) {}
  pid_t pid_;
  int in_, out_;
  bool ended_ = false;
};

/// A record over a pipe: four bytes of length, then msgpack. Errors: io (also: the other end is gone).
Result<void> write_frame(int file, BytesView bytes);
Result<Bytes> read_frame(int file);

template <class Record>
Result<void> write_record(int file, const Record& record) {
  return write_frame(file, packed(record));
}
template <class Record>
Result<Record> read_record(int file) {
  auto bytes = read_frame(file);
  if (!bytes.ok()) return bytes.error();
  return unpacked<Record>(bytes.value());
}

}  // namespace troupe::cli
