"""pullyu: what works without a daemon, and the rest against a daemon played by this file."""

import array
import json
import os
import pty
import re
import select
import socket
import subprocess
import tempfile
import threading
import unicodedata

import pytest

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
PULLYU = os.path.join(BUILD, "src/cli/pullyu")
SRC = os.environ.get("PULLYU_SRCDIR", os.path.join(os.path.dirname(__file__), "..", ".."))
RULES = os.path.join(SRC, "etc", "rules.d")

OK, BAD, USAGE, DATAERR, NOINPUT, NOUSER, UNAVAILABLE = 0, 1, 64, 65, 66, 67, 69
SOFTWARE, IOERR, TEMPFAIL, PROTOCOL, CONFIG = 70, 74, 75, 76, 78

COMMANDS = ("classify explain check next list show preview release allow hold forget learned status "
            "metrics report rebuild drain").split()
# One right call of each command that needs pullyud.
CALLS = [
    ["list", "ann@example.org"], ["show", "ann@example.org", "1"], ["preview", "ann@example.org"],
    ["release", "ann@example.org"], ["allow", "ann@example.org", "x@example.com"],
    ["hold", "ann@example.org", "x@example.com"], ["forget", "ann@example.org", "x@example.com"],
    ["learned", "ann@example.org"], ["status"], ["metrics"], ["report"], ["rebuild"], ["drain"],
]


class Site:
    """A configuration in a directory of its own; the socket's path must be short."""

    def __init__(self, directory):
        self.directory = directory
        self.config = os.path.join(directory, "pullyu.conf")
        self.socket = os.path.join(directory, "control")
        self.participants = os.path.join(directory, "participants")
        self.user_dir = os.path.join(directory, "users", "example.org", "ann")
        os.makedirs(self.user_dir)
        self.write("participants", "ann@example.org\n")
        self.write("pullyu.conf", f"""
[paths]
control = {self.socket}
rules = {RULES}
[users]
settings_dir = {directory}/users/%d/%u
participants = {self.participants}
[defaults]
times = Mon-Fri 08:00 17:30, Sat Sun 10:00
timezone = Europe/Amsterdam
""")

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, *words, expect=OK, **options):
        """pullyu COMMAND --config FILE WORDS; stdout and stderr as text."""
        command = [PULLYU, *words[:1], "--config", self.config, *words[1:]]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False, **options)
        assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def site():
    with tempfile.TemporaryDirectory(prefix="pullyu-cli-") as directory:
        yield Site(directory)


class Daemon:
    """Answers each connection's one request with the next of the replies: an object, raw bytes, or
    an object and a file."""

    def __init__(self, site, *replies):
        self.requests = []
        self.replies = list(replies)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(site.socket)
        self.listener.listen(5)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(20)
        self.listener.close()

    def _run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(20)
                line = b""
                while not line.endswith(b"\n"):
                    more = conn.recv(65536)
                    if not more:
                        break
                    line += more
                if not line:
                    continue  # only looked whether somebody listens
                self.requests.append(json.loads(line))
                reply = self.replies.pop(0)
                fds = []
                if isinstance(reply, tuple):
                    reply, file = reply
                    fds = [file if isinstance(file, int) else file.fileno()]
                if not isinstance(reply, bytes):
                    reply = json.dumps({"rc": "ok", **reply}).encode() + b"\n"
                conn.sendmsg([reply], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                        array.array("i", fds))] if fds else [])


