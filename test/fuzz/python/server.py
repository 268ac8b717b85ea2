"""Requests of our own, to prepare what a case needs. They are not counted."""

import json
import os
from urllib.request import Request, urlopen

TIMEOUT_SECONDS = 30


def post(case, path, body):
    """Answers the objects that came back: one, or those that the events of a stream carry."""
    headers = {
        "Authorization": f"Bearer {os.environ['FUZZ_API_KEY']}",
        "Content-Type": "application/json",
        "OpenAI-Beta": case.headers["OpenAI-Beta"],
    }
    url = f"{case.operation.base_url.rstrip('/')}{path}"
    request = Request(url, method="POST", headers=headers, data=json.dumps(body).encode())
    with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")] or lines
    return [json.loads(text) for text in data]


def is_to_be_accepted(case):
    return case.meta is not None and case.meta.generation.mode.is_positive
