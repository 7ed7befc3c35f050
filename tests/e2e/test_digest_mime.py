"""The digest as another MIME parser sees it: Python's, with policy.default. The digests are written
by tests/unit/digest_write, hostile values and originals are random; PULLYU_TEST_SEED repeats a run
and PULLYU_TEST_ROUNDS makes it longer."""

import email
import html.parser
import json
import os
import random
import re
import shutil
import subprocess
import unicodedata
import urllib.parse
from email import policy

import pytest

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
SEED = int(os.environ.get("PULLYU_TEST_SEED", random.SystemRandom().randrange(2**32)))
ROUNDS = int(os.environ.get("PULLYU_TEST_ROUNDS", 25))
OK, NOTFOUND, TEMP, PERM = 0, 11, 12, 13  # exit status of digest_write: 10 + enum rc
COLUMNS = 72
SLOT = 1795503600  # 2026-11-24 08:00 in Amsterdam, a Tuesday

# What a page may consist of. Nothing here can name anything outside the page.
TAGS = set("html head meta title style body main section div h1 h2 h3 p b strong ul li span a footer".split())
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "class", "href", "aria-label"}
HIDDEN = set("\u200b\u200e\u200f\u2060\ufeff\u00ad\u034f") | {
    chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
FOOT = ("all", "times", "pause", "help")
CLASSES = ["notification", "newsletter", "discussion", "transactional", "personal", ""]


class Case:
    """A description for digest_write, and what should come of it."""

    def __init__(self, directory):
        self.directory = directory
        self.originals = []  # bytes, without lead
        self.folds = False  # whether senders may be the same
        self.description = {
            "user": "ann@example.org",
            "from": "Pullyu <digest@example.org>",
            "message_id": "<slot.1795503600.abc@example.org>",
            "guard": "v1; " + "ab" * 32,
            "host": "mail.example.org",
            "slot": SLOT,
            "now": SLOT + 1,
            "timezone": "Europe/Amsterdam",
            "language": "en",
            "attach": True,
            "entries": [],
        }

    def take_commands(self, address="pullyu@example.org"):
        """Every entry has links, and the foot; who replies to a number is understood."""
        self.description.update(
            command_address=address,
            times_form="times = Mon-Fri 08:00\ntimezone = Europe/Amsterdam\n",
            pause_example="2026-12-07",
            map=str(self.directory / "map"),
            **{f"foot_{name}": f"foot_{name}-x" for name in FOOT},
        )
        for n, entry in enumerate(self.description["entries"]):
            entry.update({verb: f"{verb}-{n}_" + "x" * 60 for verb in ("allow", "hold", "send")})

    def add(self, original=b"Subject: x\r\n\r\nHello\r\n", lead=b"Return-Path: <>\r\n", **fields):
        n = len(self.originals)
        path = self.directory / f"original-{n}"
        path.write_bytes(lead + original)
        self.originals.append(original)
        entry = {
            "id": f"id-{n}",
            "path": str(path),
            "lead": len(lead),
            "size": len(original),
            "from_name": "Ann",
            "from_addr": f"ann{n}@example.com",  # of her own: messages of one sender are folded
            # Unique, so that the entry can be found; what is hostile stands behind it.
            "subject": f"token{n:05}",
            "list_id": "",
            "class_name": "newsletter",
            "why": "it came from a mailing list",
            "received": SLOT - 3600 + n,
        }
        entry.update({k: hexed(v) for k, v in fields.items()})
        self.folds = self.folds or not {"from_addr", "class_name"}.isdisjoint(fields)
        self.description["entries"].append(entry)

    def run(self, plain, out=None):
        source, out = self.directory / "description.json", out or self.directory / "out.eml"
        source.write_text(json.dumps(self.description))
        done = subprocess.run(
            [f"{BUILD}/tests/unit/digest_write", *(["--plain"] if plain else []), source, out],
            stderr=subprocess.PIPE,
            timeout=120,
            env=dict(os.environ, PULLYU_TEST_LOCALEDIR=f"{BUILD}/po"),
        )
        return done.returncode, done.stderr.decode()

    def write(self, plain):
        status, text = self.run(plain)
        assert (status, text) == (OK, ""), f"digest_write: {status}: {text}"
        return (self.directory / "out.eml").read_bytes()


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


@pytest.fixture(params=["full", "plain"])
def plain(request):
    return request.param == "plain"


def hexed(value):
    """Bytes and text that JSON or jansson would refuse, for digest_write."""
    if isinstance(value, str) and "\0" in value:
        value = value.encode("utf-8", "surrogatepass")
    return "hex:" + value.hex() if isinstance(value, bytes) else value


def parse(data):
    return email.message_from_bytes(data, policy=policy.default)


def defects(message, inside=False):
    """Of the message, its header fields and, where they are not originals, its parts."""
    found = list(message.defects)
    for value in message.values():
        found += value.defects
    if message.is_multipart() and (inside or message.get_content_type() != "message/rfc822"):
        for part in message.iter_parts():
            found += defects(part, inside)
    return [type(defect).__name__ for defect in found]


def split(message, raw):
    """The raw parts of a multipart whose bytes are raw, by RFC 2046 and nothing else."""
    boundary = b"\r\n--" + message.get_boundary().encode()
    pieces = (b"\r\n" + raw.split(b"\r\n\r\n", 1)[1]).split(boundary)
    assert pieces[-1] == b"--\r\n" or pieces[-1] == b"--", "text behind the closing boundary"
    assert all(piece.startswith(b"\r\n") for piece in pieces[1:-1])
    return [piece[2:] for piece in pieces[1:-1]]


def honest(data):
    """The Content-Transfer-Encoding that the bytes need (RFC 2045 section 2.7 to 2.9)."""
    rest = data.replace(b"\r\n", b"")
    if b"\r" in rest or b"\n" in rest or b"\0" in rest:
        return "binary"
    if any(len(line) > 998 for line in data.split(b"\r\n")):
        return "binary"
    return "8bit" if any(byte > 127 for byte in data) else "7bit"


def columns(line):
    """At least: characters that Python's Unicode does not know count nothing."""
    wide = {"W": 2, "F": 2}
    jamo = "\u1160\u11ff\ud7b0\ud7ff"  # vowels and finals join the consonant before them
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf", "Cn")
        or jamo[0] <= c <= jamo[1]
        or jamo[2] <= c <= jamo[3]
        else wide.get(unicodedata.east_asian_width(c), 1)
        for c in line
    )


