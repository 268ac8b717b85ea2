"""Shows values as a notebook does: as text, or as a picture where they know how to be one."""
import io
import sys


class Display:
    def __init__(self, channel, interrupts, limits):
        self._channel = channel
        self._interrupts = interrupts
        self._limits = limits
        self._request, self._left, self._left_bytes = None, 0, 0

    def begin(self, request):
        self._request, self._left, self._left_bytes = request, self._limits["images"], self._limits["imageBytes"]
        self._replace_show()

    def show(self, *values, **_options):
        for value in values:
            picture = self._picture_of(value)
            if picture is None:
                print(repr(value))
            else:
                self._send(picture)

    def show_figures(self, *_arguments, **_options):
        """All open figures of matplotlib, in the order in which they were made. They are closed then."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        try:
            for number in pyplot.get_fignums():
                self._send(_png_of(pyplot.figure(number)))
        finally:
            pyplot.close("all")

    def _replace_show(self):
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.show = self.show_figures

    def _picture_of(self, value):
        if isinstance(value, type):
            return None
        figure = sys.modules.get("matplotlib.figure")
        if figure is not None and isinstance(value, figure.Figure):
            sys.modules["matplotlib.pyplot"].close(value)
            return _png_of(value)
        make = getattr(value, "_repr_png_", None)
        picture = make() if callable(make) else None
        return picture if isinstance(picture, bytes) else None

    def _send(self, picture):
        if self._left <= 0 or len(picture) > self._left_bytes:
            print(f"A picture of {len(picture)} bytes is not shown: the pictures are too many or too large.", file=sys.stderr)
            return
        self._left -= 1
        self._left_bytes -= len(picture)
        sys.stdout.flush()
        with self._interrupts.deferred():
            self._channel.send_bytes(picture, id=self._request, type="image")


def _png_of(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()
