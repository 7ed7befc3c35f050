"""Pullyu at work, for somebody who sees it for the first time; contrib/demo starts this.

Builds Pullyu, starts a private Postfix and a private Dovecot on free loopback ports with Pullyu
attached, sends sample messages of every class to Ann, shows what reached her inbox at once and what
waits, lets her digest time come on the real clock, and reads the digest over IMAP. It ends with a
count of what the IMAP server holds and exits with 0 only if no message was lost.

Everything lives below one directory in /tmp and is stopped and removed at the end. A lock in that
directory tells the next run whether its owner still lives: what a killed run left is swept away.
"""

import email
import email.policy
import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unicodedata

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAMPLES = os.path.join(TOP, "tests", "samples")
OUT = os.path.join(TOP, "demo-out")
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

import harness  # noqa: E402
from programs import Binaries  # noqa: E402
from waiting import Timeout, wait_for  # noqa: E402

ANN = "ann@example.org"
MAIL = """
    personal-ann personal-reply newsletter-garden discussion-list notification-forge
    transactional-receipt security-code newsletter-japanese calendar-invite notification-social
    bounce-dsn newsletter-borrowed-words security-password transactional-delivery
""".split()
WIDTH = 78
# pullyud looks at the settings at least every 30 seconds; a slot nearer than that could be missed.
NOTICE = 35
PREFIX = "/tmp/pullyu-demo-"


class Failed(Exception):
    """Something that the reader must know; the demo ends."""


class Stopped(BaseException):
    """A signal asked us to end; as KeyboardInterrupt, no "except Exception" takes it."""


# What is printed.


def say(text=""):
    print(text, flush=True)


def head(number, text):
    say()
    say(f"{number}. {text}")