class Page(html.parser.HTMLParser):
    def __init__(self, text, tags=frozenset()):
        super().__init__()
        self.text, self.style, self.open, self.seen = [], "", [], set()
        self.tags, self.links = TAGS | tags, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert tag in self.tags, f"the page has a <{tag}>"
        for name, value in attrs:
            assert name in ATTRIBUTES, f"the page has <{tag} {name}>"
            if name == "href":  # by which nothing is loaded
                assert tag == "a" and re.match("(https|mailto):", value), f"<{tag} {name}={value}>"
                self.links.append(value)
            elif name == "aria-label":
                assert tag == "a" and not HIDDEN & set(value), value
            else:
                assert ":" not in value and "/" not in value, f"<{tag} {name}={value}>"
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError("the page has a comment")

    handle_pi = unknown_decl = handle_comment


def check_text(text, case):
    lines = text.split("\r\n")
    for line in lines:
        address = re.fullmatch(r"    <(https://|mailto:)[!-~]+>", line)  # whole, or of no use
        assert address or columns(line) <= COLUMNS, f"{columns(line)} columns: {line!r}"
        for c in line:
            assert c not in HIDDEN and unicodedata.category(c) != "Cc", f"{c!r} in {line!r}"
        assert line == line.rstrip(" ")
    # Nothing that a sender writes looks like the heading of a section.
    headings = [
        int(line.rpartition("(")[2][:-1].replace(",", ""))
        for line, below in zip(lines, lines[1:])
        if re.fullmatch(r".+ \([\d,]+\)", line) and re.fullmatch("-+", below)
    ]
    assert sum(headings) == len(case.originals)
    check_tokens(text, case)
    check_numbers(text, case)


def check_tokens(text, case):
    """Each message once; one of many of a sender may be counted instead."""
    found = sorted(re.findall(r"token\d{5}", text))
    all_of_them = [f"token{n:05}" for n in range(len(case.originals))]
    if case.folds:
        assert len(set(found)) == len(found) and set(found) <= set(all_of_them)
    else:
        assert found == all_of_them