def on_terminal(command, columns=80):
    """What a terminal of that width gets from the command, and its exit status."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST  # no CR before LF: the program's own bytes
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    got = b""
    while True:
        ready, _, _ = select.select([master], [], [], 60)
        assert ready, "the command hangs"
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        got += data
    os.close(master)
    return got, process.wait(60)


# ---- the command line itself ----


def run(*words, expect):
    done = subprocess.run([PULLYU, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    assert done.returncode == expect, done
    return done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("words", [
    [], ["frobnicate"], ["--frobnicate"], ["--json", "status"], ["--config"], ["list"],
    ["list", "a", "b"], ["list", "--frobnicate", "a"], ["list", "-n", "3", "a"], ["show", "a"],
    ["show", "a", "1", "2"], ["release"], ["allow", "a"], ["hold", "a"], ["forget", "a", "b", "c"],
    ["learned"], ["learned", "a", "b"],
    ["status", "a"], ["status", "--from", "x"], ["metrics", "a"], ["rebuild", "a"],
    ["rebuild", "--json"], ["drain", "a", "b"], ["check", "a", "b"], ["preview"], ["next"],
    ["next", "a", "--settings", "b"], ["next", "a", "b"], ["next", "a", "-n", "0"],
    ["next", "a", "-n", "1001"], ["next", "a", "-n", "x"], ["next", "a", "-n"],
    ["next", "--settings", "x", "--from", "yesterday"], ["classify"],
    ["classify", "--format", "xml", "x"], ["preview", "--format", "pdf", "a"],
    ["preview", "--part", "0", "a"], ["preview", "--part", "x", "a"],
    ["classify", "--json", "x"], ["List", "a"], [""],
], ids=lambda words: " ".join(words) or "nothing")
def test_usage(words):
    out, err = run(*words, expect=USAGE)
    assert out == ""
    assert "usage: pullyu" in err or re.search(r"pullyu: \S+: ", err), err


def test_help():
    out, err = run("--help", expect=OK)
    assert err == ""
    assert re.findall(r"(?m)^  (\w+) ", out) == COMMANDS
    for name in COMMANDS:
        out, err = run(name, "--help", expect=OK)
        assert out.startswith(f"usage: pullyu {name}") and err == ""
        out, err = run(name, "--version", expect=OK)
        assert re.fullmatch(r"pullyu \d+\.\d+\.\d+\n", out)
    assert run("--version", expect=OK)[0] == out
    assert run("-h", expect=OK)[0] == run("--help", expect=OK)[0]


def test_manual():
    """The page knows every command, with the options that its help names, and every exit status."""
    with open(os.path.join(SRC, "man", "pullyu.1"), encoding="utf-8") as f:
        page = f.read()
    items = dict(re.findall(r"(?m)^\.It Cm (\w+)(.*)$", page))
    assert [name for name in items if name in COMMANDS] == COMMANDS
    for name in COMMANDS:
        usage = run(name, "--help", expect=OK)[0].splitlines()[0]
        assert sorted(re.findall(r"-(-\w+|n)\b", usage)) == sorted(
            re.findall(r"Fl (-\w+|n)\b", items[name])), name
    statuses = [int(n) for n in re.findall(r"(?m)^\.It (\d+)$", page)]
    assert statuses == [OK, BAD, USAGE, DATAERR, NOINPUT, NOUSER, UNAVAILABLE, SOFTWARE, IOERR,
                        TEMPFAIL, PROTOCOL, CONFIG]


def test_config_before_or_after(site):
    for words in (["--config", site.config, "check"], ["check", "--config", site.config],
                  ["--config", "/nonexistent", "check", f"--config={site.config}"]):
        out, _ = run(*words, expect=OK)
        assert out.startswith(f"ok: {site.config}, ")


@pytest.mark.parametrize("words", CALLS, ids=[words[0] for words in CALLS])
def test_no_daemon(site, words):
    for _ in range(2):
        out, err = site.run(*words, expect=UNAVAILABLE)
        assert out == ""
        assert "pullyud is not running" in err and site.socket in err
        # The second time around a daemon has left its socket behind.
        if not os.path.exists(site.socket):
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(site.socket)
    os.remove(site.socket)
    site.write("control", "no socket")
    site.run(*words, expect=UNAVAILABLE)


@pytest.mark.parametrize("words", [*CALLS, ["next", "ann@example.org"]],
                         ids=lambda words: words[0])
def test_bad_config(site, words):
    site.write("pullyu.conf", "[paths]\ncontrol = relative\n")
    _, err = site.run(*words, expect=CONFIG)
    assert f"{site.config}:2: " in err
    os.remove(site.config)
    _, err = site.run(*words, expect=CONFIG)
    assert site.config in err


# ---- check ----


def test_check(site):
    out, err = site.run("check")
    assert re.fullmatch(rf"ok: {site.config}, \d+ rules\n", out) and err == ""
    out, _ = site.run("check", "Ann+shop@Example.org")
    assert out.endswith(", ann@example.org takes part\n") and out.count("\n") == 1
    out, _ = site.run("check", "bob@example.org")
    assert out.endswith(", bob@example.org does not take part\n")


def test_check_problems(site):
    """Every problem has its line, and one is enough for exit 1."""
    settings = site.write("users/example.org/ann/settings.ini", "[digest]\ntimes = 25:00\nx = 1\n")
    allow = site.write("users/example.org/ann/allow", "# mine\nx@example.com\nfoo bar\n")
    out, _ = site.run("check", "ann@example.org", expect=BAD)
    assert re.match(rf"{settings}:2: .*25:00", out)
    assert f"\n{settings}:3: " in out and f"\n{allow}:3: " in out
    assert not re.search(r"(?m)^ok: ", out)
    site.run("check")  # it is hers alone
    site.write("participants", "ann@example.org\na b c\n\nd e\n")
    out, _ = site.run("check", expect=BAD)
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        f"{site.participants}:2", f"{site.participants}:4"]
    site.write("pullyu.conf", "[paths]\nspool = x\n[nothing]\na = b\n")
    out, _ = site.run("check", expect=BAD)
    assert f"{site.config}:2: " in out and f"{site.config}:4: " in out


def test_check_missing(site):
    out, _ = site.run("check", "not an address", expect=BAD)
    assert "not an address" in out
    with open(site.config, encoding="ascii") as f:
        text = f.read()
    site.write("pullyu.conf", text.replace(RULES, "/nonexistent/rules"))
    out, _ = site.run("check", expect=BAD)
    assert "/nonexistent/rules" in out
    os.remove(site.config)
    out, _ = site.run("check", expect=BAD)
    assert site.config in out


def test_check_rules(site):
    os.mkdir(os.path.join(site.directory, "rules"))
    path = site.write("rules/10-x.ini", "[a-rule]\nfrobnicate = 1\n")
    with open(site.config, encoding="ascii") as f:
        text = f.read()
    site.write("pullyu.conf", text.replace(RULES, os.path.dirname(path)))
    out, _ = site.run("check", expect=BAD)
    assert f"{path}:2: " in out


def test_check_hostile(site):
    """What stands in a file does not reach the terminal as it is."""
    site.write("participants", b"a\x1b[31m b\n\xc2\x9b1m c\n\xe2\x80\xae d e\n")
    out, _ = site.run("check", expect=BAD)
    assert_harmless(out)


# ---- next ----


def slots(site, *words, expect=OK):
    return json.loads(site.run("next", *words, "--json", expect=expect)[0])


def test_next(site):
    got = slots(site, "ann@example.org", "--from", "2026-03-27T12:00:00+01:00", "-n", "4")
    assert got == [
        {"local": "2026-03-27T17:30:00+01:00", "utc": "2026-03-27T16:30:00Z"},
        {"local": "2026-03-28T10:00:00+01:00", "utc": "2026-03-28T09:00:00Z"},
        {"local": "2026-03-29T10:00:00+02:00", "utc": "2026-03-29T08:00:00Z"},
        {"local": "2026-03-30T08:00:00+02:00", "utc": "2026-03-30T06:00:00Z"},
    ]
    out, err = site.run("next", "ann@example.org", "--from", "2026-03-27T11:00:00Z", "-n", "4")
    assert out == ("Fri 2026-03-27T17:30:00+01:00\nSat 2026-03-28T10:00:00+01:00\n"
                   "Sun 2026-03-29T10:00:00+02:00\nMon 2026-03-30T08:00:00+02:00\n"
                   "\nDigests come Monday to Friday at 08:00 and 17:30, Saturday and Sunday at 10:00 "
                   "(Europe/Amsterdam).\n")
    assert err == ""


def test_next_in_words(site):
    """The slots, what is odd about one, and sentences about what is set."""
    path = site.write("s.ini", "[digest]\ntimes = 02:30, Sat 12:00\ntimezone = Europe/Amsterdam\n"
                      "exceptions = 2026-03-30 none, 2026-04-01 10:00 11:00, 2025-12-25 none\n")
    out, _ = site.run("next", "--settings", path, "--from", "2026-03-28T12:00:00Z", "-n", "2")
    assert out.splitlines() == [
        "Sun 2026-03-29T03:00:00+02:00 (02:30 does not exist on this day: the clocks go forward)",
        "Tue 2026-03-31T02:30:00+02:00",
        "",
        "Digests come Monday to Friday at 02:30, Saturday at 02:30 and 12:00, Sunday at 02:30 "
        "(Europe/Amsterdam).",
        "On 2026-03-30 none comes.",
        "On 2026-04-01 they come at 10:00 and 11:00.",
    ]
    out, _ = site.run("next", "--settings", path, "--from", "2026-10-24T22:00:00Z", "-n", "1")
    assert out.startswith("Sun 2026-10-25T02:30:00+02:00 (the first of two: the clocks go back)\n")
    path = site.write("s.ini", "[digest]\ntimes = 08:00\ntimezone = Europe/Amsterdam\n"
                      "timezone_until = 2026-12-20 America/New_York\npause_until = 2026-12-18\n")
    out, _ = site.run("next", "--settings", path, "--from", "2026-12-10T12:00:00Z", "-n", "3")
    assert out.splitlines() == [
        "Fri 2026-12-18T08:00:00-05:00",
        "Sat 2026-12-19T08:00:00-05:00",
        "Sun 2026-12-20T08:00:00+01:00",
        "",
        "Digests come every day at 08:00 (Europe/Amsterdam).",
        "Before 2026-12-20, by the clock of America/New_York.",
        "A pause: before 2026-12-18 none comes; what is held waits, but no longer than max_hold (see "
        "pullyu.conf).",
    ]
    path = site.write("s.ini", "[digest]\ntimes = 08:00\ntimezone = UTC\npause_until = 2026-12-18\n"
                      "pause = pass\n")
    out, _ = site.run("next", "--settings", path, "--from", "2026-12-10T12:00:00Z", "-n", "1")
    assert out.splitlines()[-1] == ("A pause: before 2026-12-18 nothing is held, mail comes as it "
                                    "arrives.")


def test_next_on_demand(site):
    path = site.write("s.ini", "[digest]\ntimes = none\n")
    out, err = site.run("next", "--settings", path)
    assert out.splitlines() == ["", "Digests come on demand: \"pullyu release\" brings one.",
                                "What has waited for max_hold (see pullyu.conf) comes by itself."]
    assert err == ""
    assert slots(site, "--settings", path) == []


def test_next_bad_dates(site):
    """Each error shows a right example."""
    for line, want in [
        ("exceptions = 2026-12-24", "must be days, then either times of day or 'none'"),
        ("exceptions = 24-12-2026 10:00", "is no date like 2026-12-25"),
        ("exceptions = 2026-02-29 none", "is no date like 2026-12-25"),
        ("exceptions = 2026-12-24 none 10:00", "right would be: 2026-12-24 10:00"),
        ("exceptions = 2026-12-24 10", "nor a time of day from 00:00 to 23:59; right would be"),
        ("exceptions = 2026-12-24 10:00, 2026-12-20..2026-12-26 none",
         "2026-12-24 stands in two exceptions"),
        ("exceptions = 2026-12-26..2026-12-24 none", "must run forwards"),
        ("timezone_until = 2026-12-20", "right would be: 2026-12-20 America/New_York"),
        ("timezone_until = 2026-12-20 Mars/Olympus", "Mars/Olympus"),
        ("timezone_until = America/New_York", "is no date like 2026-12-25"),
        ("pause_until = tomorrow", "'tomorrow' is no date like 2026-12-25"),
        ("pause_until = 2126-01-01", "from 2000 to 2099"),
        ("pause = yes", "hold"),
    ]:
        path = site.write("s.ini", f"[digest]\n{line}\n")
        out, err = site.run("next", "--settings", path, expect=CONFIG)
        assert out == "" and f"{path}:2: " in err and want in err, (line, err)


def test_next_gap_and_overlap(site):
    path = site.write("s.ini", "[digest]\ntimes = 02:15 02:30\ntimezone = Europe/Amsterdam\n")
    got = slots(site, "--settings", path, "--from", "2026-03-28T12:00:00Z", "-n", "2")
    assert [slot["local"] for slot in got] == [
        "2026-03-29T03:00:00+02:00", "2026-03-30T02:15:00+02:00"]
    got = slots(site, "--settings", path, "--from", "2026-10-24T12:00:00Z", "-n", "3")
    assert [slot["local"] for slot in got] == [
        "2026-10-25T02:15:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:15:00+01:00"]


def test_next_defaults(site):
    """Five slots from now on; a settings file needs no pullyu.conf; strictly after --from."""
    assert len(slots(site, "ann@example.org")) == 5
    path = site.write("s.ini", "[digest]\ntimes = 12:00\ntimezone = UTC\n")
    done = subprocess.run([PULLYU, "next", "--settings", path, "--json", "-n", "1", "--from",
                           "2026-01-01T12:00:00Z"], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == [
        {"local": "2026-01-02T12:00:00+00:00", "utc": "2026-01-02T12:00:00Z"}] or json.loads(
        done.stdout) == [{"local": "2026-01-02T12:00:00Z", "utc": "2026-01-02T12:00:00Z"}]
    assert len(slots(site, "--settings", path, "-n", "1000")) == 1000


def test_next_nobody(site):
    out, err = site.run("next", "bob@example.org")
    assert out == "" and "takes no part" in err
    assert slots(site, "bob@example.org") == []
    path = site.write("s.ini", "[digest]\nenabled = no\n")
    assert slots(site, "--settings", path) == []
    site.run("next", "bob", expect=NOUSER)


def test_next_bad(site):
    path = site.write("s.ini", "[digest]\ntimes = 8 o'clock\n")
    out, err = site.run("next", "--settings", path, expect=CONFIG)
    assert out == "" and f"{path}:2: " in err
    site.run("next", "--settings", "/nonexistent", expect=NOINPUT)
    site.run("next", "--settings", site.directory, expect=CONFIG)
    site.write("users/example.org/ann/settings.ini", "[digest]\ntimes = never\n")
    _, err = site.run("next", "ann@example.org", expect=CONFIG)
    assert "settings.ini:2" in err


# ---- with a daemon ----

HOSTILE = "a\x1b]0;x\x07b\x9bc\x7fd\u202ee\u2028f\r\ng\u2066hi\u200fj\u061ck"
MESSAGES = [
    {"id": "1763800000.M1.host", "received": "2026-11-22T07:00:00Z", "size": 12345,
     "class": "newsletter", "score": 7.5, "reasons": "list-id,bulk", "from_addr": "a@example.com",
     "from_name": "Shop", "subject": "Offers", "why": "it has a List-Id field", "read": False},
    {"id": "1763800001.M2.host", "received": "2026-11-22T07:01:00Z", "size": 7,
     "class": "notification", "score": 3, "reasons": "auto", "from_addr": "b@example.com",
     "from_name": "", "subject": "\u65b0\u805e\u901a\u77e5 e\u0301", "why": "", "read": True},
    {"id": "1763800002.M3.host", "received": "2026-11-22T07:02:00Z", "size": 10_000_000,
     "class": "newsletter", "score": 3, "reasons": "auto", "from_addr": "c@example.com",
     "from_name": "\u65b0\u805e", "subject": HOSTILE, "why": "", "read": True},
    {"id": "1763800003.M4.host"},
]


def columns(text):
    """Columns that a terminal takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def assert_harmless(text):
    for c in text.replace("\n", ""):
        assert unicodedata.category(c) not in ("Cc", "Zl", "Zp"), (hex(ord(c)), text)
        assert c not in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_list(site):
    with Daemon(site, {"messages": MESSAGES}) as daemon:
        out, err = site.run("list", "Ann@Example.org")
    assert daemon.requests == [{"op": "list", "user": "Ann@Example.org"}]
    assert err == ""
    assert_harmless(out)
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["ID", "RECEIVED", "SIZE", "CLASS", "FROM", "SUBJECT"]
    start = columns(lines[0][:lines[0].index("SUBJECT")])
    for line, subject in zip(lines[1:], ["Offers", "\u65b0\u805e\u901a\u77e5", "a?]0;x?b", "-"],
                             strict=True):
        assert columns(line[:line.rindex(subject)]) == start, line
        assert not line.endswith(" ")
    assert "b@example.com" in lines[2]  # no name: the address


