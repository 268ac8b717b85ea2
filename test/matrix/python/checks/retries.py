"""Check 11: the SDK tries again what it should, and nothing else.

The proxy at MATRIX_FLAKY_URL answers 429 to the first two requests of each key.
"""

import json
import os
from urllib.request import urlopen
from uuid import uuid4

from openai import AsyncOpenAI, BadRequestError, OpenAI, RateLimitError

from refusal import refused
from scenario import SLOWLY, client, expect, runs, start

PROXY = os.environ.get("MATRIX_FLAKY_URL", "")
# With the SDK's own number of retries: two.
SETTINGS = {"base_url": PROXY, "timeout": 30, "_strict_response_validation": True}


def headers(**more: str) -> dict[str, str]:
    return {"x-matrix-key": str(uuid4()), **more}


def requests_of(key: dict[str, str]) -> int:
    """How many requests of the key have reached the proxy."""
    with urlopen(f"{PROXY}/matrix/count/{key['x-matrix-key']}", timeout=30) as answer:
        return json.load(answer)["count"]


def test_two_retries() -> None:
    """a request that is asked twice to come again succeeds at the third try"""
    key = headers()
    thread = OpenAI(**SETTINGS, default_headers=key).beta.threads.create(metadata={"tries": "3"})
    expect(client.beta.threads.retrieve(thread.id).metadata, {"tries": "3"})
    expect(requests_of(key), 3)


async def test_two_retries_async() -> None:
    """the async client does the same"""
    key = headers()
    async with AsyncOpenAI(**SETTINGS, default_headers=key) as openai:
        thread = await openai.beta.threads.create()
    expect(client.beta.threads.retrieve(thread.id).id, thread.id)
    expect(requests_of(key), 3)


def test_one_retry() -> None:
    """a client that may try again once raises a RateLimitError"""
    key = headers()
    try:
        OpenAI(**SETTINGS, default_headers=key, max_retries=1).beta.threads.create()
        raise AssertionError("it was not refused")
    except RateLimitError as error:
        expect(error.status_code, 429)
    expect(requests_of(key), 2)


def test_lock() -> None:
    """a locked thread is not tried again"""
    run = runs.create(**start(SLOWLY))
    key = headers(**{"x-matrix-pass": "yes"})
    openai = OpenAI(**SETTINGS, default_headers=key)
    with refused(BadRequestError, f"Can't add messages to {run.thread_id} while a run {run.id} is active."):
        openai.beta.threads.messages.create(run.thread_id, role="user", content="And me?")
    expect(requests_of(key), 1)
    runs.cancel(run.id, thread_id=run.thread_id)
