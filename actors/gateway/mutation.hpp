#pragma once

#include <optional>

#include "actors/gateway/services.hpp"

namespace troupe::gateway {

/// What a mutation says of itself when its outcome is known.
struct MutationAnswer {
  int status = 200;
  std::string entity_url;  ///< where to look if the outcome is unknown; empty: made from the outcome
  /// The good answer's body, from the outcome's entity.
  std::function<std::string(const Outcome&)> body = [](const Outcome&) { return "{}"; };
  std::optional<Error> conflict{};  ///< told in place of what apply says of a conflict
  std::string_view made_under{};    ///< not empty: answered as Location, with the outcome's entity behind it
};

/// Proposes for the call and answers it: headers X-Troupe-Request-Id and X-Troupe-Index, errors with what to
/// do.
void mutate(Services& services, const CallPtr& call, CommandBody body, MutationAnswer answer,
            Fence fence = NoFence{});

/// 415 unless the body is JSON by its header, or says nothing of itself.
Result<void> check_json_body(const Call& call);
/// Fails for query parameters that nobody reads.
Result<void> check_parameters(const Call& call, const std::vector<std::string_view>& known);
/// The parameter `consistency`; others than `known` are refused.
Result<api::Consistency> consistency_of(const Call& call, std::initializer_list<std::string_view> known);

/// The names in `keys` of DELETE …/attributes, which may be there several times.
Result<std::vector<std::string>> attribute_keys(const Call& call);

std::string job_url(const JobId& id);
std::string task_url(const TaskId& id);

}  // namespace troupe::gateway
