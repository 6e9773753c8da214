#pragma once
// Small files of the kernel and of tasks: /proc, control groups, what a container's runtime leaves.

#include <string>
#include <string_view>

namespace troupe::agent {

/// At most so many bytes; empty when it cannot be read.
std::string text_of_file(const std::string& path, std::size_t bytes_max);
/// In one piece, into a file that is there. False: errno says why.
bool write_to_file(const std::string& path, std::string_view text);

}  // namespace troupe::agent
