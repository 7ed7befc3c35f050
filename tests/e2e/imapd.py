"""A private Dovecot: LMTP and IMAP on loopback ports, the users in a file, Maildirs below the
temporary directory, and a socket by which Postfix asks for passwords.

Pullyu's folder of held mail is served too, as the namespace "Held/": a reader may look into it.
"""

import imaplib
import os
import pwd
import signal
import subprocess

import lifeline
from ports import listening
from waiting import wait_for

PASSWORD = "secret"

DOVECOT_CONF = """\
base_dir = {root}/run
state_dir = {root}/state
instance_name = pullyu-test
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_chars =
auth_username_format = %Lu
auth_failure_delay = 0
auth_cache_size = 0
log_path = {log}
mail_home = {mail}/%d/%n
mail_location = maildir:{mail}/%d/%n/Maildir
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lda_mailbox_autocreate = yes
hostname = imap.example.test
postmaster_address = postmaster@example.test
default_internal_user = {internal}
default_login_user = {login}
default_process_limit = 200
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%d/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
namespace held {{
  prefix = Held/
  separator = /
  location = maildir:{held}/%d/%n:CONTROL={root}/held/%d/%n:INDEX={root}/held/%d/%n
  list = yes
  subscriptions = no
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  unix_listener {postfix_auth} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    def __init__(self, root, ports, mail_user, held_dir, postfix_queue):
        self.root = os.path.join(root, "dovecot")
        self.mail = os.path.join(root, "mail")
        self.log = os.path.join(root, "log", "dovecot.log")
        self.ports = ports
        self._held = held_dir
        self._auth = os.path.join(postfix_queue, "private", "auth")
        self._owner = pwd.getpwnam(mail_user)
        self._process = None
        os.makedirs(self.root)
        for directory in (self.mail, os.path.join(self.root, "held")):
            os.makedirs(directory)
            os.chown(directory, self._owner.pw_uid, self._owner.pw_gid)

    def configure(self, users):
        values = dict(
            self.ports,
            root=self.root,
            mail=self.mail,
            log=self.log,
            held=self._held,
            uid=self._owner.pw_uid,
            gid=self._owner.pw_gid,
            internal="dovecot",
            login="dovenull",
            postfix_auth=self._auth,
        )
        with open(os.path.join(self.root, "dovecot.conf"), "w", encoding="utf-8") as f:
            f.write(DOVECOT_CONF.format(**values))
        with open(os.path.join(self.root, "users"), "w", encoding="utf-8") as f:
            f.writelines(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in users)

    def start(self):
        self._process = lifeline.popen(
            ["dovecot", "-F", "-c", os.path.join(self.root, "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

        def ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"dovecot ended:\n{self._process.stderr.read()}\n{self.tail()}")
            return listening(self.ports["imap"]) and listening(self.ports["lmtp"])

        wait_for(ready, "Dovecot on its IMAP and LMTP ports", detail=self.tail)

    def stop(self, number=signal.SIGTERM):
        """With SIGKILL all its processes end at once."""
        if self._process is None:
            return
        if self._process.poll() is None:
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
        self._process.wait(timeout=30)
        self._process.stderr.close()
        self._process = None

    def tail(self, lines=40):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except OSError:
            return "(no Dovecot log)"

    def login(self, user):
        imap = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=30)
        imap.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
        return imap

    def session(self, user):
        """A logged-in connection, for "with"."""
        return _Session(self.login(user))

    def fetch(self, user, folder="INBOX"):
        """Every message of a folder, as bytes, oldest first; [] if there is no such folder."""
        with self.session(user) as session:
            return session.fetch(folder)

    def folders(self, user):
        with self.session(user) as session:
            return session.folders()

    def fetch_all(self, user):
        """Every message of every folder of the user's own: {folder: [bytes]}."""
        with self.session(user) as session:
            names = [name for name in session.folders() if not name.startswith("Held")]
            return {name: session.fetch(name) for name in names}

    def flag(self, user, folder, match, flags, expunge=False):
        """Sets flags on the messages of a folder for which match(bytes) is true; returns how many."""
        with self.session(user) as session:
            imap = session.imap
            status, data = imap.select(quote(folder))
            assert status == "OK", f"{user} has no folder {folder}: {data}"
            count = 0
            for number in range(1, int(data[0]) + 1):
                _, parts = imap.fetch(str(number), "(BODY.PEEK[])")
                if match(parts[0][1]):
                    imap.store(str(number), "+FLAGS", f"({flags})")
                    count += 1
            if expunge:
                imap.expunge()
            return count


class _Session:
    def __init__(self, imap):
        self.imap = imap

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.imap.shutdown()

    def fetch(self, folder):
        status, data = self.imap.select(quote(folder), readonly=True)
        if status != "OK" or int(data[0]) == 0:
            return []
        _, parts = self.imap.fetch(f"1:{int(data[0])}", "(BODY.PEEK[])")
        return [part[1] for part in parts if isinstance(part, tuple)]

    def folders(self):
        names = []
        for row in self.imap.list()[1]:
            if row is None:
                continue
            if isinstance(row, tuple):
                names.append(row[1].decode())
                continue
            flags, _, rest = row.partition(b") ")
            if b"\\Noselect" in flags or b"\\NonExistent" in flags:
                continue
            name = rest.split(b" ", 1)[1].decode()
            names.append(name[1:-1] if name.startswith('"') else name)
        return names


def quote(folder):
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
