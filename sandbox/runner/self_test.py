# Run in a session, as any code is, with `given` set. Tries to get out and says what it could do: one name in a line.
# What a session needs is tried, too: a jail in which nothing works is none that anybody wants.
import ctypes
import os
import resource
import threading

_libc = ctypes.CDLL(None, use_errno=True)


def succeeds(work):
    try:
        return work() is not False
    except Exception:
        return False


def calls(name, *arguments):
    """Whether a function of libc succeeds."""
    return lambda: getattr(_libc, name)(*arguments) >= 0


def uses_files():
    with open("/mnt/data/self-test", "w") as writer:
        writer.write("x")
    os.remove("/mnt/data/self-test")


def starts_thread():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def has_capabilities():
    with_version = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    return _libc.capget(with_version, data) >= 0 and any((data[0], data[1], data[3], data[4]))


def is_unbounded():
    names = ("AS", "FSIZE", "NOFILE", "NPROC", "CORE")
    return any(resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] == resource.RLIM_INFINITY for name in names)


def is_another(pid):
    """In a list of processes of its own a session may have the server's number, which is the first one in many a container."""
    return pid != os.getpid()


def sees_processes():
    """Of others than itself and the first one of a container, where that has a list of its own."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return any(pid not in (1, os.getpid()) for pid in pids)


refused = {
    "read a file of the server": lambda: open(given["file"]).read(),
    "write a file beside it": lambda: open(given["file"] + "-2", "w").write("x"),
    "change what a file of the server contains": lambda: os.truncate(given["file"], 0),
    "link to a file of the server": lambda: os.link(given["file"], "/mnt/data/self-test-link"),
    "list accounts": lambda: open("/etc/passwd").read(),
    "look at processes": sees_processes,
    "look at the process that has started it": lambda: open("/proc/1/environ").read(),
    "look at the server": lambda: open(f"/proc/{given['server']}/environ").read(),
    "signal the server": lambda: is_another(given["server"]) and os.kill(given["server"], 0),
    "change limits of the server": lambda: is_another(given["server"])
    and resource.prlimit(given["server"], resource.RLIMIT_NOFILE),
    "make a socket": calls("socket", 2, 1, 0),
    "make a socket for datagrams": calls("socketpair", 1, 2, 0, (ctypes.c_int * 2)()),
    "start a process": lambda: os.fork() or os._exit(0),
    "run a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "make a device or pipe": lambda: os.mkfifo("/mnt/data/self-test-pipe"),
    "make namespaces": calls("unshare", 0x10000000),
    "mount": calls("mount", b"x", b"/mnt/data", b"tmpfs", 0, None),
    "keep memory that is not counted": calls("memfd_create", b"x", 0),
    "become root": lambda: os.setuid(0),
    "raise limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)),
    "use capabilities": has_capabilities,
    "be without bounds": is_unbounded,
    # The last: whoever is traced stops at the next signal.
    "trace": calls("ptrace", 0, 0, 0, 0),
}
needed = {"use its own files": uses_files, "start a thread": starts_thread}

for name, work in needed.items():
    if not succeeds(work):
        print(f"not even {name}")
for name, work in refused.items():
    if succeeds(work):
        print(name)
print("tried all")
