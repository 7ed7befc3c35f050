"""The digest of tests/morning in mail readers that others wrote: each opens an attached original."""

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

import morning

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())


@pytest.fixture
def digest(tmp_path):
    """As it lies in a Maildir: with LF."""
    raw = morning.write(BUILD, tmp_path, tmp_path / "out").replace(b"\r\n", b"\n")
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    (tmp_path / "mail" / "cur" / "1:2,S").write_bytes(raw)
    return tmp_path / "mail" / "cur" / "1:2,S"


def original(name):
    with open(os.path.join(morning.MAIL, name), "rb") as file:
        return file.read()


def mshow(tmp_path, *words):
    return subprocess.run(["mshow", *words], env=dict(os.environ, MBLAZE=str(tmp_path)),
                          stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.skipif(shutil.which("mshow") is None, reason="mblaze is not installed")
def test_mblaze(digest, tmp_path):
    tree = [line.split() for line in mshow(tmp_path, "-t", str(digest)).decode().splitlines()[1:]]
    assert [row[1] for row in tree[:5]] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "multipart/digest"]
    messages = [row[0].rstrip(":") for row in tree if row[1] == "message/rfc822"]
    assert len(messages) == len(morning.rows())
    got = {mshow(tmp_path, "-O", str(digest), number).rstrip() for number in messages}
    assert got == {original(row[0]).rstrip() for row in morning.rows()}
    assert b"14 messages from 10 senders" in mshow(tmp_path, str(digest))


def neomutt(tmp_path, steps):
    """Runs it on a terminal of its own; steps: what it must show, and what is typed then."""
    (tmp_path / "rc").write_text("set folder=. digest_collapse=no wait_key=no mbox_type=Maildir\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        environment = dict(os.environ, TERM="vt100", LINES="60", COLUMNS="100", HOME=str(tmp_path))
        os.execvpe("neomutt", ["neomutt", "-n", "-F", "rc", "-f", "mail"], environment)
    deadline, screen, steps = time.monotonic() + 30, b"", list(steps)
    try:
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                screen += os.read(terminal, 65536)
            if steps and steps[0][0] in screen:
                os.write(terminal, steps.pop(0)[1])
                screen = b""
    except OSError:  # it has ended
        os.close(terminal)
        os.waitpid(pid, 0)
        return
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    pytest.fail(f"neomutt stopped before {steps}:\n{screen[-2000:]}")


@pytest.mark.skipif(shutil.which("neomutt") is None, reason="neomutt is not installed")
def test_neomutt(digest, tmp_path):
    neomutt(tmp_path, [
        (b"Your digest: 14 messages from 10 senders", b"v"),  # view-attachments
        (b"digest, ", b"/frost\r|cat >got\rqq"),  # search, pipe-entry, exit, quit
    ])
    # It shows the fields in an order of its own.
    got, want = (tmp_path / "got").read_bytes(), original("05-garden.eml")
    assert sorted(got.split(b"\n\n")[0].split(b"\n")) == sorted(want.split(b"\n\n")[0].split(b"\n"))
    assert got.partition(b"\n\n")[2].rstrip() == want.partition(b"\n\n")[2].rstrip()
