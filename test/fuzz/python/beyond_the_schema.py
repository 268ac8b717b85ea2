"""Where the server and the documents part on purpose. Mostly rules that JSON Schema cannot say: requests that fit the
document and are refused all the same."""

import re
from collections import Counter

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

#: By name, the error that each is refused with.
RULES = {
    "an idempotency key is for one request": r"The 'Idempotency-Key' header was used before,",
    "a cursor is in the list": r"Invalid '(after|before)': .* No object with this ID exists in the list\.",
    "a thread has one active run": r"Thread thread_\w+ already has an active run run_\w+\.",
    "a thread with an active run takes no messages": r"Can't add messages to thread_\w+ while a run run_\w+ is active\.",
    "a run that has ended is not cancelled": r"Cannot cancel run with status '\w+'\.",
    "a run that waits for no outputs takes none": r'Runs in status "\w+" do not accept tool outputs\.',
    "outputs are for exactly the pending calls": r"Expected tool outputs for call_ids ",
    "answers in JSON go with functions only": r"Invalid tools: all tools must be of type `function` when ",
    "chunks overlap by half at the most": r".*the overlap must not exceed half of max_chunk_size_tokens\.",
    "a store is named or made, not both": r".*'vector_store_ids' and 'vector_stores' are mutually exclusive\.",
    "a batch has files of one kind": r"Invalid 'files': 'file_ids' and 'files' are mutually exclusive\.",
    "a batch has files": r"Missing required parameter: 'file_ids'\.",
    "a filter has so many comparisons": r".*a filter may have at most 100 comparisons\.",
    "what an upload is made of comes while it is pending": r"Upload upload_\w+ cannot be changed: its status is '\w+'\.",
    "a part is named once": r"Invalid 'part_ids': the part '.*' is named more than once\.",
    "parts have the size that was said": r"The parts have \d+ bytes together, but the upload was created for \d+ bytes\.",
    "parts have the checksum that was said": r"Invalid 'md5': the content of the parts has another checksum\.",
    "files for the tools are not handed out": r"Not allowed to download files of purpose: \w+",
    "a file is not empty": r"The file is empty\.",
    "schemas have at most 64 levels": r".*the schema is nested deeper than 64 levels\.",
}

#: The same for what is not found although it was made just now: the chain took it for something else.
CHAINED = {
    "a file that is named is there": r"Files \['file.*'\] were not found",
    "a part belongs to its upload": r"No part found with id '.*' in upload 'upload_\w+'\.",
}

#: No body counts as an empty one, and so does `null`: where nothing is required, it is taken.
NULL_BODY = "a body of null counts as none"

applied = Counter()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    rule = find_rule(failure, case, response)
    if rule is not None:
        applied[rule] += 1
    return rule is None


def find_rule(failure, case, response):
    if isinstance(failure, AcceptedNegativeData):
        return NULL_BODY if case.body is None else None
    if not isinstance(failure, RejectedPositiveData | EnsureResourceAvailability):
        return None
    message = response.json()["error"]["message"]
    rules = RULES if isinstance(failure, RejectedPositiveData) else CHAINED
    return next((name for name, text in rules.items() if re.match(text, message, re.DOTALL)), None)