def test_list_json(site):
    with Daemon(site, {"messages": MESSAGES}, {"messages": []}):
        out, _ = site.run("list", "ann@example.org", "--json")
        assert json.loads(out) == MESSAGES
        assert out.isascii() and out.count("\n") == 1
        assert_harmless(out)
        assert site.run("list", "ann@example.org", "--json")[0] == "[]\n"


def test_list_empty(site):
    with Daemon(site, {"messages": []}):
        assert site.run("list", "ann\x1b@example.org")[0] == "nothing waits for ann?@example.org\n"


def test_list_on_a_terminal(site):
    """Cut at the right edge, wide characters whole."""
    long = dict(MESSAGES[0], subject="\u65b0" * 200)
    with Daemon(site, {"messages": [long, *MESSAGES]}):
        out, status = on_terminal([PULLYU, "--config", site.config, "list", "ann@example.org"], 120)
    assert status == OK
    assert_harmless(out.decode())
    widths = [columns(line) for line in out.decode().splitlines()]
    assert len(widths) == 6 and 119 <= max(widths) <= 120


@pytest.mark.parametrize("command,op", [("show", "show"), ("preview", "preview")])
def test_message(site, command, op, tmp_path):
    lead = b"Return-Path: <x@example.com>\r\nDelivered-To: ann@example.org\r\n"
    body = b"Subject: x\r\n\r\n" + bytes(range(256)) * 20_000 + b"\r\n.\r\nno newline at the end"
    path = tmp_path / "message"
    path.write_bytes(lead + body if op == "show" else body)
    words = ["ann@example.org"] + (["1763.M1"] if op == "show" else [])
    with path.open("rb") as file:
        file.seek(17)  # wherever the daemon left it
        with Daemon(site, ({"lead": len(lead)} if op == "show" else {}, file)) as daemon:
            done = subprocess.run([PULLYU, "--config", site.config, command, *words],
                                  stdout=subprocess.PIPE, timeout=60, check=True)
    assert done.stdout == body
    want = {"op": op, "user": "ann@example.org"}
    want.update({"id": "1763.M1"} if op == "show" else {"form": "eml", "part": 0})
    assert daemon.requests == [want]


