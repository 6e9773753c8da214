#pragma once

namespace troupe::cli {

/// Has this process' heap in huge pages, for a process with millions of small records: apply misses the
/// processor's address cache less, and when it is killed the kernel is done with its memory, and only then
/// closes its connections, in a fraction of the time. jemalloc decides such things before main: runs the
/// program again, once, with the same arguments and `MALLOC_CONF`. Returns where that was set already, by an
/// operator or by us, or cannot be had. To be called before there are threads.
void prefer_huge_pages(char** arguments);

}  // namespace troupe::cli
