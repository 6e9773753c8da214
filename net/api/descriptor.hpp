#pragma once
// What a submitter sends: a Titus v3 job descriptor as JSON, read with every complaint at once, and written
// back.

#include <cstdint>
#include <string_view>

#include "net/json/value.hpp"
#include "net/json/writer.hpp"
#include "storage/base/result.hpp"
#include "storage/model/job_descriptor.hpp"

namespace troupe::api {

/// What a descriptor may ask for. The floors and defaults are smaller than Titus' so that a laptop can be a
/// cell.
struct DescriptorLimits {
  Resources floor{.cpu_milli = 100, .memory_mb = 16, .disk_mb = 0, .network_mbps = 0, .gpu = 0, .ports = 0};
  Resources fallback{.cpu_milli = 100,
                     .memory_mb = 64,
                     .disk_mb = 16,
                     .network_mbps = 0,
                     .gpu = 0,
                     .ports = 0};  ///< if absent
  Resources ceiling{.cpu_milli = 96'000,
                    .memory_mb = 1'152'000,
                    .disk_mb = 1'550'000,
                    .network_mbps = 400'000,
                    .gpu = 16,
                    .ports = 100};
  std::uint32_t batch_size_max = 1000;
  std::uint32_t service_size_max = 2500;
  std::int64_t runtime_limit_s_min = 5;
  std::int64_t runtime_limit_s_max = 864'000;
  std::int64_t runtime_limit_s_default = 432'000;
  std::uint32_t retries_max = 1'000'000;
  std::int64_t retry_delay_ms_max = 86'400'000;
  std::size_t name_bytes_max = 512;  ///< any one name: application, group, stack, e-mail, image part
  std::size_t attributes_max = 200;
  std::size_t attributes_bytes_max = 64 * 1024;  ///< names and values together
  std::size_t env_bytes_max = 32 * 1024;         ///< sum of name + value + 2
  std::size_t argv_bytes_max = 16 * 1024;        ///< entryPoint and command, each
  std::size_t argv_max = 1024;                   ///< words of each
  std::size_t constraints_max = 32;              ///< hard and soft, each
};

/// Errors: invalid_argument with one violation per complaint (path, line, column).
Result<JobDescriptor> parse_job_descriptor(const json::Value& body, const DescriptorLimits& limits = {});
Result<JobDescriptor> parse_job_descriptor(std::string_view text, const DescriptorLimits& limits = {});

/// The cell's own attributes on a printed job: who submitted it and why. Dropped when they come back in a
/// request.
struct CallMark {
  std::string_view created_by{};
  std::string_view call_reason{};
};
/// Writes what parse_job_descriptor reads to the same descriptor. `size_now` stands in for a service's
/// submitted size.
void descriptor_json(json::Writer& writer, const JobDescriptor& descriptor, const CallMark& mark = {},
                     const Capacity* size_now = nullptr);

// ---- names that the cell understands ----
/// Attributes that begin so are the cell's own.
constexpr std::string_view reserved_attribute_prefix = "titus.";
constexpr std::string_view created_by_attribute = "titus.createdBy";
constexpr std::string_view call_reason_attribute = "titus.callReason";
/// Attributes that begin so are knobs; one that this build does not turn is refused.
constexpr std::string_view parameter_attribute_prefix = "titusParameter.";
/// From the stop signal to the kill, in seconds (0 to 300).
constexpr std::string_view kill_wait_attribute = "titusParameter.agent.killWaitSeconds";
constexpr std::int64_t kill_wait_s_max = 300;

}  // namespace troupe::api
