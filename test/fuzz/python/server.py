"""Requests of our own, to prepare what a case needs. They are not counted."""

import json
import os
from urllib.request import Request, urlopen
from uuid import uuid4

TIMEOUT_SECONDS = 30


def post(case, path, body, version=None):
    """Answers the objects that came back: one, or those that the events of a stream carry."""
    lines = send(case, "POST", path, json.dumps(body).encode(), "application/json", version).splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")] or lines
    return [json.loads(text) for text in data]


def get(case, path):
    return json.loads(send(case, "GET", path))


def upload(case, path, content, **fields):
    """Answers the object that was made of a file."""
    boundary = uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
    name, filename, text = content
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    form = "".join([*parts, head, text, f"\r\n--{boundary}--\r\n"])
    return json.loads(send(case, "POST", path, form.encode(), f"multipart/form-data; boundary={boundary}"))


def send(case, method, path, data=None, content_type=None, version=None):
    headers = {
        "Authorization": f"Bearer {os.environ['FUZZ_API_KEY']}",
        "OpenAI-Beta": version or (case.headers or {}).get("OpenAI-Beta", "assistants=v2"),
    }
    if content_type is not None:
        headers["Content-Type"] = content_type
    url = f"{case.operation.base_url.rstrip('/')}{path}"
    with urlopen(Request(url, method=method, headers=headers, data=data), timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode()


def is_to_be_accepted(case):
    return case.meta is not None and case.meta.generation.mode.is_positive
