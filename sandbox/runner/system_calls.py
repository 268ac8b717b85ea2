"""System calls: their numbers, and which of them a session may make. What is not named here is refused."""

# What computing, files and threads need, and what reaches nobody else.
ALLOWED = """
read write close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
pread64 pwrite64 readv writev access pipe select sched_yield mremap msync madvise dup dup2 pause nanosleep
getitimer alarm setitimer getpid sendfile sendto recvfrom sendmsg recvmsg shutdown getsockname getpeername
getsockopt exit wait4 uname flock fsync fdatasync ftruncate getdents getcwd chdir fchdir rename mkdir rmdir
creat unlink symlink readlink umask gettimeofday getrlimit getrusage sysinfo times getuid getgid geteuid getegid
getppid getpgrp getgroups getresuid getresgid getpgid getsid capget rt_sigpending rt_sigtimedwait rt_sigsuspend
sigaltstack statfs fstatfs getpriority sched_getparam sched_getscheduler sched_get_priority_max
sched_get_priority_min sched_rr_get_interval munlock munlockall arch_prctl setrlimit gettid readahead getxattr
lgetxattr fgetxattr listxattr llistxattr flistxattr time futex sched_getaffinity epoll_create getdents64
set_tid_address restart_syscall fadvise64 timer_create timer_settime timer_gettime timer_getoverrun timer_delete
clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl get_mempolicy waitid mkdirat
newfstatat unlinkat renameat symlinkat readlinkat faccessat pselect6 ppoll set_robust_list get_robust_list
sync_file_range epoll_pwait signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4
eventfd2 epoll_create1 dup3 pipe2 preadv pwritev getcpu renameat2 getrandom membarrier copy_file_range preadv2
pwritev2 pkey_mprotect pkey_alloc pkey_free statx rseq close_range faccessat2 epoll_pwait2
""".split()

# Landlock says nothing about these, and a file of the server's may belong to the same user. They do nothing and succeed, so that
# copying a file works.
PRETENDED = """
chmod fchmod chown fchown lchown fchownat fchmodat fchmodat2 utime utimes futimesat utimensat
""".split()

# Refused as calls that the kernel does not have, for which libc knows older ones whose arguments a filter can see.
UNKNOWN = """
clone3 openat2
""".split()

# From this number on, on every machine, are the calls since 2019: their callers know what to do without them.
FIRST_RECENT = 424

