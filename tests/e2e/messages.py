"""Test messages, made from a few words: CRLF lines, a Message-ID and an X-Test field each."""

import itertools
import os
import time
from email.utils import formatdate

_count = itertools.count(1)


def _unique():
    return f"{os.getpid()}.{next(_count)}.{time.time_ns() // 1000}"


def build(fields, body):
    """fields: (name, value) pairs in order; body: str or bytes with LF or CRLF lines."""
    head = "".join(f"{name}: {value}\n" for name, value in fields)
    if isinstance(body, str):
        body = body.encode()
    raw = head.encode() + b"\n" + body
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _common(sender, to, subject, message_id=None):
    return [
        ("From", sender),
        ("To", to),
        ("Subject", subject),
        ("Date", formatdate()),
        ("Message-ID", message_id or f"<{_unique()}@sender.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]


def personal(to="ann@example.test", subject="Lunch on Thursday?", sender="Dora <dora@friends.example>",
             extra=(), message_id=None):
    return build(
        _common(sender, to, subject, message_id) + list(extra),
        "Hi,\n\nare you free for lunch on Thursday? The place at the corner again?\n\nDora\n",
    )


def newsletter(to="ann@example.test", subject="The harbour letter, spring issue",
               sender="Harbour Letter <letter@news.example>", extra=(), body=None, message_id=None):
    return build(
        _common(sender, to, subject, message_id)
        + [
            ("List-Id", "The harbour letter <harbour.news.example>"),
            ("List-Unsubscribe", "<https://news.example/u/1>, <mailto:leave@news.example>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Post", "NO"),
            ("Precedence", "bulk"),
            ("Feedback-ID", "spring:harbour:news"),
        ]
        + list(extra),
        body
        or "The harbour letter\n\nThis season: three new boats, one old crane, and a walk.\n\n"
        "View this newsletter in your browser: https://news.example/spring\n"
        "Unsubscribe: https://news.example/u/1\n",
    )


def security(to="ann@example.test", subject="Your verification code is 493817"):
    return build(
        _common("Bank of Examples <no-reply@bank.example>", to, subject)
        + [("Auto-Submitted", "auto-generated")],
        "Your verification code is 493817. It expires in 10 minutes.\n"
        "If you did not request this code, somebody may know your password.\n",
    )


def bounce(to="ann@example.test"):
    fields = [f for f in _common("Mail Delivery System <mailer-daemon@mx.other.example>", to,
                                 "Undelivered Mail Returned to Sender")
              if f[0] not in ("Content-Type", "Content-Transfer-Encoding")]
    return build(
        fields
        + [
            ("Auto-Submitted", "auto-replied"),
            ("Content-Type", 'multipart/report; report-type=delivery-status; boundary="b1"'),
        ],
        "--b1\nContent-Type: text/plain\n\nYour message could not be delivered.\n\n"
        "--b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.other.example\n\n"
        "Final-Recipient: rfc822; nobody@other.example\nAction: failed\nStatus: 5.1.1\n\n--b1--\n",
    )


def message_id_of(raw):
    for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.lower().startswith(b"message-id:"):
            return line.split(b":", 1)[1].strip().decode()
    return ""