def check_with_tidy(text):
    """An HTML checker that others wrote; each page, whatever is in it."""
    if shutil.which("tidy") is None:
        return
    done = subprocess.run(["tidy", "-q", "-e", "-utf8"], input=text.encode(), stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def check_page(text, case):
    page = Page(text)
    check_with_tidy(text)
    assert page.open == [], "elements stay open"
    assert {"html", "title", "h1", "h2", "h3", "footer"} <= page.seen or not case.originals
    assert not re.search(r"url|import|http|expression|//", page.style)
    shown = "".join(page.text)
    assert not HIDDEN & set(shown)
    check_tokens(shown, case)
    assert re.search(r'<html lang="en" dir="ltr">', text)
    if len(case.originals) <= 200:
        assert len(text.encode()) <= 100_000
    check_links(page, shown, case)


def command(link):
    """Address, words, token and body of a link, as a mail client reads it; None for another's."""
    url = urllib.parse.urlsplit(link)
    if url.scheme != "mailto" or "%5Bpullyu%20" not in link:
        return None
    assert re.fullmatch(r"mailto:[A-Za-z0-9._~%@-]+\?[A-Za-z0-9._~%=&-]+", link), link
    assert len(link) <= 2000 and not url.fragment and not url.netloc
    fields = urllib.parse.parse_qs(url.query, strict_parsing=True, errors="strict")
    assert fields.keys() <= {"subject", "body"} and all(len(v) == 1 for v in fields.values())
    words, token = re.fullmatch(r"([^\[\]\r\n]+) \[pullyu ([\w-]+)\]", fields["subject"][0]).groups()
    assert not HIDDEN & set(words)
    body = fields.get("body", [""])[0]
    assert "\n" not in body.replace("\r\n", "") and "\r" not in body.replace("\r\n", "")
    return urllib.parse.unquote(url.path), words, token, body


def check_links(page, shown, case):
    description = case.description
    address = description.get("command_address")
    commands = [found for found in map(command, page.links) if found]
    assert {found[0] for found in commands} <= {address}
    tokens = [token for _, _, token, _ in commands]
    verbs = ("allow", "hold", "send") if description["attach"] else ("allow", "hold")
    mine = [entry[verb] for entry in description["entries"] for verb in verbs if verb in entry]
    foot = [description[f"foot_{name}"] for name in FOOT] if address else []
    assert len(tokens) == len(set(tokens)) and set(tokens) <= {*mine, *foot}
    assert set(foot) <= set(tokens)
    if address and not case.folds and "links under the messages were left out" not in shown:
        good = [token for token in mine if re.fullmatch(r"[A-Za-z0-9_-]{1,699}", token)]
        assert sorted(tokens) == sorted(good + foot)


def check_numbers(text, case):
    """Each message has one number, and the number stands before its newest."""
    if "map" not in case.description:
        return
    with open(case.description["map"], encoding="utf-8") as file:
        rows = [line.split() for line in file]
    ids = [id for row in rows for id in row[1:]]
    assert sorted(ids) == sorted(entry["id"] for entry in case.description["entries"])
    assert [row[0] for row in rows] == [str(n + 1) for n in range(len(rows))]
    shown = re.findall(r"^ {0,2}(\d+)\. token(\d{5})", text, re.M)
    assert shown == [(row[0], row[1].removeprefix("id-").zfill(5)) for row in rows]


def check_originals(part, raw, case):
    """Every original once, byte for byte, with an honest encoding, in the order of the summary."""
    assert part.get_content_type() == "multipart/digest"
    assert part["content-transfer-encoding"] == honest(raw.split(b"\r\n\r\n", 1)[1])
    pieces = split(part, raw)
    parsed = list(part.iter_parts())
    assert len(pieces) == len(parsed) == len(case.originals)
    got = []
    for piece, entry in zip(pieces, parsed):
        header, original = piece.split(b"\r\n\r\n", 1)
        got.append(original)
        assert entry.get_content_type() == "message/rfc822"
        assert (entry["content-transfer-encoding"] or "7bit") == honest(original)
        assert header.count(b"\r\n") <= 1
        # Standing inside adds no defect to what the original has by itself.
        alone = parse(original)
        root = "MultipartInvariantViolationDefect"  # which Python looks for in the root alone
        own = [name for name in defects(alone, True) if name != root]
        assert defects(entry.get_content(), True) == own
        assert entry.get_content().items() == alone.items()
    assert sorted(got) == sorted(case.originals)


def check_summary(message, case, plain):
    if plain:
        assert message.get_content_type() == "text/plain"
        assert message.get_param("format") == "fixed"
        check_text(message.get_content(), case)
        return
    assert message.get_content_type() == "multipart/alternative"
    text, page = message.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    check_text(text.get_content(), case)
    check_page(page.get_content(), case)


def check(case, plain):
    """Everything that must be true of any digest. Returns it, parsed."""
    data = case.write(plain)
    message = parse(data)
    assert defects(message) == []
    description = case.description
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "X-Pullyu-Digest"):
        assert len(message.get_all(name)) == 1, name
    assert message["To"].addresses[0].addr_spec == description["user"]
    assert message["Message-ID"] == description["message_id"]
    assert message["X-Pullyu-Digest"] == description["guard"]
    assert message["List-Id"] == f"<digest.{description['host']}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert {"Precedence", "Bcc", "Cc"}.isdisjoint(message.keys())
    assert message["MIME-Version"] == "1.0"
    assert message["Date"].datetime.timestamp() == description["now"]

    frame = data  # what is ours, without the originals
    if description["attach"] and case.originals:
        assert message.get_content_type() == "multipart/mixed"
        assert message["content-transfer-encoding"] == honest(data.split(b"\r\n\r\n", 1)[1])
        summary, digest = message.iter_parts()
        raw = split(message, data)[1]
        check_originals(digest, raw, case)
        assert data.count(raw) == 1
        frame = data.replace(raw, b"")
    else:
        summary = message
    check_summary(summary, case, plain)
    assert b"\n" not in frame.replace(b"\r\n", b""), "a line of the frame ends in LF"
    assert b"\r" not in frame.replace(b"\r\n", b"") and b"\0" not in frame
    assert max(len(line) for line in frame.split(b"\r\n")) <= 998
    return message


