"""A private Postfix: own configuration, queue and data directory, loopback ports only.

public   port 25 of a real machine: mail from the world, through Pullyu's milter
submit   port 587: authenticated users, through the milter
release  where pullyud hands over what it releases: no milters
"""

import os
import pwd
import shutil
import signal
import subprocess
import time

import lifeline
from ports import listening
from waiting import wait_for

LISTENERS = ("public", "submit", "release")

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = all
myhostname = mx.example.test
mydomain = example.test
mydestination =
mynetworks =
local_recipient_maps =
local_header_rewrite_clients =
alias_maps =
alias_database =
biff = no
smtputf8_enable = yes
strict_smtputf8 = no
recipient_delimiter = +
virtual_mailbox_domains = example.test, example.net, example.org
virtual_mailbox_maps = texthash:{etc}/mailboxes
virtual_mailbox_base = {mail}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = texthash:{etc}/transport
default_transport = discard:
lmtp_destination_concurrency_limit = 10
message_size_limit = 104857600
# The default lets the first message of a new instance wait for a second.
in_flow_delay = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
# The world outside may say that it is somebody else: SPF tests need that.
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_authorized_xforward_hosts =
smtpd_peername_lookup = no
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
# With Pullyu: hold on to its socket, tempfail without it.
smtpd_milters = {milters}
milter_default_action = tempfail
milter_connect_timeout = 10s
milter_command_timeout = 20s
milter_content_timeout = 60s
milter_protocol = 6
"""

# smtpd runs chrooted, as on Debian: the milter's socket must work from inside the queue directory.
MASTER_CF = """\
127.0.0.1:{public} inet n - y - - smtpd
127.0.0.1:{submit} inet n - y - - smtpd
    -o syslog_name=postfix/submission
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_client_restrictions=permit_sasl_authenticated,reject
    -o smtpd_authorized_xclient_hosts=
127.0.0.1:{release} inet n - n - - smtpd
    -o syslog_name=postfix/release
    -o mynetworks=127.0.0.0/8
    -o smtpd_relay_restrictions=permit_mynetworks,reject
    -o smtpd_authorized_xclient_hosts=
    -o smtpd_milters=
    -o receive_override_options=no_milters
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# What "postfix check" makes, which takes seconds: directory, owner, group, mode.
QUEUE_DIRECTORIES = [
    (name, "postfix", "root", 0o700)
    for name in (
        "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
    )
] + [
    ("maildrop", "postfix", "postdrop", 0o730),
    ("public", "postfix", "postdrop", 0o710),
    ("pid", "root", "root", 0o755),
]


class Postfix:
    def __init__(self, root, ports, mail_user, mail_dir):
        self.root = os.path.join(root, "postfix")
        self.etc = os.path.join(self.root, "etc")
        self.queue = os.path.join(self.root, "queue")
        self.data = os.path.join(self.root, "data")
        self.log = os.path.join(root, "log", "mail.log")
        self.ports = ports
        self._mail = pwd.getpwnam(mail_user)
        self._mail_dir = mail_dir
        self._process = None
        self.milter_socket = os.path.join(self.queue, "pullyu", "milter.sock")
        for directory in (self.etc, self.queue, self.data):
            os.makedirs(directory)
        os.chown(self.data, pwd.getpwnam("postfix").pw_uid, -1)
        for name, owner, group, mode in QUEUE_DIRECTORIES:
            path = os.path.join(self.queue, name)
            os.mkdir(path)
            shutil.chown(path, owner, group)
            os.chmod(path, mode)

    def configure(self, milters="", mailboxes=(), transports=()):
        """mailboxes: (address, path below the mail directory) that virtual(8) serves; transports:
        (address, transport)."""
        with open(os.path.join(self.etc, "mailboxes"), "w", encoding="utf-8") as f:
            f.writelines(f"{address} {path}\n" for address, path in mailboxes)
        with open(os.path.join(self.etc, "transport"), "w", encoding="utf-8") as f:
            f.writelines(f"{address} {transport}\n" for address, transport in transports)
        values = dict(
            self.ports,
            root=os.path.dirname(self.root),
            queue=self.queue,
            data=self.data,
            log=self.log,
            etc=self.etc,
            mail=self._mail_dir,
            uid=self._mail.pw_uid,
            gid=self._mail.pw_gid,
            milters=milters,
        )
        for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
            path = os.path.join(self.etc, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.format(**values))
            # Postfix waits until its configuration is some seconds old.
            os.utime(path, (time.time() - 60,) * 2)

    def _master_pid(self):
        try:
            with open(os.path.join(self.queue, "pid", "master.pid"), encoding="ascii") as f:
                pid = int(f.read())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def start(self):
        """As "postfix start-fg", without its seconds of checking."""
        master = os.path.join(daemon_directory(), "master")
        self._process = lifeline.popen_kept(
            [master, "-c", self.etc, "-s"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def ready(port):
            if self._process.poll() is not None:
                raise RuntimeError(f"Postfix did not start\n{self.tail()}")
            return listening(port)

        for name in LISTENERS:
            wait_for(
                lambda port=self.ports[name]: ready(port),
                f"Postfix on its {name} port",
                detail=self.tail,
            )

    def stop(self, number=signal.SIGTERM):
        """As "postfix stop"; with SIGKILL, as a power cut. Returns when nothing of it is left."""
        if self._process is None:
            return
        pid = self._master_pid()
        if pid is not None:
            # The master made a process group of its own; all its children are in it.
            if number == signal.SIGKILL:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
            wait_for(lambda: not group_alive(pid), "Postfix to stop", detail=self.tail)
        self._process.terminate()
        self._process.wait(timeout=60)
        self._process = None
        for name in LISTENERS:
            wait_for(
                lambda port=self.ports[name]: not listening(port), f"Postfix to leave its {name} port"
            )

    def reload(self):
        """As "postfix reload": what is read at a start, tables among it, is read again."""
        os.kill(self._master_pid(), signal.SIGHUP)

    def queued(self):
        """Queue files of messages that have not been delivered yet."""
        found = []
        for name in ("maildrop", "incoming", "active", "deferred", "hold"):
            for directory, _, files in os.walk(os.path.join(self.queue, name)):
                found += [os.path.join(directory, f) for f in files]
        return found

    def tail(self, lines=60):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except OSError:
            return "(no mail log)"


def daemon_directory():
    return subprocess.run(
        ["postconf", "-c", "/etc/postfix", "-dh", "daemon_directory"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()


def group_alive(pgid):
    """Whether a process of the group still runs. Zombies do not count: the init of a container may
    never collect them."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                state, _, group = f.read().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == pgid and state not in "ZX":
            return True
    return False
