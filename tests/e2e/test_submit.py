"""submit_message against an SMTP sink of our own: the bytes on the wire, and every way to fail.

The sink keeps each byte the client sent after DATA, so that what is compared is the wire, not
what a forgiving server made of it.
"""

import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
SEND = os.path.join(BUILD, "tests/unit/submit_send")

OK = {
    "greeting": b"220 sink ESMTP\r\n",
    "EHLO": b"250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go on\r\n",
    "end": b"250 2.0.0 queued as 1\r\n",
    "QUIT": b"221 bye\r\n",
}
STALL, RESET, CLOSE = object(), object(), object()


class Sink:
    """One connection's worth of SMTP. `answers` replaces replies: bytes, STALL, RESET or CLOSE."""

    def __init__(self, answers=None, slow=False, family=socket.AF_INET):
        self.answers = {**OK, **(answers or {})}
        self.slow = slow
        self.commands = []
        self.data = None
        self.finished = threading.Event()
        self.release = threading.Event()
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if slow:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listener.listen(1)
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.release.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self.thread.join(20)
        self.listener.close()

    def _run(self):
        try:
            conn, _ = self.listener.accept()
        except OSError:
            return
        conn.settimeout(30)
        try:
            self._talk(conn)
        except (ConnectionError, TimeoutError, EOFError):
            pass
        finally:
            conn.close()
            self.finished.set()

    def _answer(self, conn, step):
        answer = self.answers[step]
        if answer is STALL:
            self.release.wait(30)
            raise EOFError
        if answer is RESET:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise EOFError
        if answer is CLOSE:
            raise EOFError
        conn.sendall(answer)
        return answer

    def _more(self, conn):
        if self.slow:
            time.sleep(0.002)
        data = conn.recv(random.randint(1, 700) if self.slow else 1 << 20)
        if not data:
            raise EOFError
        return data

    def _talk(self, conn):
        buffer = b""
        self._answer(conn, "greeting")
        while True:
            while b"\r\n" not in buffer:
                buffer += self._more(conn)
            line, buffer = buffer.split(b"\r\n", 1)
            self.commands.append(line)
            verb = line[:4].decode("latin-1").upper()
            answer = self._answer(conn, verb)
            if verb == "QUIT":
                return
            if verb == "DATA" and answer.startswith(b"354"):
                got = bytearray(buffer)
                while not (got == b".\r\n" or got.endswith(b"\r\n.\r\n")):
                    got += self._more(conn)
                self.data = bytes(got)
                buffer = b""
                self._answer(conn, "end")


def send(port, path, sender="news@example.org", rcpt="ann@example.org", timeout=15, host="127.0.0.1",
         extra=(), env=None, expect=None):
    command = [SEND, host, str(port), str(timeout), sender, rcpt, str(path), *extra]
    result = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, env=env, check=True)
    rc, code, text = result.stdout.rstrip(b"\n").split(b" ", 2)
    if expect is not None:
        assert (rc.decode(), int(code)) == expect, result.stdout
    return rc.decode(), int(code), text.decode()


def wire(message):
    """RFC 5321 section 4.5.2, spelt out: what must stand between DATA's 354 and the reply."""
    lines = re.sub(rb"\r?\n", b"\r\n", message)
    if lines and not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    out = b"".join(b"." + line if line.startswith(b".") else line
                   for line in re.findall(rb"(?s).*?\r\n", lines))
    return out + b".\r\n"


