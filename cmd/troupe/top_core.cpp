#include "cmd/troupe/top_core.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cli {
namespace {

constexpr std::size_t page_step = 20;
constexpr std::size_t typed_max = 1'000;
constexpr milliseconds old_picture{10'000};

const std::vector<std::string>& help_lines() {
  static const std::vector<std::string> lines{
      "n a g h j t   nodes, actors, groups, hosts, jobs, tasks; also left and right",
      "up, down      choose a row; page up, page down, home, end",
      "enter         what the cell knows of the row; esc or q goes back",
      "/             only rows of which a condition holds, as in `host where ...`; empty: all",
      "o             the next order",
      "space         hold the picture, or let it go on",
      "r             look now; control L draws all anew",
      "q             leave",
  };
  return lines;
}

}  // namespace

const std::vector<TopView>& top_views() {
  static const std::vector<TopView> views{
      {"nodes", 'n', false, {""}},
      {"actors", 'a', true, {""}},
      {"groups", 'g', false, {""}},
      {"hosts",
       'h',
       true,
       {"used.cpu desc", "used.memoryMB desc", "taskCount desc", "launches.failures desc",
        "disconnectedAt desc", "name"}},
      {"jobs",
       'j',
       true,
       {"", "summary.slots.waiting desc", "summary.tasks.started desc", "summary.tasks.accepted desc",
        "throttled.since desc"}},
      {"tasks", 't', true, {"status.timestamp desc", "status.timestamp", ""}},
  };
  return views;
}

std::optional<std::size_t> top_view(std::string_view name) {
  const auto& views = top_views();
  const auto found =
      std::find_if(views.begin(), views.end(), [&](const TopView& view) { return view.name == name; });
  if (found == views.end()) return std::nullopt;
  return static_cast<std::size_t>(found - views.begin());
}

bool TopCore::wants_look() { return std::exchange(wants_look_, false); }

void TopCore::take(TopAnswer answer) {
  problem_ = answer.problem ? std::string(code_text(answer.problem->code)) + ": " + answer.problem->message
                            : std::string();
  if (answer.problem || answer.wish != wish_) return;
  answer_ = std::move(answer);
  selected_ = std::min(selected_, answer_.rows.empty() ? 0 : answer_.rows.size() - 1);
  scrolled_ = std::min(scrolled_, answer_.details.empty() ? 0 : answer_.details.size() - 1);
}

void TopCore::press(TopStroke stroke) {
  if (typed_) return type(stroke);
  if (is_helping_) {
    is_helping_ = false;
    return;
  }
  switch (stroke.key) {
    case TopKey::character:
      return command(stroke.character);
    case TopKey::enter:
      return open();
    case TopKey::escape:
      return close();
    case TopKey::left:
      return go((wish_.view + top_views().size() - 1) % top_views().size());
    case TopKey::right:
      return go((wish_.view + 1) % top_views().size());
    case TopKey::erase:
      return;
    default:
      return step(stroke.key);
  }
}

void TopCore::command(char key) {
  switch (key) {
    case 'q':
      if (wish_.entity.empty()) is_over_ = true;
      return close();
    case ' ':
      is_held_ = !is_held_;
      return;
    case 'r':
      wants_look_ = true;
      return;
    case 'o':
      return next_order();
    case '?':
      is_helping_ = true;
      return;
    case '/':
      if (view().takes_where && wish_.entity.empty()) typed_ = wish_.where;
      return;
    default:
      break;
  }
  for (std::size_t n = 0; n < top_views().size(); ++n)
    if (top_views()[n].key == key) return go(n);
}

void TopCore::go(std::size_t view) {
  wish_ = {view, {}, std::string(top_views()[view].orders.front()), {}};
  answer_ = {.wish = wish_, .head = answer_.head};
  problem_.clear();
  selected_ = scrolled_ = 0;
  wants_look_ = true;
}

void TopCore::type(TopStroke stroke) {
  switch (stroke.key) {
    case TopKey::character:
      if (typed_->size() < typed_max) typed_->push_back(stroke.character);
      return;
    case TopKey::erase:
      if (!typed_->empty()) typed_->pop_back();
      return;
    case TopKey::enter:
      wish_.where = *typed_;
      typed_.reset();
      selected_ = 0;
      wants_look_ = true;
      return;
    case TopKey::escape:
      typed_.reset();
      return;
    default:
      return;
  }
}

void TopCore::step(TopKey key) {
  std::size_t& at = wish_.entity.empty() ? selected_ : scrolled_;
  const std::size_t last = rows() == 0 ? 0 : rows() - 1;
  if (key == TopKey::up && at > 0) --at;
  if (key == TopKey::down) ++at;
  if (key == TopKey::page_up) at -= std::min(at, page_step);
  if (key == TopKey::page_down) at += page_step;
  if (key == TopKey::home) at = 0;
  if (key == TopKey::end) at = last;
  at = std::min(at, last);
}

void TopCore::next_order() {
  const auto& orders = view().orders;
  const auto now = std::find(orders.begin(), orders.end(), wish_.order);
  wish_.order = now == orders.end() || now + 1 == orders.end() ? orders.front() : *(now + 1);
  wants_look_ = true;
}

void TopCore::open() {
  if (!wish_.entity.empty() || selected_ >= answer_.rows.size() || answer_.rows[selected_].entity.empty())
    return;
  wish_.entity = answer_.rows[selected_].entity;
  answer_.details.clear();
  scrolled_ = 0;
  wants_look_ = true;
}

void TopCore::close() {
  if (wish_.entity.empty()) return;
  wish_.entity.clear();
  answer_.wish.entity.clear();
  wants_look_ = true;
}

TopLine TopCore::tabs() const {
  std::string text;
  for (std::size_t n = 0; n < top_views().size(); ++n) {
    const std::string name(top_views()[n].name);
    text += n == wish_.view ? "[" + name + "] " : " " + name + "  ";
  }
  if (!wish_.order.empty()) text += "  by " + wish_.order;
  if (!wish_.where.empty()) text += "  where " + wish_.where;
  return {text, TopStyle::bold};
}

TopLine TopCore::foot(Instant now) const {
  if (typed_) return {"where: " + *typed_ + "_", TopStyle::bold};
  if (!problem_.empty()) return {problem_, TopStyle::warning};
  if (answer_.at.is_set() && now - answer_.at > old_picture && !is_held_)
    return {"this is " + std::to_string((now - answer_.at).count() / 1'000) +
                " s old: the cell has not answered since",
            TopStyle::warning};
  std::string text = is_held_ ? "held; space goes on" : "? explains the keys";
  const auto shown = static_cast<std::int64_t>(answer_.rows.size());
  if (answer_.total > shown && wish_.entity.empty())
    text += ";  " + std::to_string(answer_.total) + " in all, the first " + std::to_string(shown) + " here";
  if (answer_.at.is_set()) text += ";  answered in " + std::to_string(answer_.took.count()) + " ms";
  return {text, TopStyle::plain};
}

std::vector<TopLine> TopCore::body(std::size_t height) const {
  std::vector<TopLine> lines;
  const auto window = [&](std::size_t at, std::size_t count) {
    return count <= height ? 0 : std::min(at - std::min(at, height / 2), count - height);
  };
  if (is_helping_) {
    for (const std::string& line : help_lines()) lines.push_back({line});
  } else if (!wish_.entity.empty()) {
    lines.push_back({wish_.entity, TopStyle::reverse});
    for (std::size_t n = scrolled_; n < answer_.details.size() && lines.size() < height; ++n)
      lines.push_back({answer_.details[n]});
  } else {
    lines.push_back({answer_.columns, TopStyle::reverse});
    if (height > 0) --height;
    for (std::size_t n = window(selected_, answer_.rows.size());
         n < answer_.rows.size() && lines.size() < height + 1; ++n)
      lines.push_back({answer_.rows[n].text, n == selected_ ? TopStyle::bold : TopStyle::plain});
  }
  return lines;
}

std::vector<TopLine> TopCore::draw(std::size_t width, std::size_t height, Instant now) const {
  std::vector<TopLine> lines;
  for (const std::string& line : answer_.head) lines.push_back({line});
  lines.push_back(tabs());
  const std::size_t above = lines.size();
  if (height > above + 1) {
    for (TopLine& line : body(height - above - 1)) lines.push_back(std::move(line));
  }
  lines.resize(height > 0 ? height - 1 : 0);
  if (height > 0) lines.push_back(foot(now));
  for (TopLine& line : lines) line.text.resize(std::min(line.text.size(), width));
  return lines;
}

}  // namespace troupe::cli
