#pragma once
// How the inspections print: people's text or JSON lines, and the verdict that becomes the exit code.

#include <ostream>
#include <string>
#include <vector>

#include "cmd/troupe/inspect.hpp"
#include "net/json/writer.hpp"
#include "storage/base/result.hpp"

namespace troupe::cli {

class InspectReport {
 public:
  /// Beyond, problems are counted only.
  static constexpr std::size_t problems_printed_max = 50;

  InspectReport(const Inspect& args, const InspectOutput& output) : args_(args), output_(output) {}

  /// One record: for people the text, else {"kind": record}.
  template <class Record>
  void row(std::string_view kind, const std::string& text, const Record& record) {
    if (!args_.wants_json) {
      output_.out << text << '\n';
      return;
    }
    json::Writer w;
    w.begin_object();
    w.key(kind);
    json::write_value(w, record);
    w.end_object();
    output_.out << w.take() << '\n';
  }
  void problem(const std::string& what) {
    if (++problems_ > problems_printed_max) return;
    if (!args_.wants_json)
      output_.out << "DAMAGED: " << what << '\n';
    else
      row("problem", "", what);
  }
  /// Prints the verdict and answers the exit code.
  int finish();
  /// It cannot even be opened.
  int fail(const Error& error);

 private:
  const Inspect& args_;
  const InspectOutput& output_;
  std::size_t problems_ = 0;
};

}  // namespace troupe::cli