@pytest.mark.parametrize("words, form, part", [
    ([], "eml", 0), (["--format", "text"], "text", 0), (["--format=html", "--part", "3"], "html", 3)])
def test_preview_asks_for(site, words, form, part, tmp_path):
    (tmp_path / "message").write_text("x\n")
    with (tmp_path / "message").open("rb") as file:
        with Daemon(site, ({"part": part or 1, "parts": 3}, file)) as daemon:
            done = subprocess.run([PULLYU, "--config", site.config, "preview", *words, "a@example.org"],
                                  capture_output=True, timeout=60, check=True)
    assert daemon.requests == [
        {"op": "preview", "user": "a@example.org", "form": form, "part": part}]
    assert done.stderr.decode().startswith(f"pullyu: part {part or 1} of 3")


def test_message_on_a_terminal(site, tmp_path):
    path = tmp_path / "message"
    path.write_bytes("Subject: \x1b[2Jx\r\n\r\n\tgr\u00fc\u00dfe \u0410\x9b31m\r\nsafe\rover\n".encode())
    with path.open("rb") as file, Daemon(site, ({"lead": 0}, file)):
        out, status = on_terminal([PULLYU, "--config", site.config, "show", "a@example.org", "1"])
    assert status == OK
    assert out.decode(errors="replace") == (
        "Subject: ?[2Jx\n\n\tgr\u00fc\u00dfe \u0410\ufffd?31m\nsafeover\n")


