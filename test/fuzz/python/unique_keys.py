"""Idempotency keys: the generator repeats short ones, and a key that was used before says nothing about the rest of a request."""

from itertools import count

import schemathesis
from schemathesis.core.parameters import ParameterLocation

NAME = "Idempotency-Key"
#: One in so many requests keeps its key as it came, so that used ones are sent too.
KEPT = 8
LONGEST = 200

_numbers = count()


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get(NAME)
    number = next(_numbers)
    # Headers that are wrong on purpose stay as they are.
    if case.meta is None or case.meta.is_negative_at(ParameterLocation.HEADER) or number % KEPT == 0:
        return
    if isinstance(key, str) and 0 < len(key) <= LONGEST:
        case.headers[NAME] = f"{number}-{key}"
