#include "net/json/writer.hpp"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

#include "net/json/utf8.hpp"

namespace troupe::json {

struct Writer::Impl {
  using Buffer = rapidjson::StringBuffer;
  using Compact = rapidjson::Writer<Buffer>;
  using Pretty = rapidjson::PrettyWriter<Buffer>;

  explicit Impl(Style style) {
    if (style == Style::pretty)
      writer.emplace<Pretty>(buffer).SetIndent(' ', 2);
    else
      writer.emplace<Compact>(buffer);
  }

  template <class Call>
  void call(Call make) {
    std::visit(
        [&](auto& any) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(any)>, std::monostate>) make(any);
        },
        writer);
  }

  template <class Call>
  void with_text(std::string_view text, Call make) {
    const auto size = [](std::string_view bytes) { return static_cast<rapidjson::SizeType>(bytes.size()); };
    if (is_utf8(text)) return call([&](auto& w) { make(w, text.data() ? text.data() : "", size(text)); });
    const std::string clean = utf8_with_replacements(text);
    call([&](auto& w) { make(w, clean.data(), size(clean)); });
  }

  /// RapidJSON would merely assert, which a build may leave out.
  void before_value() {
    TROUPE_CHECK(opened.empty() ? !root_written : !(opened.back() == '{' && !after_key));
    root_written = true;
    after_key = false;
  }
  void close(char bracket) {
    TROUPE_CHECK(!opened.empty() && opened.back() == bracket && !after_key);
    opened.pop_back();
  }

  Buffer buffer;
  std::variant<std::monostate, Compact, Pretty> writer;
  std::string opened;  ///< the open brackets
  bool root_written = false;
  bool after_key = false;
};

Writer::Writer(Style style) : impl_(std::make_unique<Impl>(style)) {}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;

void Writer::begin_object() {
  impl_->before_value();
  impl_->opened += '{';
  impl_->call([](auto& w) { w.StartObject(); });
}
void Writer::end_object() {
  impl_->close('{');
  impl_->call([](auto& w) { w.EndObject(); });
}
void Writer::begin_array() {
  impl_->before_value();
  impl_->opened += '[';
  impl_->call([](auto& w) { w.StartArray(); });
}
void Writer::end_array() {
  impl_->close('[');
  impl_->call([](auto& w) { w.EndArray(); });
}
void Writer::key(std::string_view name) {
  TROUPE_CHECK(!impl_->opened.empty() && impl_->opened.back() == '{' && !impl_->after_key);
  impl_->after_key = true;
  impl_->with_text(name, [](auto& w, const char* bytes, rapidjson::SizeType size) { w.Key(bytes, size); });
}
void Writer::null() {
  impl_->before_value();
  impl_->call([](auto& w) { w.Null(); });
}
void Writer::boolean(bool value) {
  impl_->before_value();
  impl_->call([&](auto& w) { w.Bool(value); });
}
void Writer::integer(std::int64_t value) {
  impl_->before_value();
  impl_->call([&](auto& w) { w.Int64(value); });
}
void Writer::uint(std::uint64_t value) {
  impl_->before_value();
  impl_->call([&](auto& w) { w.Uint64(value); });
}
void Writer::real(double value) {
  if (!std::isfinite(value)) return null();
  impl_->before_value();
  impl_->call([&](auto& w) { w.Double(value); });
}
void Writer::text(std::string_view value) {
  impl_->before_value();
  impl_->with_text(value,
                   [](auto& w, const char* bytes, rapidjson::SizeType size) { w.String(bytes, size); });
}

std::string Writer::take() {
  TROUPE_CHECK(impl_->opened.empty() && impl_->root_written);
  std::string out(impl_->buffer.GetString(), impl_->buffer.GetSize());
  impl_->buffer.Clear();
  impl_->call([&](auto& w) { w.Reset(impl_->buffer); });
  impl_->root_written = false;
  return out;
}

void write_value(Writer& w, const Value& value) {
  std::visit(
      [&]<class A>(const A& any) {
        if constexpr (std::is_same_v<A, Object>) {
          w.begin_object();
          for (const Member& member : any) {
            w.key(member.name);
            write_value(w, member.value);
          }
          w.end_object();
        } else {
          write_value(w, any);
        }
      },
      value.any());
}

}  // namespace troupe::json