def test_ordinary(case, plain):
    case.add()
    case.add(from_addr="bob@example.com", from_name="Bob")
    case.description["reply_to"] = "Help <help@example.org>"
    message = check(case, plain)
    assert message["Subject"] == "Your digest: 2 messages from 2 senders, Tuesday 08:00"
    assert message["Reply-To"].addresses[0].addr_spec == "help@example.org"
    assert message["Date"].datetime.utcoffset().total_seconds() == 3600


def test_commands(case, plain):
    for n in range(30):
        case.add(from_addr=f"{n % 25}@example.com", class_name=CLASSES[n % 5])
    case.take_commands()
    message = check(case, plain)
    assert message["Reply-To"].addresses[0].addr_spec == "pullyu@example.org"
    text = message.get_body(("plain",)).get_content()
    foot = text[text.index("You can also reply to this message") :].rstrip().split("\r\n")
    assert len(foot) <= 8 and max(map(len, foot)) <= COLUMNS
    assert "  release 3 5 " in text and "  pause until 2026-12-07 " in text
    assert "mailto:pullyu" not in text
    if plain:
        return
    links = Page(message.get_body(("html",)).get_content()).links
    bodies = {token: body for _, _, token, body in map(command, links)}
    assert bodies["foot_all-x"] == "Send this message as it is."
    explained, _, form = bodies["foot_times-x"].partition("\r\n\r\n")
    assert form == "times = Mon-Fri 08:00\r\ntimezone = Europe/Amsterdam"
    assert explained and not set(explained) & set("=:\r\n")
    explained, _, form = bodies["foot_pause-x"].partition("\r\n\r\n")
    assert form == "until = 2026-12-07\r\npass = no"
    assert explained and not set(explained) & set("=:\r\n")


def test_reply_to_of_ones_own(case, plain):
    """Who has another Reply-To is told where a reply must go."""
    case.add()
    case.take_commands()
    case.description["reply_to"] = "help@example.org"
    message = check(case, plain)
    assert message["Reply-To"].addresses[0].addr_spec == "help@example.org"
    text = message.get_body(("plain",)).get_content()
    assert "reply to this message, to pullyu@example.org," in text


def test_without_originals(case, plain):
    case.add()
    case.description["attach"] = False
    check(case, plain)


def test_no_entries(case, plain):
    case.description["notices"] = ["Your settings are unreadable."]
    message = check(case, plain)
    assert "unreadable" in message.get_body(("plain",)).get_content()


HEAD = b"From: x@example.com\r\nSubject: y\r\n\r\n"


@pytest.mark.parametrize(
    "original",
    {
        "eight bit": HEAD + b"caf\xe9 \xff\xfe\r\n",
        "eight bit header": b"Subject: caf\xc3\xa9\r\n\r\nx\r\n",
        "nul": HEAD + b"a\0b\r\n",
        "long line": HEAD + b"x" * 5000 + b"\r\n",
        "line of 998": HEAD + b"x" * 998 + b"\r\n",
        "line of 999": HEAD + b"x" * 999 + b"\r\n",
        "cr alone": HEAD + b"a\rb\r\n\r",
        "lf alone": HEAD + b"a\nb\n",
        "lf only": b"Subject: y\n\nbody\n",
        "from line": HEAD + b"From the start\r\n>From quoted\r\n",
        "from line first": b"From x@example.com Mon Nov 23\r\n" + HEAD,
        "dots": HEAD + b".\r\n..\r\n.",
        "no last line end": HEAD + b"x",
        "two last line ends": HEAD + b"x\r\n\r\n",
        "empty body": HEAD,
        "only header": b"Subject: y\r\n",
        "only header, no line end": b"Subject: y",
        "only body": b"\r\nbody\r\n",
        "nothing": b"",
        "a line end": b"\r\n",
        "no message": b"\xff\xd8\xff\xe0 not mail at all",
        "like a boundary": HEAD + b"--=_0123456789abcdef0123456789abcdef\r\n--\r\n--=_--\r\n",
        "open multipart": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx",
        "open digest": b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n--b\r\n",
        "closed multipart": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        "nested": b"Content-Type: message/rfc822\r\n\r\n" + HEAD + b"z\r\n",
        "deep": b"Content-Type: message/rfc822\r\n\r\n" * 40 + HEAD,
        "long header": b"X-Long: " + b"y" * 70000 + b"\r\n" + HEAD,
        "groups": b"To: " + b"a:" * 20000 + b"\r\n\r\n",
    }.items(),
    ids=lambda row: row[0].replace(" ", "-"),
)
def test_original(case, plain, original):
    case.add(HEAD + b"before\r\n")
    case.add(original[1], lead=b"")
    case.add(HEAD + b"after\r\n")
    check(case, plain)


