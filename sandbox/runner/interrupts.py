"""SIGINT ends the code that runs, and nothing else: what this process does for itself goes through to its end."""
import contextlib
import signal


class Interrupts:
    def __init__(self):
        self._runs_code = False
        self._deferred = False
        self._pending = False

    @contextlib.contextmanager
    def taken(self):
        """While code of somebody else runs, which may have set a handler of its own the last time."""
        signal.signal(signal.SIGINT, self._handle)
        self._pending = False
        self._runs_code = True
        try:
            yield
        finally:
            self._runs_code = False

    @contextlib.contextmanager
    def deferred(self):
        """Inside of `taken`, for work of ours that must not be left half done."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def _handle(self, _number, _frame):
        if not self._runs_code:
            return
        if self._deferred:
            self._pending = True
        else:
            raise KeyboardInterrupt