def note(text):
    wrapper = textwrap.TextWrapper(
        WIDTH,
        initial_indent="   ",
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    say(wrapper.fill(text))


def columns(text):
    """How wide a terminal shows it."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def fit(text, width):
    """Cut or filled to that width."""
    if columns(text) > width:
        while columns(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - columns(text))


def table(rows):
    for kind, sender, subject in rows:
        say(f"   {fit(kind, 14)} {fit(sender, 22)} {fit(subject, WIDTH - 41)}".rstrip())


def sender_name(message):
    addresses = message["From"].addresses
    return (addresses[0].display_name or addresses[0].addr_spec) if addresses else "?"


# One sample message.


class Sample:
    def __init__(self, name, kind, action):
        self.name, self.kind, self.action = name, kind, action
        with open(os.path.join(SAMPLES, name + ".eml"), "rb") as f:
            raw = f.read().replace(b"\r\n", b"\n")
        # The first line stands for the envelope sender; an MTA writes it at delivery.
        first, _, rest = raw.partition(b"\n")
        field, _, path = first.decode().partition(": ")
        assert field == "Return-Path", f"{name} has no Return-Path"
        self.sender = path.strip("<>")
        self.raw = rest.replace(b"\n", b"\r\n")
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)

    def row(self):
        return self.kind, sender_name(self.message), str(self.message["Subject"])


def load_samples():
    """As tests/samples/README.md lists them: | file | class | action |."""
    known = {}
    with open(os.path.join(SAMPLES, "README.md"), encoding="utf-8") as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) >= 3 and cells[0].endswith(".eml"):
                known[cells[0].removesuffix(".eml")] = cells[1:3]
    return [Sample(name, *known[name]) for name in MAIL]


# The directory, and what an earlier run may have left.


def claim_directory():
    """A new directory with a lock that ends with us."""
    work = tempfile.mkdtemp(prefix=os.path.basename(PREFIX), dir="/tmp")
    os.chmod(work, 0o755)
    lock = open(os.path.join(work, "lock"), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    tempfile.tempdir = work
    return work, lock


def processes_of(work):
    """Process groups whose command line names the directory."""
    groups = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            group = os.getpgid(int(name))
        except OSError:
            continue
        if any(word.startswith(work.encode() + b"/") for word in words):
            groups.add(group)
    return groups - {os.getpgrp(), 0, 1}


def sweep():
    """Stops and removes what killed runs left. Only directories of our own are looked at."""
    for work in glob.glob(PREFIX + "*"):
        status = os.lstat(work)
        if status.st_uid != os.geteuid() or os.path.islink(work) or not os.path.isdir(work):
            continue
        try:
            lock = open(os.path.join(work, "lock"), "r", encoding="ascii")
        except OSError:
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its owner lives
            note(f"An earlier demo was killed; removing what it left in {work}.")
            for group in processes_of(work):
                try:
                    os.killpg(group, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            wait_for(lambda: not processes_of(work), f"the programs of {work} to end")
            shutil.rmtree(work, ignore_errors=True)


# Steps.


def run(command, log, directory):
    """Runs a build step, its output into the log; it ends with us."""
    log.write(f"+ {' '.join(command)}\n")
    log.flush()
    process = subprocess.Popen(
        command,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def build(work):
    directory = os.path.join(work, "build")
    os.mkdir(directory)
    path = os.path.join(OUT, "build.log")
    started = time.monotonic()
    with open(path, "w", encoding="utf-8") as log:
        for command, where in (
            (["autoreconf", "-i"], TOP),
            ([os.path.join(TOP, "configure")], directory),
            (["make", f"-j{os.cpu_count() or 1}"], directory),
        ):
            if run(command, log, where) != 0:
                log.flush()
                with open(path, encoding="utf-8", errors="replace") as f:
                    end = "".join("   | " + line for line in f.readlines()[-30:])
                raise Failed(f"{command[0]} failed; the end of demo-out/build.log:\n{end}")
    note(f"Built in {time.monotonic() - started:.0f} s; what the tools said is in demo-out/build.log.")
    return Binaries(directory)


def far_off():
    """A time of day that will not come while the demo runs."""
    return time.strftime("%H:%M", time.gmtime(time.time() + 12 * 3600))


def send_all(site, samples):
    table([("CLASS", "FROM", "SUBJECT")])
    for sample in samples:
        site.send(sample.raw, sample.sender, [ANN])
        table([sample.row()])
    site.wait_settled()


def where(site, samples):
    """What the IMAP server has: the samples in the inbox, those in digests, the number of digests."""
    mails = site.inbox(ANN)
    digests = [mail for mail in mails if harness.is_digest(mail)]
    alone = [mail for mail in mails if not harness.is_digest(mail)]
    inbox = [s for s in samples if any(m.endswith(harness.as_delivered(s.raw)) for m in alone)]
    inside = [s for s in samples if any(s.raw.rstrip(b"\r\n") in digest for digest in digests)]
    return inbox, inside, len(digests)


def show_waiting(site):
    """What pullyu list says, in the columns of this page."""
    command = ["list", "--json", ANN]
    result = subprocess.run(
        [site.pullyu.binaries.paths["pullyu"], "--config", site.pullyu.config] + command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if result.returncode != 0:
        raise Failed(f"pullyu {' '.join(command)}: {result.stderr.decode(errors='replace')}")
    note(f"As \"pullyu list {ANN}\" tells it:")
    for m in json.loads(result.stdout):
        table([(m["class"], m["from_name"] or m["from_addr"], m["subject"])])


def let_slot_come(site):
    """Sets Ann's time to a minute that comes soon, and waits for her digest."""
    now = time.time()
    slot = (int(now) + NOTICE + 59) // 60 * 60
    clock = time.strftime("%H:%M", time.gmtime(slot))
    site.settings(ANN, times=clock, timezone="UTC")
    note(
        f"It is {time.strftime('%H:%M:%S', time.gmtime(now))} UTC. Ann writes into her settings.ini:"
    )
    say()
    for line in ("[digest]", f"times     = {clock}", "timezone  = UTC", "originals = attach"):
        say(f"       {line}")
    say()
    note(f"So her digest comes in {slot - now:.0f} seconds. Please wait.")
    end = slot + 90
    try:
        wait_for(
            lambda: countdown(slot) and site.digests(ANN) and not site.pullyu.held(ANN),
            "the digest",
            deadline=end - now,
            pause=1,
            detail=site.logs,
        )
    finally:
        if sys.stdout.isatty():
            print("\r\033[K", end="", flush=True)
    site.wait_settled()
    note(f"It was there at {time.strftime('%H:%M:%S', time.gmtime())} UTC.")
    return site.digests(ANN)[0]


def countdown(slot):
    if sys.stdout.isatty():
        left = max(0, slot - time.time())
        print(f"\r   {left:3.0f} s ", end="", flush=True)
    return True


def show_digest(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    if text is None or html is None:
        raise Failed("the digest has no text part or no HTML part")
    with open(os.path.join(OUT, "digest.eml"), "wb") as f:
        f.write(raw)
    with open(os.path.join(OUT, "digest.html"), "w", encoding="utf-8", newline="") as f:
        f.write(html.get_content())
    say()
    for line in [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date")] + [""]:
        say(f"   | {line}".rstrip())
    for line in text.get_content().splitlines():
        say(f"   | {line}".rstrip())
    say()
    note("Left for you: demo-out/digest.eml (open it in a mail program: the messages themselves "
         "are attached, unchanged) and demo-out/digest.html (open it in a browser).")


def count(site, samples, passed, held):
    """The last line, from what the IMAP server has now; returns the exit status."""
    inbox, inside, digests = where(site, samples)
    lost = [s for s in samples if s not in inbox and s not in inside]
    problems = [f"lost: {s.name}" for s in lost]
    problems += [
        f"{s.name} should {s.action}" for s in samples if (s in passed) != (s.action == "pass")
    ]
    if inbox != passed or inside != held:
        problems.append("the inbox and the digest are not what they should be")
    if digests != 1:
        problems.append(f"{digests} digests instead of 1")
    note(f"Each of the {len(samples)} messages was looked for over IMAP, byte for byte: "
         f"{len(inbox)} are in the inbox, {len(inside)} inside the digest.")
    for problem in problems:
        say(f"   PROBLEM: {problem}")
    say()
    say(f"demo: {len(passed)} passed at once, {len(held)} held, "
        f"{digests} digest{'' if digests == 1 else 's'} delivered, {len(lost)} lost")
    return 1 if problems else 0


def show(site, samples):
    note(f"Postfix takes mail at 127.0.0.1:{site.ports['public']} and asks Pullyu about each "
         f"message; Dovecot serves the mailboxes by IMAP at 127.0.0.1:{site.ports['imap']}. "
         f"Everything lies in {site.root}; nobody outside can reach it.")

    head(4, f"Send Ann ({ANN}) {len(samples)} messages by SMTP")
    send_all(site, samples)

    head(5, "What reached Ann's inbox at once")
    passed, _, _ = where(site, samples)
    table([s.row() for s in passed])

    head(6, "What waits for her digest")
    held = [s for s in samples if s not in passed]
    site.wait_held(ANN, len(held))
    show_waiting(site)

    head(7, "Ann's digest time comes")
    raw = let_slot_come(site)

    head(8, "The digest, as it came to her inbox")
    show_digest(raw)

    head(9, "Count")
    return count(site, samples, passed, held)


def keep_logs(site):
    log = os.path.join(OUT, "programs.log")
    with open(log, "w", encoding="utf-8") as f:
        f.write(site.logs())
    say("   What the programs logged is in demo-out/programs.log.")


def demo(work):
    samples = load_samples()
    head(2, "Build Pullyu (a minute or two)")
    binaries = build(work)
    head(3, "Start a private mail server with Pullyu attached")
    site = harness.Site(binaries, users=(ANN,))
    site.pullyu.options["defaults"]["times"] = far_off()
    site.pullyu.options["digest"].update({
        "host": "mx.example.org",
        "from": "Pullyu <digest@example.org>",
        "envelope_from": "postmaster@example.org",
    })
    with site:
        status = 1
        try:
            status = show(site, samples)
        except Stopped:
            status = 0  # nothing failed: no logs to keep
            raise
        finally:
            on_signals(signal.SIG_IGN)
            if status != 0:
                keep_logs(site)
    return status


def on_signals(handler):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, handler)


def on_signal(number, _):
    on_signals(signal.SIG_IGN)  # a second ^C must not leave anything behind
    raise Stopped(signal.Signals(number).name)


def main():
    sys.stdout.reconfigure(errors="replace")
    on_signals(on_signal)
    why = harness.why_not()
    if why is not None:
        raise Failed(why)
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    sweep()
    work, lock = claim_directory()
    try:
        return demo(work)
    finally:
        on_signals(signal.SIG_IGN)
        shutil.rmtree(work, ignore_errors=True)
        lock.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped as stop:
        say(f"\ndemo: stopped by {stop}; everything that it started has ended")
        sys.exit(1)
    except (Failed, Timeout, AssertionError, RuntimeError, OSError) as problem:
        say(f"\ndemo: FAILED: {problem}")
        sys.exit(1)