def test_original_by_the_parser_alone(case, plain):
    """Who only has Python's parser gets the same bytes of ordinary mail."""
    originals = [
        b"From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
        b"X-Long: " + b"word " * 60 + b"\r\n\tfolded\r\n\r\nFrom here\r\n\r\n--\r\nline\r\n\r\n",
        b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"caf\xc3\xa9\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b--\r\n",
    ]
    for original in originals:
        case.add(original)
    message = check(case, plain)
    _, digest = message.iter_parts()
    exact = policy.default.clone(linesep="\r\n", refold_source="none")
    assert [part.get_content().as_bytes(policy=exact) for part in digest.iter_parts()] == originals


def test_wrong_lead(case, plain):
    """An index that is wrong about our trace fields costs no byte of the message."""
    case.add(lead=b"")
    case.description["entries"][0]["lead"] = 10**15
    check(case, plain)


def hostile_text(rng):
    pieces = [
        lambda: chr(rng.choice((0x202A, 0x202B, 0x202D, 0x202E, 0x2066, 0x2068, 0x2069))),
        lambda: rng.choice("\r\n\t\v\f\x1b\x7f\x85\u2028\u2029"),
        lambda: rng.choice(("<script>", "</style>", "<img src=//evil.example/x.gif>", "]]>")),
        lambda: rng.choice(("&amp;", "&#0;", '"', "'", "<!--", "-->", "<?x", "\\")),
        lambda: "=?utf-8?B?" + "QUJD" * rng.randrange(40) + "?=",
        lambda: "=?utf-8?q?=0D=0ABcc:_x=40example.org?= ",
        lambda: rng.choice("\u200b\u200c\u200d\u034f\ufeff\u00ad\u3164\U000e0041") * rng.randrange(60),
        lambda: rng.choice(("🎉", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇳🇱")),
        lambda: "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(rng.randrange(60))),
        lambda: "".join(chr(rng.randrange(0x5D0, 0x64A)) for _ in range(rng.randrange(20))),
        lambda: "e" + "\u0301" * rng.randrange(200),
        lambda: "x" * rng.randrange(300),
        lambda: " " * rng.randrange(20) + "word",
        lambda: chr(rng.choice((0xFFFE, 0xFFFF, 0xFDD0, 0x1FFFE, 0x10FFFF, 0xE000, 0x378))),
        lambda: "\r\nSubject: second\r\n\r\nbody",
        lambda: "--=_" + "0" * 32,
        lambda: "".join(chr(rng.randrange(1, 0xD800)) for _ in range(rng.randrange(30))),
    ]
    return "".join(rng.choice(pieces)() for _ in range(rng.randrange(12)))


def hostile_bytes(rng):
    text = hostile_text(rng).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88", b"\0")) + text[at:]
    return text * (1000 if rng.random() < 0.03 else 1)


def hostile_original(rng):
    pieces = [
        lambda: b"Subject: x\r\n",
        lambda: b"Content-Type: multipart/" + rng.choice((b"mixed", b"digest")) + b"; boundary=b\r\n",
        lambda: b"Content-Type: message/rfc822\r\n",
        lambda: b"Content-Type: text/" + rng.choice((b"plain", b"html; charset=utf-16")) + b"\r\n",
        lambda: b"List-Unsubscribe: <https://a.example/" + rng.randbytes(9) + b">\r\n",
        lambda: b"List-Unsubscribe: <mailto:x@" + hostile_bytes(rng)[:200] + b">\r\n",
        lambda: b"Message-ID: <1@x.example>\r\nReferences: <2@x.example> <1@x.example>\r\n",
        lambda: b"<p style='display:none'>" * rng.randrange(50) + hostile_bytes(rng)[:400] + b"</p>",
        lambda: b"Content-Disposition: attachment; filename=\"" + hostile_bytes(rng)[:80] + b"\"\r\n",
        lambda: b"Content-Transfer-Encoding: " + rng.choice((b"base64", b"x", b"binary")) + b"\r\n",
        lambda: b"\r\n",
        lambda: b"\r\n\r\n",
        lambda: rng.choice((b"\r", b"\n", b"\0", b"\r\r\n", b"From \r\n", b".\r\n")),
        lambda: b"--b" + rng.choice((b"", b"--")) + b"\r\n",
        lambda: b"--=_" + b"0" * 32 + b"\r\n",
        lambda: rng.randbytes(rng.randrange(200)),
        lambda: rng.randbytes(1) * rng.randrange(3000),
        lambda: b"line of text\r\n" * rng.randrange(20),
        lambda: b"word " * rng.randrange(400),
    ]
    data = b"".join(rng.choice(pieces)() for _ in range(rng.randrange(30)))
    return data * (40 if rng.random() < 0.05 else 1)  # over the size of a block


@pytest.mark.parametrize("n", range(ROUNDS))
def test_random(case, plain, n):
    rng = random.Random(SEED * 1000 + n)
    print(f"PULLYU_TEST_SEED={SEED}, round {n}")
    for i in range(rng.randrange(1, 12)):
        fields = {
            name: hostile_bytes(rng)
            for name in ("from_name", "from_addr", "list_id", "why")
            if rng.random() < 0.7
        }
        case.add(
            hostile_original(rng),
            lead=rng.randbytes(rng.randrange(50)),
            subject=f"token{i:05} ".encode() + hostile_bytes(rng),
            class_name=rng.choice(CLASSES),
            received=rng.choice((SLOT - rng.randrange(10**6), 0, -1, 2**40, 2**63 - 1, -(2**63))),
            size=rng.randrange(2 ** rng.randrange(1, 60)),
            **fields,
        )
    case.description["notices"] = [
        hostile_text(rng).replace("\0", "") for _ in range(rng.randrange(4))
    ]
    case.description["attach"] = rng.random() < 0.8
    if rng.random() < 0.7:
        case.take_commands(rng.choice(("pullyu@example.org", "a+b&c=d?e#f%25@x.example", "o'neil{x}@x.example")))
        for entry in case.description["entries"]:
            if rng.random() < 0.5:
                entry["object"] = hexed(hostile_bytes(rng))
            for verb in ("allow", "hold", "send"):
                if rng.random() < 0.2:
                    entry[verb] = rng.choice(("", "a b", "a]", "x" * 700, "x\r\n", entry[verb] * 9))
        case.description["times_form"] = hexed(hostile_bytes(rng))
        case.description["quiet"] = [
            hostile_text(rng).replace("\0", "") for _ in range(rng.randrange(5))
        ]
    case.description["timezone"] = rng.choice(
        ("Asia/Kathmandu", "UTC", "Pacific/Apia", "Nowhere/Atall", "../../etc/passwd")
    )
    check(case, plain)


@pytest.mark.parametrize(
    "value, name",
    [
        ("Pullyu <digest@example.org>", "Pullyu"),
        ("digest@example.org", ""),
        ("<digest@example.org>", ""),
        ("Pullyu für Ännchen <digest@example.org>", "Pullyu für Ännchen"),
        ('"Müller, Ann" <digest@example.org>', "Müller, Ann"),
        ("Dr. Ann @ home <digest@example.org>", "Dr. Ann @ home"),
        (r'"Ann \\ \"Smith\", <x>; =?x?=" <digest@example.org>', r'Ann \ "Smith", <x>; =?x?='),
        ("明日" * 40 + " <digest@example.org>", "明日" * 40),
    ],
)
def test_from(case, plain, value, name):
    case.add()
    case.description["from"] = case.description["reply_to"] = value
    message = check(case, plain)
    for field in ("From", "Reply-To"):
        (address,) = message[field].addresses
        assert address.addr_spec == "digest@example.org"
        # Python 3.11 puts a space between encoded words here (RFC 2047 section 6.2 says none).
        assert address.display_name.replace(" ", "") == name.replace(" ", "")


@pytest.mark.parametrize("user", ['"ann smith"@example.org', "a+b@xn--bcher-kva.example", "a" * 64 + "@" + "b.example"])
def test_user(case, plain, user):
    case.add()
    case.description["user"] = user
    check(case, plain)


def test_user_utf8(case, plain):
    """A local part beyond ASCII has one form only (RFC 6532), which the envelope asks for too."""
    case.add()
    case.description["user"] = "jörg@example.org"
    assert "\r\nTo: jörg@example.org\r\n".encode() in case.write(plain)


def test_many(case):
    for n in range(2000):
        case.add(from_addr=f"{n % 70}@example.com", class_name=CLASSES[n % 4])
    message = check(case, False)
    assert message["Subject"].startswith("Your digest: 2,000 messages from 70 senders")


def words(case, number):
    """An ordinary message with words of its own."""
    case.add(HEAD + f"These are the words of message {number}.\r\n".encode())


def test_a_message_that_kills_its_reader(case):
    """GMime recurses over "a:a:a:" until the stack ends: that costs this message its snippet."""
    words(case, "one")
    case.add(b"To: " + b"a:" * 3_000_000 + b"\r\nSubject: x\r\n\r\nwords of the bomb\r\n")
    words(case, "three")
    case.description["attach"] = False  # Python's parser has no easy time with it either
    text = parse(case.write(False)).get_body(("plain",)).get_content()
    check_text(text, case)
    assert "words of message one" in text and "words of message three" in text


@pytest.mark.parametrize("kind", ["rfc822", "mixed"])
def test_a_message_as_deep_as_a_well(case, kind):
    """MIME nested 10,000 times costs no other message anything."""
    deep = b"Content-Type: message/rfc822\r\n\r\n" * 10_000
    if kind == "mixed":
        deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n)
                        for n in range(10_000))
    words(case, "one")
    case.add(deep + b"\r\nwords of the well\r\n")
    words(case, "three")
    case.description["attach"] = False  # Python's parser recurses
    text = parse(case.write(False)).get_body(("plain",)).get_content()
    check_text(text, case)
    assert "words of message one" in text and "words of message three" in text
    case.description["attach"] = True
    data = case.write(False)
    assert all(data.count(b"\r\n\r\n" + original + b"\r\n--") == 1 for original in case.originals)


