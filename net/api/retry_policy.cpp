#include "net/api/retry_policy.hpp"

#include "net/api/reading.hpp"

namespace troupe::api {
namespace {

std::uint32_t read_retries(json::ObjectReader& reader, const DescriptorLimits& limits) {
  return static_cast<std::uint32_t>(read_integer(reader, "retries", {0, limits.retries_max}).value_or(0));
}

milliseconds read_delay(json::ObjectReader& reader, std::string_view name, const DescriptorLimits& limits) {
  return milliseconds(read_integer(reader, name, {0, limits.retry_delay_ms_max}).value_or(0));
}

void read_delays(json::ObjectReader& reader, const DescriptorLimits& limits, RetryPolicy& out) {
  if (out.kind == RetryPolicy::Kind::delayed) {
    out.delay = read_delay(reader, "delayMs", limits);
    refuse_unsupported(reader, "initialDelayMs");
  }
  if (out.kind == RetryPolicy::Kind::exponential) {
    out.delay = read_delay(reader, "initialDelayMs", limits);
    out.delay_max = read_delay(reader, "maxDelayIntervalMs", limits);
    if (out.delay_max < out.delay) reader.complain("maxDelayIntervalMs", "must be at least initialDelayMs");
  }
}

void time_json(json::Writer& writer, std::string_view name, milliseconds time) {
  writer.key(name);
  writer.text(std::to_string(time.count()));
}

}  // namespace

RetryPolicy read_retry_policy(json::ObjectReader& parent, const DescriptorLimits& limits) {
  RetryPolicy out;
  auto policy = parent.optional_object("retryPolicy");
  if (!policy) return out;
  const auto kind = policy->exactly_one_of({"immediate", "delayed", "exponentialBackOff"});
  if (kind == "delayed") out.kind = RetryPolicy::Kind::delayed;
  if (kind == "exponentialBackOff") out.kind = RetryPolicy::Kind::exponential;
  if (kind) {
    if (auto reader = policy->optional_object(*kind)) {
      out.retries = read_retries(*reader, limits);
      read_delays(*reader, limits, out);
      reader->finish();
    }
  }
  policy->finish();
  return out;
}

void retry_policy_json(json::Writer& writer, const RetryPolicy& policy) {
  writer.begin_object();
  switch (policy.kind) {
    case RetryPolicy::Kind::immediate:
      writer.key("immediate");
      break;
    case RetryPolicy::Kind::delayed:
      writer.key("delayed");
      break;
    case RetryPolicy::Kind::exponential:
      writer.key("exponentialBackOff");
      break;
  }
  writer.begin_object();
  if (policy.kind == RetryPolicy::Kind::delayed) time_json(writer, "delayMs", policy.delay);
  if (policy.kind == RetryPolicy::Kind::exponential) {
    time_json(writer, "initialDelayMs", policy.delay);
    time_json(writer, "maxDelayIntervalMs", policy.delay_max);
  }
  writer.key("retries");
  writer.uint(policy.retries);
  writer.end_object();
  writer.end_object();
}

Capacity read_capacity(json::ObjectReader& reader, const DescriptorLimits& limits) {
  const json::IntegerBounds bounds{0, limits.service_size_max};
  const auto size = [&](std::string_view name) {
    return static_cast<std::uint32_t>(read_integer(reader, name, bounds).value_or(0));
  };
  const Capacity out{.min = size("min"), .desired = size("desired"), .max = size("max")};
  if (out.min > out.desired || out.desired > out.max) reader.complain("", "must have min <= desired <= max");
  reader.finish();
  return out;
}

void capacity_json(json::Writer& writer, const Capacity& capacity) {
  writer.begin_object();
  writer.key("min");
  writer.uint(capacity.min);
  writer.key("desired");
  writer.uint(capacity.desired);
  writer.key("max");
  writer.uint(capacity.max);
  writer.end_object();
}

}  // namespace troupe::api
