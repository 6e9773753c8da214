#pragma once
// From a node that does not answer to another one of its cell.

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

/// Nothing came back: the node may be dead. An answer that says so of another node looks alike.
bool may_be_dead(const Error& error);

/// Takes the other nodes' addresses from the attached one into `context.others`; keeps what it has where that
/// one does not tell.
void learn_others(Context& context);
/// If the attached node answers nothing at all: attaches the first other one that does, says so, and answers
/// true. Else nothing changes.
bool moves_on(Context& context);

/// Reads, at another node where the attached one is dead.
template <class T>
Result<T> read_anywhere(Context& context, const std::function<Result<T>(CellClient&)>& read) {
  constexpr int moves_max = 5;  // A cell has five nodes at most.
  for (int move = 0;; ++move) {
    auto client = context.client();
    auto answer = read(client);
    if (answer.ok() || !may_be_dead(answer.error()) || move == moves_max || !moves_on(context)) return answer;
  }
}

}  // namespace troupe::cli
