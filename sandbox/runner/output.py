"""What the code prints: caught at the descriptors, so that libraries in C are heard, too, and sent on as it comes."""
import codecs
import io
import os
import select
import sys
import threading
import time

_READ_BYTES = 65536
# What is printed within this time goes out in one piece.
_GATHER_SECONDS = 0.01
_STREAMS = {1: "stdout", 2: "stderr"}


class Output:
    def __init__(self, channel, path_names):
        self._channel = channel
        self._path_names = path_names
        self._lock = threading.Lock()
        self._pipes = {self._catch(fd): stream for fd, stream in _STREAMS.items()}
        self._decoders = {}
        self._request, self._left, self.dropped = None, 0, 0
        # Whether more came at once than is read at a time.
        self._flows = False
        sys.stdout, sys.stderr = _writer(1), _writer(2)
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
        threading.Thread(target=self._pump, daemon=True).start()

    def begin(self, request, most_bytes):
        """What is printed from here on belongs to this request. Bytes past the bound are dropped and counted."""
        with self._lock:
            self._drain()
            decoder = codecs.getincrementaldecoder("utf-8")
            self._decoders = {stream: _Renamed(decoder("replace"), self._path_names) for stream in _STREAMS.values()}
            self._request, self._left, self.dropped = request, most_bytes, 0

    def end(self):
        """Sends all that was printed. Whatever comes later is dropped."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass  # it is the code's own by now, and closed, perhaps
        with self._lock:
            self._drain()
            for stream, decoder in self._decoders.items():
                self._send(stream, decoder.decode(b"", final=True))
            self._request = None

    def _catch(self, fd):
        reading, writing = os.pipe()
        os.dup2(writing, fd)
        os.close(writing)
        os.set_blocking(reading, False)
        return reading

    def _pump(self):
        while True:
            select.select(list(self._pipes), [], [])
            if not self._flows:
                time.sleep(_GATHER_SECONDS)
            with self._lock:
                self._read_once()

    def _drain(self):
        while self._read_once():
            pass

    def _read_once(self):
        found, self._flows = False, False
        for pipe, stream in self._pipes.items():
            try:
                content = os.read(pipe, _READ_BYTES)
            except BlockingIOError:
                continue
            found = found or len(content) > 0
            self._flows = self._flows or len(content) == _READ_BYTES
            if self._request is None:
                continue
            kept = content[: self._left]
            self._left -= len(kept)
            self.dropped += len(content) - len(kept)
            self._send(stream, self._decoders[stream].decode(kept))
        return found

    def _send(self, stream, text):
        if text:
            self._channel.send(id=self._request, type="logs", stream=stream, text=text)


class _Renamed:
    """Text in which a real path reads as the one that the code knows, also where it is cut between two pieces."""

    def __init__(self, decoder, path_names):
        self._decoder = decoder
        self._path_names = path_names
        self._held = ""

    def decode(self, content, final=False):
        text = self._held + self._decoder.decode(content, final)
        self._held = ""
        if self._path_names is None:
            return text
        text = self._path_names.show(text)
        if not final:
            held = self._path_names.beginning_at_end(text)
            if held:
                text, self._held = text[:-held], text[-held:]
        return text


def _writer(fd):
    return io.TextIOWrapper(io.FileIO(fd, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
