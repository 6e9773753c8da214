#pragma once
// One declaration per record: `static constexpr auto fields()` names its members once, and msgpack, JSON and
// printing follow from it. Order is the wire order: append at the end, never reorder, never reuse.

#include <string_view>
#include <tuple>
#include <utility>

namespace troupe {

template <class Owner, class Member>
struct Field {
  std::string_view name;
  Member Owner::*member;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, Member Owner::*member) {
  return {name, member};
}

template <class... F>
constexpr auto field_list(F... all) {
  return std::make_tuple(all...);
}

template <class T>
concept HasFields = requires {
  T::fields();
};

template <HasFields T>
constexpr std::size_t field_count = std::tuple_size_v<decltype(T::fields())>;

/// A record that has grown since its first release says so: `static constexpr std::size_t fields_at_first`.
/// What came later is written only up to the last field that is not its default, so that a record with
/// nothing new to say has the bytes, and the hash, that it ever had.
template <class T>
concept HasGrown = HasFields<T> && requires {
  T::fields_at_first;
};

/// Calls visit(name, member) for each field of a record, in wire order.
template <class T, class Visit>
void each_field(T& record, Visit visit) {
  std::apply([&](const auto&... f) { (visit(f.name, record.*(f.member)), ...); },
             std::remove_const_t<T>::fields());
}

}  // namespace troupe
