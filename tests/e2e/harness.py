"""A whole mail site in a temporary directory: a private Postfix, a private Dovecot and Pullyu.

    with Site(binaries) as site:
        site.send(messages.newsletter(), "letter@news.example", ["ann@example.test"])
        site.wait_held("ann@example.test", 1)

Everything is started on free loopback ports and stopped at the end, whatever happens. Nothing waits
for a fixed time: wait_for asks until the answer is yes. PULLYU_BUILDDIR names the build directory.
"""

import calendar
import math
import os
import pwd
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field

import ports
import smtpclient
from imapd import PASSWORD, Dovecot
from mta import Postfix
from programs import Pullyu, replace
from waiting import wait_for

DOMAIN = "example.test"
ANN, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("ann", "bob", "carol"))
QUOTED = f'"quoted user"@{DOMAIN}'
JOERG = f"jörg@{DOMAIN}"
# Names as the IMAP server knows them.
IMAP_NAMES = {QUOTED: f"quoted user@{DOMAIN}"}
USERS = (ANN, BOB, CAROL, QUOTED, JOERG)
# An account that every Debian has, is not root, and owns nothing of Pullyu's or Dovecot's here:
# Pullyu and the mail store share it, so that the folder of held mail can be served by IMAP.
MAIL_USER = "mail"