def test_message_without_a_file(site):
    with Daemon(site, {"lead": 0}, {}):
        for words in (["show", "ann@example.org", "1"], ["preview", "ann@example.org"]):
            out, err = site.run(*words, expect=PROTOCOL)
            assert out == "" and "no message" in err


def test_message_that_is_a_directory(site):
    fd = os.open(site.directory, os.O_RDONLY)
    with Daemon(site, ({"lead": 0}, fd)):
        site.run("show", "ann@example.org", "1", expect=IOERR)
    os.close(fd)


@pytest.mark.parametrize("words,reply,text", [
    (["release", "a@example.org"], {"count": 3, "left": 0}, "3 messages delivered\n"),
    (["release", "a@example.org"], {"count": 1}, "1 message delivered\n"),
    (["release", "a@example.org"], {"count": 0, "left": 0}, "nothing waits for a@example.org\n"),
    (["release", "a@example.org", "1", "2"], {"count": 2, "left": 9}, "2 messages delivered\n"),
    (["rebuild"], {"changed": 0}, "the index was right\n"),
    (["rebuild"], {"changed": 1}, "1 entry of the index put right\n"),
    (["rebuild"], {"changed": 12}, "12 entries of the index put right\n"),
    (["drain"], {"count": 5, "left": 0}, "5 messages delivered, 0 left\n"),
    (["drain", "a@example.org"], {"count": 1, "left": 0}, "1 message delivered, 0 left\n"),
    (["allow", "a@example.org", "X@example.com"], {"changed": True, "text": "x@example.com"},
     "x@example.com: allowed\n"),
    (["allow", "a@example.org", "x@example.com"], {"changed": False, "text": "x@example.com"},
     "x@example.com: was allowed already\n"),
    (["hold", "a@example.org", "@x.example"], {"changed": True}, "@x.example: held from now on\n"),
    (["forget", "a@example.org", "@x.example"], {"changed": True, "text": "a\x1bb"},
     "a?b: forgotten\n"),
    (["forget", "a@example.org", "@x.example"], {"changed": False, "text": "@x.example"},
     "@x.example: was on no list\n"),
    (["forget", "a@example.org", "ann@example.org"],
     {"changed": True, "known": True, "text": "ann@example.org"}, "ann@example.org: forgotten\n"),
    (["hold", "a@example.org", "News@shop.example:newsletter"],
     {"changed": True, "text": "news@shop.example: newsletter"},
     "news@shop.example: newsletter: held from now on\n"),
])
def test_changes(site, words, reply, text):
    with Daemon(site, reply) as daemon:
        assert site.run(*words) == (text, "")
    want = {"op": words[0]}
    if len(words) > 1:
        want["user"] = words[1]
    if words[0] == "release" and len(words) > 2:
        want["ids"] = words[2:]
    if words[0] in ("allow", "hold", "forget"):
        want["entry"] = words[2]
    assert daemon.requests == [want]