HEADER = b"From: news@example.org\r\nSubject: x\r\n\r\n"
BODIES = {
    "plain": HEADER + b"hello\r\n",
    "empty file": b"",
    "header only": HEADER,
    "only a newline": b"\r\n",
    "no final newline": HEADER + b"hello",
    "ends in a bare CR": HEADER + b"hello\r",
    "ends in a dot": HEADER + b"hello\r\n.",
    "ends in a dot line": HEADER + b"hello\r\n.\r\n",
    "starts with a dot": b".first: x\r\n\r\nbody\r\n",
    "is one dot": b".",
    "is a dot line": b".\r\n",
    "LF lines": HEADER.replace(b"\r", b"") + b"a\n.\n..x\n",
    "dot lines": HEADER + b".\r\n..\r\n...\r\n..x\r\n. \r\n.a\r\n",
    "smuggled command": HEADER + b".\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\n",
    "smuggling, LF . LF": HEADER + b"a\n.\nMAIL FROM:<x@example.org>\n",
    "smuggling, CRLF . LF": HEADER + b"a\r\n.\nMAIL FROM:<x@example.org>\r\n",
    "smuggling, LF . CRLF": HEADER + b"a\n.\r\nMAIL FROM:<x@example.org>\r\n",
    "smuggling, CR . CR": HEADER + b"a\r.\rMAIL FROM:<x@example.org>\r",
    "smuggling, CR . CRLF": HEADER + b"a\r.\r\nMAIL FROM:<x@example.org>\r\n",
    "smuggling, CR LF between CRs": HEADER + b"a\r\r\n\r.\r\r\n.\r\r\n..\n\r\n.\n\r.\r\n",
    "bare CRs": HEADER + b"a\rb\r\rc\r\r\nd\r\r\r\n\r\n\r",
    "NUL and controls": HEADER + bytes(range(0, 10)) + b"\r\n" + bytes(range(11, 13)) + b"\r\n",
    "every byte": HEADER + bytes(range(256)) * 3,
    "8-bit": HEADER + "Grüße, 你好\r\n".encode() + b"\xff\xfe\r\n",
    "long line": HEADER + b"x" * 200_000 + b"\r\n." + b"y" * 200_000 + b"\r\n",
    "newlines only": b"\n" * 40_000,
    "dots only": b".\n" * 40_000,
}


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize("label", BODIES)
def test_bytes(tmp_path, label, slow):
    path = tmp_path / "message"
    path.write_bytes(BODIES[label])
    with Sink(slow=slow and len(BODIES[label]) < 10_000) as sink:
        send(sink.port, path, expect=("ok", 250))
        sink.finished.wait(20)
        assert sink.data == wire(BODIES[label])
        assert [c[:4] for c in sink.commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT"]


@pytest.mark.parametrize("seed", range(40))
def test_bytes_random(tmp_path, seed):
    """Line ends and dots in any order, across the edges of every buffer on the way."""
    rng = random.Random(seed)
    size = rng.choice([3, 17, 300, 16384, 65536, 131072]) + rng.randint(-3, 3)
    body = bytes(rng.choices(b"\r\n.a", k=max(size, 0)))
    path = tmp_path / "message"
    path.write_bytes(body)
    with Sink() as sink:
        send(sink.port, path, expect=("ok", 250))
        sink.finished.wait(20)
        assert sink.data == wire(body)


@pytest.mark.parametrize("edge", [16384, 32768, 65536])
def test_bytes_at_buffer_edges(tmp_path, edge):
    for before in range(6):
        body = b"a" * (edge - before) + b"\r\n.\r\n..\r\n.\n" + b"b" * 70_000
        path = tmp_path / "message"
        path.write_bytes(body)
        with Sink() as sink:
            send(sink.port, path, expect=("ok", 250))
            sink.finished.wait(20)
            assert sink.data == wire(body), before


def test_ten_megabytes(tmp_path):
    rng = random.Random(1)
    body = HEADER + b"".join(b"." * (i % 3) + rng.randbytes(57).hex().encode() + b"\r\n"
                             for i in range(90_000))
    assert len(body) > 10_000_000
    path = tmp_path / "message"
    path.write_bytes(body)
    with Sink() as sink:
        send(sink.port, path, timeout=50, expect=("ok", 250))
        sink.finished.wait(20)
        assert sink.data == wire(body)


def test_offset_skips_our_fields(tmp_path):
    lead = b"Return-Path: <x@example.org>\r\nDelivered-To: ann@example.org\r\n"
    path = tmp_path / "message"
    path.write_bytes(lead + BODIES["dot lines"])
    with Sink() as sink:
        send(sink.port, path, extra=(str(len(lead)),), expect=("ok", 250))
        sink.finished.wait(20)
        assert sink.data == wire(BODIES["dot lines"])


ENVELOPES = [
    ("null sender", "", "ann@example.org", b"MAIL FROM:<>", b"RCPT TO:<ann@example.org>"),
    ("quoted", '"news letter"@example.org', '"ann@home"@example.org',
     b'MAIL FROM:<"news letter"@example.org>', b'RCPT TO:<"ann@home"@example.org>'),
    ("quoted brackets", "a@example.org", '"ann>b"@example.org',
     b"MAIL FROM:<a@example.org>", b'RCPT TO:<"ann>b"@example.org>'),
    ("quoted pair", "a@example.org", '"ann\\"b"@example.org',
     b"MAIL FROM:<a@example.org>", b'RCPT TO:<"ann\\"b"@example.org>'),
    ("utf-8 recipient", "a@example.org", "jörg@example.org",
     b"MAIL FROM:<a@example.org> SMTPUTF8", "RCPT TO:<jörg@example.org>".encode()),
    ("utf-8 sender", "jörg@example.org", "a@example.org",
     "MAIL FROM:<jörg@example.org> SMTPUTF8".encode(), b"RCPT TO:<a@example.org>"),
    ("case as received", "A@Example.ORG", "Ann+News@Example.ORG",
     b"MAIL FROM:<A@Example.ORG>", b"RCPT TO:<Ann+News@Example.ORG>"),
    ("extension", "a@example.org", "ann+Digest@example.org",
     b"MAIL FROM:<a@example.org>", b"RCPT TO:<ann+Digest@example.org>"),
    ("literal", "a@example.org", "ann@[192.0.2.1]",
     b"MAIL FROM:<a@example.org>", b"RCPT TO:<ann@[192.0.2.1]>"),
    ("percent", "a%41b@example.org", "ann%s@example.org",
     b"MAIL FROM:<a%41b@example.org>", b"RCPT TO:<ann%s@example.org>"),
]


@pytest.mark.parametrize("label,sender,rcpt,mail,to", ENVELOPES, ids=[e[0] for e in ENVELOPES])
def test_envelope(tmp_path, label, sender, rcpt, mail, to):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink() as sink:
        send(sink.port, path, sender, rcpt, expect=("ok", 250))
        sink.finished.wait(20)
        assert sink.commands[1:3] == [mail, to]


@pytest.mark.parametrize("sender,rcpt", [
    ("a@example.org\r\nRCPT TO:<evil@example.org>", "ann@example.org"),
    ("a@example.org", "ann@example.org\r\nDATA"),
    ("a@example.org", "ann@example.org> NOTIFY=NEVER"),
    ("a@example.org> SIZE=1", "ann@example.org"),
    ("a@example.org", '"ann@example.org'),
    ("a@example.org", '"a\\\r\nb"@example.org'),
    ("a@example.org", ""),
    ("a@example.org", "a" * 2000 + "@example.org"),
], ids=range(8))
def test_envelope_refused(tmp_path, sender, rcpt):
    """What could say more than one address never reaches the wire."""
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink() as sink:
        send(sink.port, path, sender, rcpt, expect=("perm", 0))
        assert sink.commands == []


STAGES = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("reply", ["421 4.3.2 later", "451 4.3.0 later", "550 5.1.1 no", "554 5.7.1 no"])
def test_refused(tmp_path, stage, reply):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    answers = {stage: reply.encode() + b"\r\n"}
    if stage == "EHLO":
        answers["HELO"] = answers["EHLO"]
    with Sink(answers) as sink:
        start = time.monotonic()
        rc, code, text = send(sink.port, path)
        assert time.monotonic() - start < 10
    perm = reply[0] == "5" and stage not in ("greeting", "EHLO")
    assert (rc, code) == ("perm" if perm else "temp", int(reply[:3]))
    assert reply in text


@pytest.mark.parametrize("stage,reply", [
    ("end", b"251 hm\r\n"), ("end", b"220 hm\r\n"), ("end", b"354 hm\r\n"), ("end", b"rubbish\r\n"),
    ("DATA", b"250 hm\r\n"), ("RCPT", b"354 hm\r\n"), ("MAIL", b"354 hm\r\n"), ("greeting", b"rubbish\r\n"),
    ("greeting", b"\0\0\0\r\n"), ("end", b"999 hm\r\n"), ("end", b"2500 hm\r\n"),
], ids=repr)
def test_only_250_is_success(tmp_path, stage, reply):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink({stage: reply}) as sink:
        rc, _, text = send(sink.port, path, timeout=1)
        assert rc == "temp", text


def test_multiline_replies(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink({"end": b"550-5.7.1 first\r\n550 5.7.1 second\r\n"}) as sink:
        _, _, text = send(sink.port, path, expect=("perm", 550))
        assert "5.7.1" in text
    with Sink({"end": b"250-first\r\n250 second\r\n", "RCPT": b"250-a\r\n250 b\r\n"}) as sink:
        send(sink.port, path, expect=("ok", 250))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("how", [STALL, RESET, CLOSE], ids=["stall", "reset", "close"])
def test_broken(tmp_path, stage, how):
    """A server that goes silent, resets or closes: never anything but a temporary failure."""
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink({stage: how}) as sink:
        start = time.monotonic()
        rc, _, text = send(sink.port, path, timeout=2)
        took = time.monotonic() - start
    assert rc == "temp", text
    assert took < 6, took


def test_stalled_reader(tmp_path):
    """The MTA stops reading in the middle of the data."""
    path = tmp_path / "message"
    path.write_bytes(b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 200_000)

    class Deaf(Sink):
        def _more(self, conn):
            if any(c == b"DATA" for c in self.commands):
                self.release.wait(30)
                raise EOFError
            return super()._more(conn)

    with Deaf() as sink:
        start = time.monotonic()
        rc, _, text = send(sink.port, path, timeout=2)
        assert rc == "temp", text
        assert time.monotonic() - start < 6


@pytest.mark.parametrize("how", [STALL, RESET, CLOSE, b"500 no\r\n"], ids=["stall", "reset", "close", "500"])
def test_quit_does_not_matter(tmp_path, how):
    """The message is the MTA's since the 250: nothing after it may fail or delay the release."""
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink({"QUIT": how}) as sink:
        start = time.monotonic()
        send(sink.port, path, expect=("ok", 250))
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "end"])
def test_stalled_quit_after_refusal(tmp_path, stage):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink({stage: b"550 no\r\n", "QUIT": STALL}) as sink:
        start = time.monotonic()
        send(sink.port, path, timeout=10, expect=("perm", 550))
        assert time.monotonic() - start < 5