def test_a_message_that_takes_too_long(case, tmp_path, monkeypatch):
    """A reader that stands still is given up, and another one goes on behind that message."""
    for number in ("one", "two"):
        words(case, number)
    fault = tmp_path / "fault"
    monkeypatch.setenv("PULLYU_TEST_FAULT", str(fault))
    fault.write_text("excerpt.read stop\n")
    text = check(case, False).get_body(("plain",)).get_content()
    if "words of message" in text:
        pytest.skip("built without --enable-test-hooks")
    fault.write_text("excerpt.read kill\n")
    assert "words of message" not in check(case, False).get_body(("plain",)).get_content()
    fault.write_text("")
    assert "words of message two" in check(case, False).get_body(("plain",)).get_content()


WIDE = {
    "cjk": "\u6f22",
    "emoji": "\U0001f389",
    "accents": "e\u0301\u0302\u0303",
    "escapes": "&<",
    "letters": "m",
}


@pytest.mark.parametrize("kind", WIDE)
def test_200_entries_are_not_clipped(case, kind):
    """Gmail hides what is behind 102 kB."""
    long = WIDE[kind] * 300
    for n in range(200):
        unsubscribe = f"List-Unsubscribe: <https://{n}.example/{'u' * 400}>\r\n".encode()
        body = "\r\n\r\n" + f"{long}\r\n" * 3
        case.add(
            unsubscribe + HEAD[:-2] + b"Content-Type: text/plain; charset=utf-8" + body.encode(),
            subject=f"token{n:05} {long}",
            from_name=f"{n} {long}",
            list_id=f"{n}.{long}",
            class_name=CLASSES[n % 5],
            why=long,
        )
    case.take_commands()
    page = check(case, False).get_body(("html",)).get_content()
    assert len(page.encode()) <= 100_000
    assert "Some details were left out here" in page
    assert "links under the messages were left out" in page and "mailto:pullyu@" in page
    assert len(set(re.findall(r"token\d{5}", page))) == 200


