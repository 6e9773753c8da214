#pragma once
// One declaration per record: `static constexpr auto fields()` names its members once, and msgpack, JSON and
// printing follow from it. Order is the wire order: append at the end, never reorder, never reuse.

#include <string_view>
#include <type_traits>

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

/// Calls what it is given with all fields. No tuple: every file that sees a record pays for this type.
template <class... F>
constexpr auto field_list(F... all) {
  return [all...](auto use) { return use(all...); };
}

template <class T>
concept HasFields = requires {
  T::fields();
};

template <HasFields T>
constexpr std::size_t field_count = T::fields()([](const auto&... f) { return sizeof...(f); });

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
  std::remove_const_t<T>::fields()([&](const auto&... f) { (visit(f.name, record.*(f.member)), ...); });
}

}  // namespace troupe
