"""Check 5: a list that is longer than its pages."""

from openai import AsyncOpenAI

from scenario import SETTINGS, client, expect, text_of

TEXTS = [f"message {number}" for number in range(25)]
ORDERS = {"asc": TEXTS, "desc": TEXTS[::-1]}
LIMIT = 10

messages = client.beta.threads.messages


def create_long_thread() -> str:
    return client.beta.threads.create(messages=[{"role": "user", "content": text} for text in TEXTS]).id


def test_iteration() -> None:
    """iterating over a list returns each item once, in both orders"""
    thread_id = create_long_thread()
    for order, texts in ORDERS.items():
        found = list(messages.list(thread_id, limit=LIMIT, order=order))
        expect([text_of(message) for message in found], texts)
        expect(len({message.id for message in found}), len(texts))


async def test_iteration_async() -> None:
    """iterating over a list of the async client returns each item once, in both orders"""
    thread_id = create_long_thread()
    async with AsyncOpenAI(**SETTINGS) as openai:
        for order, texts in ORDERS.items():
            page = openai.beta.threads.messages.list(thread_id, limit=LIMIT, order=order)
            expect([text_of(message) async for message in page], texts)


def test_pages() -> None:
    """iter_pages returns pages of the limit and then the rest"""
    pages = messages.list(create_long_thread(), limit=LIMIT).iter_pages()
    # Older generations ask for one more page, which is empty.
    expect([len(page.data) for page in pages if page.data], [10, 10, 5])


def test_before() -> None:
    """before returns the items that precede one, in the order that is asked for"""
    thread_id = create_long_thread()
    for order, texts in ORDERS.items():
        tenth = messages.list(thread_id, limit=LIMIT, order=order).data[-1]
        page = messages.list(thread_id, limit=5, order=order, before=tenth.id)
        expect([text_of(message) for message in page.data], texts[4:9])
