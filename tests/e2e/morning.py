"""The digest of tests/morning: its description for tests/unit/digest_write. Also run by
contrib/screenshots: morning.py BUILDDIR OUT.html [LANGUAGE]."""

import email
import email.utils
import json
import os
import subprocess
import sys
import tempfile
from email import policy

MAIL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "morning")
SLOT = 1795503600  # 2026-11-24 08:00 in Amsterdam, a Tuesday


def rows():
    with open(os.path.join(MAIL, "index.tsv"), encoding="utf-8") as index:
        return [line.rstrip("\n").split("\t") for line in index]


def entry(directory, name, class_name, why):
    with open(os.path.join(MAIL, name), "rb") as file:
        raw = file.read().replace(b"\n", b"\r\n")
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(raw)
    message = email.message_from_bytes(raw, policy=policy.default)
    sender = message["From"].addresses[0]
    list_id = str(message["List-Id"] or "")
    return {
        "id": name,
        "path": path,
        "lead": 0,
        "size": len(raw),
        "from_name": sender.display_name,
        "from_addr": sender.addr_spec,
        "subject": str(message["Subject"]),
        "list_id": list_id[list_id.find("<") + 1 : -1] if list_id else "",
        "class_name": class_name,
        "why": why,
        "object": "list:harbour.lists.example" if class_name == "discussion" else "",
        "received": int(message["Date"].datetime.timestamp()),
        **{verb: token(verb + name[:2]) for verb in ("allow", "hold", "send")},
    }


def token(name):
    """Of the length that ours have."""
    return (name + "-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 3)[:76]


def description(directory, language="en", attach=True):
    """directory: where the originals are put, with CRLF."""
    return {
        "user": "ann@example.org",
        "from": "Pullyu <digest@example.org>",
        "message_id": f"<pullyu.{SLOT}.1.0a1b2c@mx.example.org>",
        "guard": "v1; " + "ab" * 32,
        "host": "mx.example.org",
        "slot": SLOT,
        "now": SLOT + 1,
        "timezone": "Europe/Amsterdam",
        "language": language,
        "attach": attach,
        "authserv_ids": ["mx.example.org"],
        "command_address": "pullyu@example.org",
        **{"foot_" + name: token(name) for name in ("all", "times", "pause", "help")},
        "times_form": "times = Mon-Fri 08:00, Sat Sun 10:00\ntimezone = Europe/Amsterdam\n",
        "pause_example": "2026-12-07",
        "quiet": ["letter@garden.example", "sale@elsewhere.example"],
        "entries": [entry(directory, *row) for row in rows()],
    }


def write(build, directory, out, form=None, **options):
    """form: "--text", "--html", or the whole message."""
    source = os.path.join(directory, "description.json")
    with open(source, "w", encoding="utf-8") as file:
        json.dump(description(directory, **options), file)
    environment = dict(os.environ, PULLYU_TEST_LOCALEDIR=os.path.join(build, "po"))
    command = [os.path.join(build, "tests/unit/digest_write"), *([form] if form else []), source]
    subprocess.run([*command, out], check=True, env=environment)
    with open(out, "rb") as file:
        return file.read()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        write(sys.argv[1], temporary, sys.argv[2], "--html", language=(sys.argv[3:] or ["en"])[0])
