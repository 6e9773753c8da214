#include "net/api/order.hpp"

#include <algorithm>

#include "net/api/selection_columns.hpp"
#include "net/api/selection_values.hpp"
#include "net/json/object_reader.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t slack = 1'024;  // Entries beyond those that matter before they are thrown away.

Error order_error(std::string why) {
  std::vector<Violation> violations;
  json::add_violation(violations, "orderBy", std::move(why), {});
  return json::violations_error(std::move(violations));
}

}  // namespace

Result<Order> Order::parse(SelectionKind kind, std::string_view text) {
  Order order;
  order.kind_ = kind;
  std::string_view name = text;
  for (const std::string_view way : {" desc", " asc"})
    if (name.ends_with(way)) {
      order.is_descending_ = way == " desc";
      name.remove_suffix(way.size());
      break;
    }
  const SelectionField* field = selection_field(kind, name);
  if (field == nullptr)
    return order_error("there is no field \"" + std::string(name.substr(0, 64)) + "\"" +
                       field_hint(kind, name));
  if (field->type == FieldType::list)
    return order_error("\"" + std::string(name) + "\" is a list and has no order");
  if (field->type == FieldType::map) order.map_key_ = name.substr(field->name.size() + 1);
  order.field_ = static_cast<std::size_t>(field - selection_fields(kind).data());
  return order;
}

template <class Subject>
Order::Key Order::key_of(const Subject& subject) const {
  Reading reading;
  columns_of(&subject)[field_].read(subject, map_key_, reading);
  switch (reading.kind) {
    case Reading::Kind::number:
      return {Key::Rank::number, reading.amount, {}};
    case Reading::Kind::flag:
      return {Key::Rank::number, reading.holds ? 1.0 : 0.0, {}};
    case Reading::Kind::text:
      if (const auto number = decimal_of(reading.words)) return {Key::Rank::number, *number, {}};
      return {Key::Rank::text, 0, std::string(reading.words)};
    case Reading::Kind::absent:
    case Reading::Kind::list:
      break;
  }
  return {};
}
template Order::Key Order::key_of(const JobSubject&) const;
template Order::Key Order::key_of(const TaskSubject&) const;
template Order::Key Order::key_of(const HostSubject&) const;

bool Order::before(const Key& a, const Key& b) const {
  if (a.rank != b.rank) return a.rank < b.rank;
  const Key& low = is_descending_ ? b : a;
  const Key& high = is_descending_ ? a : b;
  return a.rank == Key::Rank::number ? low.number < high.number : low.text < high.text;
}

bool Order::names(std::string_view beginning) const {
  return selection_fields(kind_)[field_].name.starts_with(beginning);
}

Listed::Listed(const Order* order, const Paging& paging)
    : order_(order),
      paging_(paging),
      reach_((static_cast<std::size_t>(paging.page) + 1) * paging.page_size) {}

bool Listed::before(const Entry& a, const Entry& b) const {
  if (order_->before(a.key, b.key)) return true;
  return !order_->before(b.key, a.key) && a.place < b.place;
}

void Listed::add_known(Order::Key key, const SortKey& place) {
  if (order_ == nullptr) return keys_.push_back(place);
  ++total_;
  Entry entry{std::move(key), place};
  if (bound_ && !before(entry, *bound_)) return;
  entries_.push_back(std::move(entry));
  if (entries_.size() >= 2 * reach_ + slack) cut();
}

void Listed::cut() {
  const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(reach_);
  std::nth_element(entries_.begin(), last, entries_.end(),
                   [this](const Entry& a, const Entry& b) { return before(a, b); });
  bound_ = *last;
  entries_.erase(last, entries_.end());
}

void Listed::clear() {
  keys_.clear();
  entries_.clear();
  bound_.reset();
  total_ = 0;
}

Page Listed::page(std::vector<SortKey>& places) {
  places.clear();
  if (order_ == nullptr) {
    const Page page = select_page(keys_, paging_);
    places.assign(keys_.begin() + static_cast<std::ptrdiff_t>(page.begin),
                  keys_.begin() + static_cast<std::ptrdiff_t>(page.end));
    return page;
  }
  std::sort(entries_.begin(), entries_.end(),
            [this](const Entry& a, const Entry& b) { return before(a, b); });
  Page page;
  page.asked = paging_;
  page.total = total_;
  page.begin = std::min(entries_.size(), reach_ - paging_.page_size);
  page.end = std::min(entries_.size(), reach_);
  for (std::size_t n = page.begin; n < page.end; ++n) places.push_back(entries_[n].place);
  return page;
}

}  // namespace troupe::api
