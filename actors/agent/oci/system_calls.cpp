#include "actors/agent/oci/bundle.hpp"

namespace troupe::agent {

// What ordinary programs of any language need. Left out on purpose: whatever makes namespaces or mounts,
// loads code or keys into the kernel, looks into other processes or the machine (bpf, perf_event_open,
// ptrace), sets clocks, swaps, reboots, and io_uring, which goes around this list.
const std::vector<std::string>& allowed_system_calls() {
  static const std::vector<std::string> calls{
      // files
      "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2",
      "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchown",
      "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr",
      "fstat", "fstatfs", "fsync", "ftruncate", "futimesat", "getcwd", "getdents", "getdents64", "getxattr",
      "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "ioctl", "lchown",
      "lgetxattr", "link", "linkat", "listxattr", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat",
      "memfd_create", "mkdir", "mkdirat", "mknod", "mknodat", "name_to_handle_at", "newfstatat", "open",
      "openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read",
      "readahead", "readlink", "readlinkat", "readv", "removexattr", "rename", "renameat", "renameat2",
      "rmdir", "sendfile", "setxattr", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync",
      "sync_file_range", "syncfs", "tee", "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat",
      "utimes", "vmsplice", "write", "writev", "chroot",
      // waiting for many
      "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
      "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "io_cancel", "io_destroy", "io_getevents",
      "io_pgetevents", "io_setup", "io_submit", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select",
      "signalfd", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
      // memory
      "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mprotect", "mremap",
      "msync", "munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect",
      "process_mrelease", "remap_file_pages",
      // processes and threads
      "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork", "futex",
      "futex_waitv", "get_robust_list", "get_thread_area", "getcpu", "getegid", "geteuid", "getgid",
      "getgroups", "getitimer", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getresgid",
      "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "kill", "landlock_add_rule",
      "landlock_create_ruleset", "landlock_restrict_self", "pause", "pidfd_getfd", "pidfd_open",
      "pidfd_send_signal", "prctl", "prlimit64", "restart_syscall", "rseq", "sched_get_priority_max",
      "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
      "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
      "sched_yield", "seccomp", "set_robust_list", "set_thread_area", "set_tid_address", "setfsgid",
      "setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setpriority", "setregid", "setresgid",
      "setresuid", "setreuid", "setrlimit", "setsid", "setuid", "tgkill", "tkill", "vfork", "wait4", "waitid",
      // signals
      "alarm", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
      "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sigaltstack",
      // time
      "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time", "timer_create",
      "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "times",
      // sockets
      "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
      "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socket",
      "socketpair",
      // System V and POSIX communication, all inside the container's own namespace
      "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl",
      "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat", "shmctl", "shmdt",
      "shmget",
      // about the machine
      "getrandom", "sysinfo", "uname"};
  return calls;
}

}  // namespace troupe::agent