def test_left_behind(site):
    """What could not be delivered shows in the exit status."""
    with Daemon(site, {"count": 5, "left": 2}, {"count": 1, "left": 1}):
        assert "5 messages delivered, 2 left" in site.run("drain", expect=TEMPFAIL)[0]
        out, err = site.run("release", "ann@example.org", expect=TEMPFAIL)
        assert "1 message delivered" in out and "1 could not" in err


LEARNED = {"allow": ["@bank.example"], "hold": ["news@shop.example: newsletter", "list:a\x1bb"],
           "known": [{"address": "j\u00f6rg@example.com", "when": "2026-11-22T07:00:00Z"}],
           "cut": False}


def test_learned(site):
    nothing = {"allow": [], "hold": [], "known": []}
    more = {**LEARNED, "cut": True, "problem": "hold:3: 'x\x1b' is no entry"}
    with Daemon(site, LEARNED, LEARNED, nothing, nothing, more, more) as daemon:
        out, err = site.run("learned", "ann@example.org")
        assert_harmless(out)
        assert err == "" and out.splitlines()[0].split() == ["WHAT", "LAST", "MAIL", "ENTRY"]
        assert [line.split(None, 2) for line in out.splitlines()[1:]] == [
            ["allow", "-", "@bank.example"],
            ["hold", "-", "news@shop.example: newsletter"], ["hold", "-", "list:a?b"],
            ["known", "2026-11-22T07:00:00Z", "j\u00f6rg@example.com"]]
        assert json.loads(site.run("learned", "--json", "ann@example.org")[0]) == LEARNED
        assert site.run("learned", "ann@example.org") == (
            "ann@example.org has no lists and has written to nobody\n", "")
        assert json.loads(site.run("learned", "ann@example.org", "--json")[0]) == nothing
        out, err = site.run("learned", "ann@example.org")
        assert len(out.splitlines()) == 5
        assert err == ("pullyu: there is more than is shown\n"
                       "pullyu: the last good lists, for hold:3: 'x?' is no entry\n")
        assert site.run("learned", "ann@example.org", "--json")[1] == ""
    assert daemon.requests == [{"op": "learned", "user": "ann@example.org"}] * 6


