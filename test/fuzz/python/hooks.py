"""What schemathesis is told beyond the documents. It loads this file through SCHEMATHESIS_HOOKS."""

import answers  # noqa: F401
import beyond_the_schema  # noqa: F401
import real_objects  # noqa: F401
import runs_that_run  # noqa: F401
import tally  # noqa: F401
import unique_keys  # noqa: F401
import waiting_runs  # noqa: F401
