"""What check 6 says and expects: some notes, and an answer that cites them."""

from scenario import expect

HERON = ("heron.txt", b"The heron stands in shallow water.")
OWL = ("owl.md", b"The owl hunts at night.")
WREN = ("Zaunkönig 🐦.txt", b"The wren is small, and its song is loud.")
OWL_TEXT = OWL[1].decode()

QUERY = "Who hunts at night?"
MARKER = f"【0:0†{OWL[0]}】"
BEFORE = "🦉 It is the owl – 你好 – "
TEXT = f"{BEFORE}{MARKER}."
# A turn that searches, and one that cites what comes first, in pieces that cut the marker.
SEARCH = {"tool_calls": [{"name": "file_search", "arguments": {"queries": [QUERY]}}]}
ANSWER = {"chunks": [BEFORE, MARKER[:4], MARKER[4:-1], MARKER[-1], "."], "chunk_ms": 2}


def check_citation(message: object, file_id: str) -> object:
    """Checks an answer as the guides print it: by slicing its text. Returns the citation."""
    [part] = message.content
    expect((part.text.value, len(part.text.annotations)), (TEXT, 1))
    [annotation] = part.text.annotations
    cited = part.text.value[annotation.start_index : annotation.end_index]
    expect((annotation.type, annotation.text, cited), ("file_citation", MARKER, MARKER))
    expect(annotation.file_citation.file_id, file_id)
    return annotation.file_citation
