#pragma once
// The two parts of a descriptor that are read in several places: retry policies and sizes.

#include "net/api/descriptor.hpp"
#include "net/json/object_reader.hpp"

namespace troupe::api {

/// {"immediate": {retries}} | {"delayed": {delayMs, retries}} | {"exponentialBackOff": {initialDelayMs,
/// maxDelayIntervalMs, retries}} under "retryPolicy" of `parent`; immediate without retries if absent.
RetryPolicy read_retry_policy(json::ObjectReader& parent, const DescriptorLimits& limits);
void retry_policy_json(json::Writer& writer, const RetryPolicy& policy);

/// {min, desired, max}; what is absent is 0, as in proto3.
Capacity read_capacity(json::ObjectReader& reader, const DescriptorLimits& limits);
void capacity_json(json::Writer& writer, const Capacity& capacity);

}  // namespace troupe::api
