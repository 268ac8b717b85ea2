"""Event handlers that count: subclasses of the SDK's, with every callback overridden."""

from collections import Counter
from functools import partialmethod

from capabilities import AssistantEventHandler, AsyncAssistantEventHandler


class Calls:
    """The callbacks that came, in their order, with what they were given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def counts(self) -> dict[str, int]:
        return dict(Counter(name for name, _ in self.calls))

    def given(self, name: str) -> list[tuple[object, ...]]:
        return [given for called, given in self.calls if called == name]


class CountingHandler(Calls, AssistantEventHandler):
    def note(self, name: str, *given: object) -> None:
        self.calls.append((name, given))


class AsyncCountingHandler(Calls, AsyncAssistantEventHandler):
    async def note(self, name: str, *given: object) -> None:
        self.calls.append((name, given))


for handler in (CountingHandler, AsyncCountingHandler):
    for name in [name for name in dir(handler) if name.startswith("on_")]:
        setattr(handler, name, partialmethod(handler.note, name))
