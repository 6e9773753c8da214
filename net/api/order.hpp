#pragma once
// Lists in another order than that of creation: orderBy.

#include "net/api/page.hpp"
#include "net/api/selection.hpp"

namespace troupe::api {

/// By one field of net/api/selection.hpp, as in `used.cpu` and `used.cpu desc`. Numbers, times and flags come
/// before texts, each as wished; what is not set comes last. Immutable; any thread.
class Order {
 public:
  /// Errors: invalid_argument with one violation.
  static Result<Order> parse(SelectionKind kind, std::string_view text);

  struct Key {
    enum class Rank : std::uint8_t { number, text, none };
    Rank rank = Rank::none;
    double number = 0;
    std::string text{};
  };
  /// The subject must be of the order's kind.
  Key key(const JobSubject& job) const { return key_of(job); }
  Key key(const TaskSubject& task) const { return key_of(task); }
  Key key(const HostSubject& host) const { return key_of(host); }
  bool before(const Key& a, const Key& b) const;
  /// Does its field's name begin so?
  bool names(std::string_view beginning) const;

 private:
  template <class Subject>
  Key key_of(const Subject& subject) const;

  SelectionKind kind_ = SelectionKind::host;
  std::size_t field_ = 0;  ///< in selection_fields()
  std::string map_key_{};
  bool is_descending_ = false;
};

/// How many places of an ordered list can be reached by pages.
constexpr std::size_t ranked_max = 100'000;

/// What a list has, in its order: of creation, or another one, ties then in that of creation. Holds no more
/// than its page needs. One thread.
class Listed {
 public:
  /// `order` may be null, and outlives it.
  Listed(const Order* order, const Paging& paging);

  template <class Subject>
  void add(const Subject& subject, const SortKey& place) {
    add_known(order_ == nullptr ? Order::Key{} : order_->key(subject), place);
  }
  void add_known(Order::Key key, const SortKey& place);
  void clear();
  /// Once, at the end: the page, whose places are put into `places`.
  Page page(std::vector<SortKey>& places);

 private:
  struct Entry {
    Order::Key key;
    SortKey place;
  };
  bool before(const Entry& a, const Entry& b) const;
  void cut();

  const Order* order_;
  Paging paging_;
  std::size_t reach_;           ///< places that matter; of another order
  std::size_t total_ = 0;       ///< of another order
  std::vector<SortKey> keys_;   ///< of creation
  std::vector<Entry> entries_;  ///< of another order: the first `reach_` are among them
  std::optional<Entry> bound_;  ///< what does not come before it does not matter
};

}  // namespace troupe::api