NUMBERS = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23,
        "sched_yield": 24, "mremap": 25, "msync": 26, "madvise": 28, "dup": 32, "dup2": 33, "pause": 34,
        "nanosleep": 35, "getitimer": 36, "alarm": 37, "setitimer": 38, "getpid": 39, "sendfile": 40, "sendto": 44,
        "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "getsockname": 51, "getpeername": 52,
        "getsockopt": 55, "exit": 60, "wait4": 61, "uname": 63, "flock": 73, "fsync": 74, "fdatasync": 75,
        "ftruncate": 77, "getdents": 78, "getcwd": 79, "chdir": 80, "fchdir": 81, "rename": 82, "mkdir": 83,
        "rmdir": 84, "creat": 85, "unlink": 87, "symlink": 88, "readlink": 89, "umask": 95, "gettimeofday": 96,
        "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107,
        "getegid": 108, "getppid": 110, "getpgrp": 111, "getgroups": 115, "getresuid": 118, "getresgid": 120,
        "getpgid": 121, "getsid": 124, "capget": 125, "rt_sigpending": 127, "rt_sigtimedwait": 128,
        "rt_sigsuspend": 130, "sigaltstack": 131, "statfs": 137, "fstatfs": 138, "getpriority": 140,
        "sched_getparam": 143, "sched_getscheduler": 145, "sched_get_priority_max": 146, "sched_get_priority_min": 147,
        "sched_rr_get_interval": 148, "munlock": 150, "munlockall": 152, "arch_prctl": 158, "setrlimit": 160,
        "gettid": 186, "readahead": 187, "getxattr": 191, "lgetxattr": 192, "fgetxattr": 193, "listxattr": 194,
        "llistxattr": 195, "flistxattr": 196, "time": 201, "futex": 202, "sched_getaffinity": 204, "epoll_create": 213,
        "getdents64": 217, "set_tid_address": 218, "restart_syscall": 219, "fadvise64": 221, "timer_create": 222,
        "timer_settime": 223, "timer_gettime": 224, "timer_getoverrun": 225, "timer_delete": 226, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "epoll_wait": 232, "epoll_ctl": 233,
        "get_mempolicy": 239, "waitid": 247, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263, "renameat": 264,
        "symlinkat": 266, "readlinkat": 267, "faccessat": 269, "pselect6": 270, "ppoll": 271, "set_robust_list": 273,
        "get_robust_list": 274, "sync_file_range": 277, "epoll_pwait": 281, "signalfd": 282, "timerfd_create": 283,
        "eventfd": 284, "fallocate": 285, "timerfd_settime": 286, "timerfd_gettime": 287, "signalfd4": 289,
        "eventfd2": 290, "epoll_create1": 291, "dup3": 292, "pipe2": 293, "preadv": 295, "pwritev": 296, "getcpu": 309,
        "renameat2": 316, "getrandom": 318, "membarrier": 324, "copy_file_range": 326, "preadv2": 327, "pwritev2": 328,
        "pkey_mprotect": 329, "pkey_alloc": 330, "pkey_free": 331, "statx": 332, "rseq": 334, "close_range": 436,
        "faccessat2": 439, "epoll_pwait2": 441, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94,
        "fchownat": 260, "fchmodat": 268, "fchmodat2": 452, "utime": 132, "utimes": 235, "futimesat": 261,
        "utimensat": 280, "clone": 56, "kill": 62, "tgkill": 234, "prlimit64": 302, "sched_setaffinity": 203,
        "fcntl": 72, "ioctl": 16, "prctl": 157, "socketpair": 53, "open": 2, "openat": 257, "clone3": 435,
        "openat2": 437,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222, "mprotect": 226, "munmap": 215,
        "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67, "pwrite64": 68,
        "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216, "msync": 227, "madvise": 233, "dup": 23,
        "nanosleep": 101, "getitimer": 102, "setitimer": 103, "getpid": 172, "sendfile": 71, "sendto": 206,
        "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "shutdown": 210, "getsockname": 204, "getpeername": 205,
        "getsockopt": 209, "exit": 93, "wait4": 260, "uname": 160, "flock": 32, "fsync": 82, "fdatasync": 83,
        "ftruncate": 46, "getcwd": 17, "chdir": 49, "fchdir": 50, "umask": 166, "gettimeofday": 169, "getrlimit": 163,
        "getrusage": 165, "sysinfo": 179, "times": 153, "getuid": 174, "getgid": 176, "geteuid": 175, "getegid": 177,
        "getppid": 173, "getgroups": 158, "getresuid": 148, "getresgid": 150, "getpgid": 155, "getsid": 156,
        "capget": 90, "rt_sigpending": 136, "rt_sigtimedwait": 137, "rt_sigsuspend": 133, "sigaltstack": 132,
        "statfs": 43, "fstatfs": 44, "getpriority": 141, "sched_getparam": 121, "sched_getscheduler": 120,
        "sched_get_priority_max": 125, "sched_get_priority_min": 126, "sched_rr_get_interval": 127, "munlock": 229,
        "munlockall": 231, "setrlimit": 164, "gettid": 178, "readahead": 213, "getxattr": 8, "lgetxattr": 9,
        "fgetxattr": 10, "listxattr": 11, "llistxattr": 12, "flistxattr": 13, "futex": 98, "sched_getaffinity": 123,
        "getdents64": 61, "set_tid_address": 96, "restart_syscall": 128, "fadvise64": 223, "timer_create": 107,
        "timer_settime": 110, "timer_gettime": 108, "timer_getoverrun": 109, "timer_delete": 111, "clock_gettime": 113,
        "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94, "epoll_ctl": 21, "get_mempolicy": 236,
        "waitid": 95, "mkdirat": 34, "newfstatat": 79, "unlinkat": 35, "renameat": 38, "symlinkat": 36,
        "readlinkat": 78, "faccessat": 48, "pselect6": 72, "ppoll": 73, "set_robust_list": 99, "get_robust_list": 100,
        "sync_file_range": 84, "epoll_pwait": 22, "timerfd_create": 85, "fallocate": 47, "timerfd_settime": 86,
        "timerfd_gettime": 87, "signalfd4": 74, "eventfd2": 19, "epoll_create1": 20, "dup3": 24, "pipe2": 59,
        "preadv": 69, "pwritev": 70, "getcpu": 168, "renameat2": 276, "getrandom": 278, "membarrier": 283,
        "copy_file_range": 285, "preadv2": 286, "pwritev2": 287, "pkey_mprotect": 288, "pkey_alloc": 289,
        "pkey_free": 290, "statx": 291, "rseq": 293, "close_range": 436, "faccessat2": 439, "epoll_pwait2": 441,
        "fchmod": 52, "fchown": 55, "fchownat": 54, "fchmodat": 53, "fchmodat2": 452, "utimensat": 88, "clone": 220,
        "kill": 129, "tgkill": 131, "prlimit64": 261, "sched_setaffinity": 122, "fcntl": 25, "ioctl": 29, "prctl": 167,
        "socketpair": 199, "openat": 56, "clone3": 435, "openat2": 437,
    },
}