STATUS = {"version": "0.1.0", "since": "2026-11-22T06:00:00Z", "held": 6, "incoming": 1, "users": [
    {"user": "ann@example.org", "held": 3, "oldest": "2026-11-22T07:00:00Z",
     "next": "2026-11-22T16:30:00Z", "under_way": False, "failures": 0},
    {"user": "j\u00f6rg\x1b@example.org", "held": 1, "oldest": None, "next": None,
     "under_way": False, "failures": 2},
    {"user": "zoe@example.org", "held": 0, "refused": 2, "oldest": None, "next": None,
     "under_way": False, "failures": 0}]}


def test_status(site):
    with Daemon(site, STATUS, STATUS, {**STATUS, "users": [], "held": 0}) as daemon:
        out, _ = site.run("status")
        assert json.loads(site.run("status", "--json")[0]) == STATUS
        short, _ = site.run("status")
    assert daemon.requests == [{"op": "status"}] * 3
    assert_harmless(out)
    lines = out.splitlines()
    assert lines[0] == "pullyud 0.1.0, running since 2026-11-22T06:00:00Z"
    assert lines[1] == "6 messages held, 1 on the way in"
    assert lines[4].split() == ["ann@example.org", "3", "2026-11-22T07:00:00Z",
                                "2026-11-22T16:30:00Z", "-"]
    assert lines[5].split() == ["j\u00f6rg?@example.org", "1", "-", "-", "put", "off", "2", "times"]
    assert lines[4].index("3") == lines[5].index("1")
    assert lines[6].split()[4:] == ["the", "MTA", "refused", "2", "more"]
    assert len(short.splitlines()) == 2


