"""The line to the server: lines of JSON both ways. Threads of the session may write at the same time."""
import base64
import json
import os
import threading

_READ_BYTES = 65536
# Longest line that the server takes is longer than what this makes, in base64, and everything around it.
PIECE_BYTES = 192 * 1024


class Channel:
    def __init__(self, reading, writing):
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()

    def send(self, **frame):
        line = memoryview(json.dumps(frame).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._writing, line) :]

    def send_bytes(self, content, **frame):
        """In as many frames as it takes, the last of which says so. `content` may be empty."""
        for start in range(0, max(1, len(content)), PIECE_BYTES):
            piece = base64.b64encode(content[start : start + PIECE_BYTES]).decode()
            self.send(**frame, data=piece, last=start + PIECE_BYTES >= len(content))

    def requests(self):
        """Lines from the server, until it hangs up."""
        rest = b""
        while True:
            read = os.read(self._reading, _READ_BYTES)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                yield json.loads(line)