@pytest.mark.parametrize("n, links", [(50, 3), (90, 1), (190, 0)])
def test_links_give_way_to_words(case, n, links):
    """As many as fit; letting a sender through is the last to go."""
    for i in range(n):
        case.add(
            f"List-Unsubscribe: <https://{i}.example/u>\r\n".encode() + HEAD + b"Good words. " * 30,
            subject=f"token{i:05} What to sow before the frost comes",
        )
    case.take_commands()
    page = check(case, False).get_body(("html",)).get_content()
    assert page.count("aria-label") == links * n
    assert ("links under the messages were left out" in page) == (links < 3)
    assert "Good words." in page


@pytest.mark.parametrize("class_name", ["discussion", "notification", "newsletter"])
@pytest.mark.parametrize("kind", ["cjk", "letters"])
def test_200_entries_of_the_longest_kind(case, kind, class_name):
    """Each alone in its group, with two messages and a sender who cannot be verified, in the language
    with the longest words, below as many notices as there can be."""
    long = WIDE[kind] * 300
    case.description["language"] = "de"
    case.description["authserv_ids"] = ["mx.example.org"]
    case.description["notices"] = [f"{n} {long}" for n in range(30)]
    for n in range(400):
        entry = n // 2
        case.add(
            f"From: x@x{entry}.example\r\nAuthentication-Results: mx.example.org; dmarc=fail"
            f" header.from=x{entry}.example\r\n\r\n{long}\r\n".encode(),
            from_addr=f"{entry}{'a' * 60}@x{entry}.example",
            from_name=f"{entry} {long}",
            subject=f"token{entry:05} {long}",
            list_id=f"{entry}.{long}",
            class_name=class_name,
        )
    case.take_commands()
    case.description["quiet"] = [f"{n}{'a' * 60}@x{n}.example" for n in range(3)]
    case.description["times_form"] = "times = " + "Mon-Fri 08:00, " * 40
    page = parse(case.write(False)).get_body(("html",)).get_content()
    assert len(page.encode()) <= 100_000
    assert page.count("<h3") == page.count('class="u"') == page.count('class="c"') == 200
    assert len(set(re.findall(r"token\d{5}", page))) == 200
    check_with_tidy(page)