def why_not():
    """Why a site cannot run here, or None."""
    if os.geteuid() != 0:
        return "needs root: Debian's Postfix starts only as root"
    for program in ("postfix", "dovecot"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            return f"{program} is not installed; contrib/packages lists what is needed"
    if not os.path.exists("/usr/lib/dovecot/lmtp"):
        return "dovecot-lmtpd is not installed"
    for user in ("postfix", "dovecot", "dovenull", MAIL_USER):
        try:
            pwd.getpwnam(user)
        except KeyError:
            return f"there is no user {user}"
    return None


@dataclass
class Sent:
    """One message that the MTA has taken: nothing of it may be lost from now on."""

    raw: bytes
    sender: str
    rcpts: list
    answer: str


@dataclass
class Found:
    """Where a copy of one message was found for one recipient."""

    inbox: int = 0
    folders: list = field(default_factory=list)
    digests: int = 0
    held: int = 0

    def anywhere(self):
        return self.inbox or self.folders or self.digests or self.held

    def delivered(self):
        return self.inbox + len(self.folders) + self.digests


class Site:
    def __init__(self, binaries=None, pullyu=True, keep=False, users=USERS):
        self.root = tempfile.mkdtemp(prefix="pullyu-")
        os.chmod(self.root, 0o755)
        os.mkdir(os.path.join(self.root, "log"))
        self.with_pullyu = pullyu
        self.keep = keep
        self.users = users
        self.sent = []
        self.cleanups = []  # called when all programs have ended
        self._failed = False
        self._ports = {n: ports.allocate() for n in ("public", "submit", "release", "lmtp", "imap")}
        self.ports = {name: port.number for name, port in self._ports.items()}
        postfix_queue = os.path.join(self.root, "postfix", "queue")
        spool = os.path.join(self.root, "pullyu", "spool")
        self.imap = Dovecot(
            self.root, self.ports, MAIL_USER, os.path.join(spool, "users"), postfix_queue
        )
        self.mta = Postfix(self.root, self.ports, MAIL_USER, self.imap.mail)
        self.pullyu = None
        if pullyu:
            self.pullyu = Pullyu(
                self.root, binaries, MAIL_USER, self.mta.milter_socket, self.ports["release"]
            )

    # Starting and stopping.

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        self._failed = kind is not None
        self.close()

    def prepare(self):
        """Writes all configuration; start() does it, too."""
        mailboxes = [(user, f"{DOMAIN}/x/") for user in self.users if user != JOERG]
        # Dovecot 2.3's LMTP does not speak SMTPUTF8, so Postfix itself fills that Maildir.
        mailboxes.append((JOERG, f"{DOMAIN}/{JOERG.partition('@')[0]}/Maildir/"))
        # Postfix's own socket directory must exist before Dovecot puts its socket there.
        private = os.path.join(self.mta.queue, "private")
        os.makedirs(private, mode=0o700, exist_ok=True)
        shutil.chown(private, "postfix")
        self.imap.configure([IMAP_NAMES.get(user, user) for user in self.users])
        self.mta.configure(
            milters="unix:pullyu/milter.sock" if self.with_pullyu else "",
            mailboxes=mailboxes,
            transports=[(JOERG, "virtual:")],
        )
        if self.pullyu is not None:
            if not os.path.exists(self.pullyu.rules):
                source = os.path.join(os.path.dirname(__file__), "..", "..", "etc", "rules.d")
                shutil.copytree(source, self.pullyu.rules)
            self.pullyu.write_config()
            if not os.path.exists(self.pullyu.participants):
                self.set_participants(*self.users)

    def start(self):
        self.prepare()
        self.imap.start()
        if self.pullyu is not None:
            self.pullyu.start_daemon()
            self.pullyu.start_milter()
        self.mta.start()

    def close(self):
        try:
            problems = self._stop_all()
        finally:
            for port in self._ports.values():
                port.release()
            if self.keep or (self._failed and os.environ.get("PULLYU_TEST_KEEP")):
                print(f"left for you: {self.root}")
            else:
                shutil.rmtree(self.root, ignore_errors=True)
        if problems and not self._failed:
            raise AssertionError("\n".join(problems))

    def _stop_all(self):
        problems = []
        stops = [("Postfix", lambda: self.mta.stop(signal.SIGKILL))]
        if self.pullyu is not None:
            self.pullyu.arm()
            stops += [(p.name, p.finish) for p in (self.pullyu.milter, self.pullyu.daemon)]
        for name, stop in stops + [("Dovecot", lambda: self.imap.stop(signal.SIGKILL))]:
            try:
                stop()
            except Exception as e:  # the others must be stopped, too
                problems.append(f"{name}: {e}")
        for cleanup in self.cleanups:
            cleanup()
        if self.pullyu is not None:
            problems += self.pullyu.milter.complaints() + self.pullyu.daemon.complaints()
        return problems

    def logs(self):
        parts = [self.mta.tail(), self.imap.tail(20)]
        if self.pullyu is not None:
            parts += [self.pullyu.milter.tail(), self.pullyu.daemon.tail()]
        return "\n".join(parts)

    # Users.

    def set_participants(self, *entries):
        replace(self.pullyu.participants, "".join(f"{entry}\n" for entry in entries))

    def user_dir(self, user):
        local, _, domain = user.rpartition("@")
        return os.path.join(self.pullyu.settings, domain, local)

    def write_user(self, user, name, text):
        """One of a user's files: settings.ini, allow, hold."""
        directory = self.user_dir(user)
        os.makedirs(directory, exist_ok=True)
        for path in (directory, os.path.dirname(directory)):
            shutil.chown(path, MAIL_USER, MAIL_USER)
        replace(os.path.join(directory, name), text)

    def settings(self, user, times="08:00", timezone="UTC", originals="attach", **more):
        lines = [f"times = {times}", f"timezone = {timezone}", f"originals = {originals}"]
        lines += [f"{key} = {value}" for key, value in more.items()]
        self.write_user(user, "settings.ini", "[digest]\n" + "\n".join(lines) + "\n")

    # Time.

    def clock_to(self, text):
        """Moves Pullyu's clock to a time given as 2026-11-22T07:59:00Z, or less than a second behind
        it (the clock moves by whole seconds); it runs on from there."""
        target = calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
        self.pullyu.set_clock(math.ceil(target - time.time()))

    # Mail.

    def send(self, raw, sender, rcpts, auth=None, **options):
        """Over SMTP, to the public port, or with auth (a user) to the submission port."""
        port = self.ports["public" if auth is None else "submit"]
        if auth is not None:
            auth = (IMAP_NAMES.get(auth, auth), PASSWORD)
        answer = smtpclient.send(port, raw, sender, list(rcpts), auth=auth, **options)
        sent = Sent(raw, sender, list(rcpts), answer)
        self.sent.append(sent)
        return sent

    def imap_name(self, user):
        return IMAP_NAMES.get(user, user)

    def inbox(self, user):
        return self.imap.fetch(self.imap_name(user))

    def digests(self, user, folder="INBOX"):
        return [raw for raw in self.imap.fetch(self.imap_name(user), folder) if is_digest(raw)]

    def wait_inbox(self, user, raw, folder="INBOX"):
        """Until the message itself, byte for byte, is there."""
        needle = as_delivered(raw)
        wait_for(
            lambda: any(
                m.endswith(needle) and not is_digest(m)
                for m in self.imap.fetch(self.imap_name(user), folder)
            ),
            f"a message in {user}'s {folder}",
            detail=self.logs,
        )

    def wait_held(self, user, count):
        """Until that many messages lie in the user's folder of held mail."""
        wait_for(
            lambda: len(self.pullyu.held(user)) == count and not self.pullyu.incoming(),
            f"{count} held messages of {user}",
            detail=self.logs,
        )

    def wait_digests(self, user, count):
        return wait_for(
            lambda: (d := self.digests(user)) and len(d) >= count and d,
            f"{count} digests of {user}",
            detail=self.logs,
        )

    def wait_settled(self):
        """Until Postfix has nothing left to deliver and incoming/ is empty."""
        wait_for(
            lambda: not self.mta.queued() and not (self.pullyu and self.pullyu.incoming()),
            "the queues to be empty",
            detail=self.logs,
        )

    def mailboxes(self, user):
        """What a user has: ({folder: [bytes]}, held, incoming)."""
        held = incoming = ()
        if self.pullyu is not None:
            # In this order a message on its way from incoming to held cannot be missed.
            incoming, held = self.pullyu.incoming(), self.pullyu.held(user)
        return self.imap.fetch_all(self.imap_name(user)), held, incoming

    def find(self, sent, rcpt, mailboxes=None):
        """Every copy of a message that exists for a recipient, as a Found."""
        folders, held, incoming = mailboxes or self.mailboxes(user_of(rcpt))
        needle = as_delivered(sent.raw)
        found = Found()
        for folder, mails in folders.items():
            for mail in mails:
                if is_digest(mail):
                    found.digests += needle.rstrip(b"\r\n") in mail
                elif mail.endswith(needle):
                    if folder == "INBOX":
                        found.inbox += 1
                    else:
                        found.folders.append(folder)
        found.held = sum(m.endswith(sent.raw) for m in held)
        delivered_to = f"Delivered-To: {rcpt}\r\n".encode()
        found.held += sum(m.endswith(sent.raw) and delivered_to in m for m in incoming)
        return found


def user_of(rcpt):
    """The mailbox behind an address as it was given in RCPT TO."""
    local, _, domain = rcpt.rpartition("@")
    if local.startswith('"') and local[1:-1].isalnum():
        local = local[1:-1]  # quotes that change nothing
    if not local.startswith('"'):
        local = local.partition("+")[0]
    return f"{local.lower()}@{domain.lower()}"


def is_ours(raw):
    return b"\r\nx-pullyu-digest:" in raw.partition(b"\r\n\r\n")[0].lower()


def is_answer(raw):
    """To a command by mail."""
    return is_ours(raw) and b"\r\nauto-submitted: auto-replied" in raw.partition(b"\r\n\r\n")[0].lower()


def is_digest(raw):
    return is_ours(raw) and not is_answer(raw)


def as_delivered(raw):
    """A message as the IMAP server gives it back: Dovecot ends it with a line ending."""
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def assert_nothing_lost(site, sent=None, complete=True):
    """The property that outranks all: every message that the MTA took for a recipient is in his
    mailbox, or held for him, or inside a digest that was delivered to him, byte for byte. It may be
    there twice (a crash may repeat), but nobody else has a copy of it.
    Returns {(index, rcpt): Found}."""
    if complete:
        site.wait_settled()
    messages = site.sent if sent is None else sent
    mailboxes = {user: site.mailboxes(user) for user in site.users}
    result = {}
    for index, message in enumerate(messages):
        for rcpt in message.rcpts:
            user = user_of(rcpt)
            if user not in mailboxes:
                continue
            found = site.find(message, rcpt, mailboxes[user])
            for _ in range(3):
                if found.anywhere() or not complete:
                    break
                # Perhaps it was on its way through the MTA. What is lost stays lost.
                site.wait_settled()
                mailboxes[user] = site.mailboxes(user)
                found = site.find(message, rcpt, mailboxes[user])
            result[index, rcpt] = found
            assert found.anywhere(), (
                f"LOST: message {index} to {rcpt}, {message.answer}:\n"
                f"{message.raw[:600].decode(errors='replace')}\n{site.logs()}"
            )
        # The same bytes may have been sent to others on another occasion.
        meant = {user_of(r) for m in site.sent if m.raw == message.raw for r in m.rcpts}
        for user in mailboxes.keys() - meant:
            found = site.find(message, user, mailboxes[user])
            assert not found.anywhere(), f"message {index} is with {user}, too: {found}"
    return result
