#pragma once
// Inside of selection.hpp: where the value of each field comes from.

#include <span>

#include "net/api/selection.hpp"

namespace troupe::api {

/// What a field of one subject says. Made for one comparison: refers to the subject or to itself.
class Reading {
 public:
  enum class Kind : std::uint8_t { absent, text, number, flag, list };
  Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  void text(std::string_view value) { kind = Kind::text, words = value; }
  void made_text(std::string value) {
    made = std::move(value);
    text(made);
  }
  void text_unless_empty(std::string_view value) {
    if (!value.empty()) text(value);
  }
  void number(double value) { kind = Kind::number, amount = value; }
  void flag(bool value) { kind = Kind::flag, holds = value; }
  void time_if_set(Instant at) {
    if (at.is_set()) number(static_cast<double>(at.ms));
  }
  void list(const std::vector<std::string>& all) { kind = Kind::list, items = &all; }
  template <class Map>
  void entry(const Map& map, std::string_view key) {
    if (const auto found = map.find(std::string(key)); found != map.end()) text(found->second);
  }

  Kind kind = Kind::absent;
  std::string_view words{};
  double amount = 0;
  bool holds = false;
  const std::vector<std::string>* items = nullptr;

 private:
  std::string made{};
};

template <class Subject>
struct Column {
  std::string_view name;
  FieldType type;
  void (*read)(const Subject& subject, std::string_view key, Reading& out);
  std::vector<std::string_view> (*choices)() = nullptr;
};
std::span<const Column<JobSubject>> columns_of(const JobSubject*);
std::span<const Column<TaskSubject>> columns_of(const TaskSubject*);
std::span<const Column<HostSubject>> columns_of(const HostSubject*);
std::span<const Column<ActorSubject>> columns_of(const ActorSubject*);

}  // namespace troupe::api
