"""A session as the process that has forked it sees it: stopped, continued, watched, and told why it has ended."""
import os
import signal
import time

from . import folders

# How often sessions are looked at that compute.
WATCH_SECONDS = 0.1


class Child:
    """`usage` says how many bytes and files the session has; None where its file system bounds both."""

    def __init__(self, pid, limits, usage=None):
        self.pid = pid
        self._limits = limits
        self._usage = usage
        self._reason = None
        self._cpu_at_start = 0.0
        self.ended = os.pidfd_open(pid)
        self.computes = False

    def go(self):
        self.computes = True
        self._cpu_at_start = self._cpu_seconds()
        self._signal(signal.SIGCONT)

    def rest(self):
        """Uses no processor while nothing is asked of it, whatever threads the code has left behind."""
        self._signal(signal.SIGSTOP)
        self.computes = False

    def interrupt(self):
        self._signal(signal.SIGINT)

    def kill(self, reason="killed"):
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._reason = self._reason or reason
        self._signal(signal.SIGKILL)

    def check(self):
        if self._cpu_seconds() - self._cpu_at_start > self._limits["cpuSeconds"]:
            self.kill("cpu")
        if self._usage is None:
            return
        used, files = self._usage()
        if used > self._limits["diskBytes"]:
            self.kill("disk")
        if files > self._limits["maxFiles"]:
            self.kill("files")
        if folders.thread_count(self.pid) > self._limits["threads"]:
            self.kill("threads")

    def status(self):
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return None if pid == 0 else status

    def reason(self, status):
        code = os.waitstatus_to_exitcode(status)
        if self._reason is not None:
            return self._reason
        if code == -signal.SIGKILL:
            return "memory"  # nobody else sends it but a kernel that is short of memory
        return "forbidden" if code == -signal.SIGSYS else "exited"

    def close(self):
        os.close(self.ended)

    def _cpu_seconds(self):
        """By the clock of the process (clock_getcpuclockid(3)), which needs no /proc."""
        try:
            return time.clock_gettime(~self.pid << 3 | 2)
        except OSError:
            return self._cpu_at_start

    def _signal(self, number):
        # Its id is not given to another process before status() has taken notice of its end.
        os.kill(self.pid, number)
