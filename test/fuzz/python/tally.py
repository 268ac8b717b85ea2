"""Counts what was tried and writes it, at the end, to the file that FUZZ_TALLY names."""

import atexit
import json
import os
from collections import Counter, defaultdict

import schemathesis

import beyond_the_schema

_requests = defaultdict(Counter)
_seconds = defaultdict(float)
_streams = 0


@schemathesis.hook
def after_call(context, case, response):
    global _streams
    _seconds[case.operation.label] += response.elapsed
    kind = "negative" if case.meta is not None and case.meta.generation.mode.is_negative else "positive"
    _requests[case.operation.label][f"{kind} {response.status_code}"] += 1
    _streams += response.headers.get("content-type", [""])[0].startswith("text/event-stream")


@atexit.register
def write():
    tally = {
        "requests": _requests,
        "seconds": _seconds,
        "streams": _streams,
        "rules": dict(beyond_the_schema.applied),
    }
    with open(os.environ["FUZZ_TALLY"], "w", encoding="utf-8") as file:
        json.dump(tally, file)
