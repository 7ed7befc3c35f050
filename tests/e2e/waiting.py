"""Waiting for something to become true: by asking again, never by a fixed sleep."""

import os
import time

# A slow machine with sanitizers needs patience; a passing test never uses it up.
PATIENCE = float(os.environ.get("PULLYU_TEST_PATIENCE", "60"))


class Timeout(AssertionError):
    pass


def wait_for(condition, what, deadline=None, pause=0.05, detail=None):
    """Calls condition until it returns something true, and returns that.

    what names the thing waited for; detail() is asked for more text if it never comes.
    """
    limit = PATIENCE if deadline is None else deadline
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            more = "" if detail is None else "\n" + str(detail())
            raise Timeout(f"waited {limit:g} s for {what}, in vain{more}")
        time.sleep(pause)