def test_connection_refused(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with socket.socket() as taken:  # bound, not listening
        taken.bind(("127.0.0.1", 0))
        rc, code, text = send(taken.getsockname()[1], path)
    assert (rc, code) == ("temp", 0) and text


def test_unknown_host(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    send(25, path, host="no-such-host.invalid", timeout=5, expect=("temp", 0))


def test_unreadable_message(tmp_path):
    """No file, or a directory: temporary, and the MTA never sees an end of data."""
    send(1, tmp_path / "missing", expect=("temp", 0))
    with Sink() as sink:
        rc, _, _ = send(sink.port, tmp_path)
        sink.finished.wait(20)
        assert rc == "temp"
        assert sink.data is None


def test_read_error_in_the_middle(tmp_path):
    """A read that fails half way must not end the data: half a message would count as sent."""
    faults = tmp_path / "faults"
    faults.write_text("submit.read fail\n")
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink() as sink:
        rc, _, text = send(sink.port, path, env={**os.environ, "PULLYU_TEST_FAULT": str(faults)})
        sink.finished.wait(20)
        if rc == "ok":
            pytest.skip("built without --enable-test-hooks")
        assert rc == "temp" and "reading the message" in text
        assert sink.data is None


def test_environment_is_ignored(tmp_path):
    """No proxy, no netrc, no ~/.curlrc: only what pullyu.conf says."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    (tmp_path / ".curlrc").write_text("proxy = 127.0.0.1:1\n")
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    env = {**os.environ, "HOME": str(tmp_path)}
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "smtp_proxy"):
        env[name] = "http://127.0.0.1:1"
    with Sink({"EHLO": b"250-sink\r\n250-AUTH PLAIN LOGIN EXTERNAL\r\n250 STARTTLS\r\n"}) as sink:
        send(sink.port, path, env=env, expect=("ok", 250))
        sink.finished.wait(20)
        assert [c[:4] for c in sink.commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT"]


def test_helo_and_ipv6(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(BODIES["plain"])
    with Sink() as sink:
        send(sink.port, path, extra=("0", "mail.example.org"), expect=("ok", 250))
        assert sink.commands[0] == b"EHLO mail.example.org"
    try:
        sink = Sink(family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with sink:
        send(sink.port, path, host="::1", expect=("ok", 250))