def test_metrics(site):
    metrics = {"held": 4, "digests_total": 12, "pullyu_lag_seconds": 0.25, "bad name": 1,
               "bad\nname 2": 3, "text": "x", "": 1, "big": 2**53}
    with Daemon(site, {"metrics": metrics}, {"metrics": metrics}):
        out, _ = site.run("metrics")
        assert json.loads(site.run("metrics", "--json")[0]) == metrics
    assert out == ("# TYPE pullyu_held gauge\npullyu_held 4\n"
                   "# TYPE pullyu_digests_total counter\npullyu_digests_total 12\n"
                   "# TYPE pullyu_lag_seconds gauge\npullyu_lag_seconds 0.25\n"
                   f"# TYPE pullyu_big gauge\npullyu_big {2**53}\n")


@pytest.mark.parametrize("words", CALLS, ids=[words[0] for words in CALLS])
def test_refusals(site, words):
    for rc, status in (("notfound", NOINPUT), ("perm", DATAERR), ("temp", TEMPFAIL),
                       ("corrupt", SOFTWARE)):
        if os.path.exists(site.socket):
            os.remove(site.socket)
        with Daemon(site, {"rc": rc, "text": "no \x1b[31mluck\u202e"}):
            out, err = site.run(*words, expect=status)
        assert out == ""
        assert err == "pullyu: no ?[31mluck?\n"


@pytest.mark.parametrize("reply", [
    b"rubbish\n", b"[]\n", b"{}\n", b'{"rc": "splendid"}\n', b"\n", b"", b'{"rc": "ok"', b"\xff\n"])
def test_rubbish(site, reply):
    """Somebody listens, but makes no sense: not the same as nobody."""
    with Daemon(site, reply):
        out, err = site.run("status", expect=TEMPFAIL)
        assert out == "" and err.startswith("pullyu: pullyud")


@pytest.mark.parametrize("words", [["list", "a@example.org"], ["learned", "a@example.org"],
                                   ["status"], ["metrics"]])
@pytest.mark.parametrize("reply", [{}, {"messages": 1, "allow": [], "hold": "x", "users": {}, "metrics": []}])
def test_replies_that_lack_something(site, words, reply):
    with Daemon(site, reply, reply):
        out, _ = site.run(*words, expect=PROTOCOL)
        assert out == ""
        site.run(*words, "--json", expect=PROTOCOL)


def test_replies_of_strange_types(site):
    messages = [{"id": 1, "size": "x", "subject": [], "from_name": None}, 17, None, [], "x"]
    users = [{"user": 1, "held": "x", "failures": [], "under_way": 3}, None, 5]
    learned = {"allow": [1, None, {}], "hold": [[]], "known": [{"address": 5}, None, "x"]}
    with Daemon(site, {"messages": messages}, learned, {"users": users, "held": "many"}):
        assert len(site.run("list", "a@example.org")[0].splitlines()) == 6
        assert len(site.run("learned", "a@example.org")[0].splitlines()) == 8
        site.run("status")


def test_arguments_that_are_not_utf8(site):
    with Daemon(site) as daemon:
        for words in (["list", b"a\xff@example.org"], ["release", "a@example.org", b"\xff"],
                      ["allow", "a@example.org", b"\xff"], ["release", b"\xff", "1"]):
            _, err = site.run(*words, expect=DATAERR)
            assert "UTF-8" in err
    assert daemon.requests == []


def test_output_that_cannot_be_written(site):
    with Daemon(site, STATUS, {"metrics": {"held": 1}}), open("/dev/full", "wb") as full:
        for words in (["status"], ["metrics"]):
            done = subprocess.run([PULLYU, "--config", site.config, *words], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
            assert done.returncode == IOERR and b"stdout" in done.stderr


def test_classify(site):
    """The rules come from pullyu.conf; --rules beats it; an unreadable file does not stop it."""
    path = site.write("m.eml", "From: a@example.com\nTo: ann@example.org\nSubject: hi\n\nhello\n")
    out, _ = site.run("classify", "--format", "tsv", path)
    assert out.split("\t")[:3] == [path, "personal", "pass"]
    out, err = site.run("classify", "--format", "tsv", "/nonexistent", path, expect=NOINPUT)
    assert out.startswith(path) and "/nonexistent" in err
    site.run("classify", "--rules", "/nonexistent", path, expect=CONFIG)
