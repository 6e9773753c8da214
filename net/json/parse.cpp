#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "net/json/value.hpp"

namespace troupe::json {
namespace {

/// The text as RapidJSON wants it: NUL at the end. Not copy-optimized, so Tell() is exact inside the handler.
struct Stream {
  using Ch = char;
  std::string_view text;
  std::size_t offset = 0;

  char Peek() const { return offset < text.size() ? text[offset] : '\0'; }
  char Take() { return offset < text.size() ? text[offset++] : '\0'; }
  std::size_t Tell() const { return offset; }
  // Only in-situ parsing, which is not used, writes.
  char* PutBegin() { std::abort(); }
  void Put(char) { std::abort(); }
  void Flush() { std::abort(); }
  std::size_t PutEnd(char*) { std::abort(); }
};

/// Turns growing offsets into lines and columns, in one pass over the text altogether.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  Position at(std::size_t offset) {
    for (const std::size_t end = std::min(offset, text_.size()); offset_ < end; ++offset_) {
      const auto byte = static_cast<unsigned char>(text_[offset_]);
      if (byte == '\n') {
        ++here_.line;
        here_.column = 1;
      } else if ((byte & 0xc0) != 0x80) {  // Continuation bytes belong to the character before.
        ++here_.column;
      }
    }
    return here_;
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  Position here_{1, 1};
};

/// An array or object that is still open.
struct Frame {
  bool is_object = false;
  Position at;
  Array items;
  Object members;
};

/// Receives RapidJSON's events and builds the tree. The first refusal sticks.
class Builder {
 public:
  Builder(const Stream& stream, const Limits& limits)
      : stream_(stream), limits_(limits), cursor_(stream.text) {}

  bool Null() { return scalar(std::monostate{}); }
  bool Bool(bool value) { return scalar(value); }
  bool Int(int) { return number(); }
  bool Uint(unsigned) { return number(); }
  bool Int64(std::int64_t) { return number(); }
  bool Uint64(std::uint64_t) { return number(); }
  bool Double(double) { return number(); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return number(); }
  bool String(const char* bytes, rapidjson::SizeType size, bool) {
    const Position at = begin();
    std::string text(bytes, size);
    if (has_nul(text)) return refuse(at, "a string must not contain the NUL character");
    return value(Value(std::move(text), at));
  }
  bool Key(const char* bytes, rapidjson::SizeType size, bool) {
    const Position at = begin();
    Member member{std::string(bytes, size), at, {}};
    if (has_nul(member.name)) return refuse(at, "a name must not contain the NUL character");
    frames_.back().members.push_back(std::move(member));
    end_ = stream_.offset;
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndObject(rapidjson::SizeType) {
    if (!names_are_unique()) return false;
    Frame frame = close();
    return value(Value(std::move(frame.members), frame.at));
  }
  bool EndArray(rapidjson::SizeType) {
    Frame frame = close();
    return value(Value(std::move(frame.items), frame.at));
  }

  Value take_root() { return std::move(root_); }
  const std::optional<Violation>& refusal() const { return refusal_; }
  bool refuse(Position at, std::string message) {
    refusal_ = Violation{path(), std::move(message), at.line, at.column};
    return false;
  }
  Position position(std::size_t offset) { return cursor_.at(offset); }

 private:
  static bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

  /// Where the token begins whose event arrived: only white space, commas and colons lie behind the last one.
  Position begin() {
    begin_ = std::min(stream_.text.find_first_not_of(" \t\r\n,:", end_), stream_.text.size());
    return cursor_.at(begin_);
  }

  bool scalar(Value::Any any) {
    const Position at = begin();
    return value(Value(std::move(any), at));
  }

  bool number() {
    const Position at = begin();
    const std::string_view digits = stream_.text.substr(begin_, stream_.offset - begin_);
    const char* last = digits.data() + digits.size();
    if (digits.find_first_of(".eE") != std::string_view::npos) {
      double real = 0;
      if (std::from_chars(digits.data(), last, real).ec != std::errc{})
        return refuse(at, "the number does not fit into a double");
      return value(Value(real, at));
    }
    std::int64_t integer = 0;
    if (std::from_chars(digits.data(), last, integer).ec == std::errc{}) return value(Value(integer, at));
    std::uint64_t big = 0;
    if (digits.front() != '-' && std::from_chars(digits.data(), last, big).ec == std::errc{})
      return value(Value(big, at));
    return refuse(at, "the integer does not fit into 64 bits");
  }

  bool value(Value fresh) {
    if (++values_ > limits_.values)
      return refuse(fresh.at(), "more than " + std::to_string(limits_.values) + " values");
    end_ = std::max(end_, stream_.offset);
    if (frames_.empty())
      root_ = std::move(fresh);
    else if (frames_.back().is_object)
      frames_.back().members.back().value = std::move(fresh);
    else
      frames_.back().items.push_back(std::move(fresh));
    return true;
  }

  bool open(bool is_object) {
    const Position at = begin();
    if (frames_.size() >= limits_.depth)
      return refuse(at, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    frames_.push_back(Frame{is_object, at, {}, {}});
    end_ = begin_ + 1;  // RapidJSON reports the bracket before it takes it.
    return true;
  }

  Frame close() {
    begin();
    end_ = begin_ + 1;
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  /// Sorting keeps a hostile object of many names from costing quadratic time.
  bool names_are_unique() {
    const Object& members = frames_.back().members;
    std::vector<const Member*> sorted;
    sorted.reserve(members.size());
    for (const Member& member : members) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) {
      return a->name != b->name ? a->name < b->name : a < b;
    });
    const auto twice = std::adjacent_find(
        sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->name == b->name; });
    if (twice == sorted.end()) return true;
    // The path ends in the object's last name; it has to be the one given twice.
    frames_.back().members.resize(static_cast<std::size_t>(*(twice + 1) - members.data()) + 1);
    return refuse(frames_.back().members.back().at, "the name is given twice");
  }

  std::string path() const {
    std::string out;
    for (const Frame& frame : frames_) {
      if (!frame.is_object) {
        out += "[" + std::to_string(frame.items.size()) + "]";
      } else if (!frame.members.empty()) {
        if (!out.empty()) out += '.';
        out += frame.members.back().name;
      }
    }
    return out;
  }

  const Stream& stream_;
  const Limits& limits_;
  Cursor cursor_;
  std::vector<Frame> frames_;
  Value root_;
  std::optional<Violation> refusal_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;  ///< of the last token
  std::size_t values_ = 0;
};

Error refused(Violation violation) {
  std::string message = "the body is not acceptable JSON: " + violation.message;
  return Error{ErrorCode::invalid_argument, std::move(message), {std::move(violation)}};
}

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes)
    return refused({"", "the text is longer than " + std::to_string(limits.bytes) + " bytes", 1, 1});
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const Position at = Cursor(text).at(nul);
    return refused({"", "a NUL byte", at.line, at.column});
  }
  Stream stream{text};
  Builder builder(stream, limits);
  rapidjson::Reader reader;
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, builder);
  if (builder.refusal()) return refused(*builder.refusal());
  if (result.IsError()) {
    builder.refuse(builder.position(result.Offset()), rapidjson::GetParseError_En(result.Code()));
    return refused(*builder.refusal());
  }
  return builder.take_root();
}

}  // namespace troupe::json