def test_gone(case, plain, tmp_path):
    case.add()
    case.add()
    path = tmp_path / "original-1"

    def refused():
        status, text = case.run(plain)
        assert status == NOTFOUND, text
        assert "id-1" in text

    path.rename(tmp_path / "elsewhere")
    refused()
    path.symlink_to(tmp_path / "elsewhere")
    refused()
    path.unlink()
    path.mkdir()
    refused()
    path.rmdir()
    os.mkfifo(path)
    refused()


def test_memory(case, plain, tmp_path):
    """A large original is streamed: it costs no memory."""

    def peak_kilobytes():
        source = tmp_path / "description.json"
        source.write_text(json.dumps(case.description))
        program = f"{BUILD}/tests/unit/digest_write"
        argv = [program, *(["--plain"] if plain else []), str(source), "/dev/null"]
        _, status, usage = os.wait4(os.posix_spawn(program, argv, os.environ), 0)
        assert status == 0
        return usage.ru_maxrss

    case.add()
    before = peak_kilobytes()
    os.truncate(tmp_path / "original-0", 200 * 2**20)  # sparse
    assert peak_kilobytes() < before + 20 * 2**10


# Answers to commands.


REASONS = (
    "no-number which-digest which-sender which-messages which-times which-day no-address day-past none"
).split()
KINDS = (
    "allowed held forgotten already sent sent_all nothing_held gone times paused_hold paused_pass "
    "resumed lists undone undo_late help bad impossible used expired forged unknown_digest too_many failed"
).split()


def answer(directory, description):
    source, out = directory / "answer.json", directory / "answer.eml"
    source.write_text(json.dumps(description))
    environment = dict(os.environ, PULLYU_TEST_LOCALEDIR=f"{BUILD}/po")
    program = f"{BUILD}/tests/unit/digest_write"
    done = subprocess.run([program, "--answer", source, out], stderr=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (OK, b"")
    return out.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_answer(tmp_path, kind):
    """Of hostile values, in each language: it parses, and what stands in it is text."""
    rng = random.Random(SEED * 1000 + KINDS.index(kind))
    print(f"PULLYU_TEST_SEED={SEED}")
    for language in ("en", "nl", "de", "fr"):
        description = {
            "kind": kind,
            "user": "ann@example.org",
            "from": "Pullyu <digest@example.org>",
            "message_id": "<answer.1@example.org>",
            "in_reply_to": "<command.1@ann.example>",
            "references": hexed(b"<digest.1@example.org> " + hostile_bytes(rng)),
            "guard": "v1; " + "ab" * 32,
            "host": "mail.example.org",
            "language": language,
            "now": SLOT,
            "command_address": "pullyu@example.org",
            "count": rng.randrange(3000),
            "undo": "undo-token",
            "help_times": "times-token",
            "form": "times = 08:00\n" + hostile_text(rng).replace("\0", ""),
            "reason": rng.choice(REASONS),
        }
        for name in ("object", "detail", "lists", "reason_1", "reason_2", "pause_example"):
            description[name] = hexed(hostile_bytes(rng))
        data = answer(tmp_path, description)
        message = parse(data)
        assert defects(message) == []
        assert message["Auto-Submitted"] == "auto-replied"
        assert message["In-Reply-To"] == "<command.1@ann.example>"
        assert message["References"].split()[0] == "<digest.1@example.org>"
        assert message["References"].split()[-1] == "<command.1@ann.example>"
        assert message["Reply-To"].addresses[0].addr_spec == "pullyu@example.org"
        assert message["List-Id"] is None and message["Precedence"] is None
        assert b"\n" not in data.replace(b"\r\n", b"") and max(map(len, data.split(b"\r\n"))) <= 998
        text = message.get_body(("plain",)).get_content()
        page = Page(message.get_body(("html",)).get_content(), {"dl", "dt", "dd"})
        assert page.open == [] and "{1}" not in text
        links = re.findall(r"^<(mailto:[!-~]+)>\r$", text, re.M)
        assert links == page.links and [command(link)[2] for link in links] == ["undo-token", "times-token"]
        for line in text.split("\r\n"):
            assert line.startswith("<mailto:") or columns(line) <= COLUMNS, line
            assert not HIDDEN & set(line)
