"""Pullyu's three programs under test: where they are, how they start and end, and what they said."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from urllib.parse import unquote

import lifeline
from waiting import wait_for

# What a sanitizer says when it found something.
COMPLAINT = re.compile(
    r"ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|: runtime error: |"
    r"GLib(-[A-Za-z]+)?-(CRITICAL|ERROR|WARNING)"
)


class CliFailed(AssertionError):
    pass


class Binaries:
    """Copies of the programs at a place that every user may enter: a checkout may lie below /root,
    and the daemons run as somebody else."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.directory = tempfile.mkdtemp(prefix="pullyu-bin-")
        os.chmod(self.directory, 0o755)
        self.paths = {}
        for name, where in (
            ("pullyu-milter", "src/milter"),
            ("pullyud", "src/daemon"),
            ("pullyu", "src/cli"),
        ):
            source = os.path.join(self.build, where, name)
            if os.access(source, os.X_OK):
                self.paths[name] = shutil.copy(source, self.directory)
        self.hooks = self._defined("PULLYU_TEST_HOOKS")

    def _defined(self, macro):
        try:
            with open(os.path.join(self.build, "config.h"), encoding="ascii") as f:
                return f"#define {macro} 1\n" in f.read()
        except OSError:
            return False

    def missing(self):
        return [n for n in ("pullyu-milter", "pullyud", "pullyu") if n not in self.paths]

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Program:
    """One long-running program."""

    def __init__(self, name, command, log, environment, user):
        self.name = name
        self.log = log
        self._command = command
        self.environment = environment
        self._user = user
        self._process = None

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        if self._process is not None:
            self._process.wait()
        with open(self.log, "ab") as log:
            # In a process group of its own, so that its workers end with it whatever happens.
            self._process = lifeline.popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                user=self._user,
                group=self._user and _group_of(self._user),
                extra_groups=[] if self._user else None,
                cwd="/",
                umask=0o027,
            )

    @property
    def pid(self):
        return self._process.pid if self._process else None

    # An ended process is collected as late as possible: until then nobody else is given its number,
    # and what is left of its group can be killed safely.

    def _ended(self, wait=False):
        if self._process.returncode is not None:
            return True
        options = os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG)
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def _collect(self, deadline):
        """Waits for the end; then kills what is left of the group and returns the exit status, or
        None if it did not end in time."""
        if self._process.returncode is None:
            try:
                wait_for(self._ended, f"{self.name} to end", deadline=deadline)
            except AssertionError:
                return None
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        return self._process.wait()

    def running(self):
        return self._process is not None and not self._ended()

    def died(self):
        """Whether it ended by itself since start()."""
        return self._process is not None and self._ended()

    def wait_killed(self):
        """Until a fault point has killed it."""
        wait_for(self.died, f"{self.name} to be killed", detail=self.tail)
        status = self._process.wait()
        assert status == -signal.SIGKILL, f"{self.name} ended with {status}\n{self.tail()}"

    def signal(self, number):
        if not self._ended():
            os.kill(self._process.pid, number)

    def stop(self, deadline=60):
        """SIGTERM; returns the exit status."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        status = self._collect(deadline)
        if status is None:
            self.kill()
            self._collect(deadline)
            raise AssertionError(f"{self.name} did not end on SIGTERM\n{self.tail()}")
        return status

    def kill(self):
        """SIGKILL to the program; its children are left to notice that by themselves."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._ended(wait=True)

    def finish(self):
        """Ends it, group and all; never raises."""
        if self._process is None:
            return
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if self._collect(15) is None:
            self.kill()
            self._collect(15)

    def text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def tail(self, lines=60):
        return f"--- {self.name}:\n" + "\n".join(self.text().splitlines()[-lines:])

    def complaints(self):
        return [line for line in self.text().splitlines() if COMPLAINT.search(line)]


def _group_of(user):
    import pwd

    return pwd.getpwnam(user).pw_gid


class Pullyu:
    """Configuration, directories and the programs of one site."""

    def __init__(self, root, binaries, user, milter_socket, submit_port):
        self.root = os.path.join(root, "pullyu")
        self.binaries = binaries
        self.user = user
        self.socket = milter_socket
        self.spool = os.path.join(self.root, "spool")
        self.settings = os.path.join(self.root, "users")
        self.participants = os.path.join(self.root, "participants")
        self.rules = os.path.join(self.root, "rules.d")
        self.config = os.path.join(self.root, "pullyu.conf")
        self.control = os.path.join(self.root, "run", "control.sock")
        self.clock_file = os.path.join(self.root, "clock")
        self.fault_file = os.path.join(self.root, "fault")
        self.options = {
            "paths": {
                "spool": self.spool,
                "db": os.path.join(self.root, "db"),
                "rules": self.rules,
                "control": self.control,
                "key": os.path.join(self.root, "key"),
            },
            "users": {
                "settings_dir": os.path.join(self.settings, "%d", "%u"),
                "participants": self.participants,
            },
            "milter": {
                "socket": f"unix:{milter_socket}",
                # smtpd connects as the user postfix; Debian's way is a common group.
                "socket_mode": "0666",
                "authserv_ids": "mx.example.test",
                "ask_timeout": "5s",
            },
            "release": {"submit_host": "127.0.0.1", "submit_port": submit_port, "retry": "1s"},
            "digest": {
                "from": "Pullyu <digest@example.test>",
                "envelope_from": "bounces@example.test",
                "host": "mx.example.test",
            },
            "command": {"keys": os.path.join(self.root, "command.keys")},
            "log": {"to": "stderr", "level": "debug"},
            "defaults": {"times": "08:00", "timezone": "UTC"},
        }
        for directory in (self.root, self.settings, os.path.join(self.root, "run"), self.spool):
            os.makedirs(directory, exist_ok=True)
        os.makedirs(os.path.dirname(milter_socket), exist_ok=True)
        for directory in (
            self.root,
            self.settings,
            self.spool,
            os.path.join(self.root, "run"),
            os.path.dirname(milter_socket),
        ):
            self._own(directory)
        log = os.path.join(root, "log")
        env = self.environment()
        self.milter = Program(
            "pullyu-milter", self._command("pullyu-milter"), f"{log}/milter.log", env, user
        )
        self.daemon = Program("pullyud", self._command("pullyud"), f"{log}/pullyud.log", dict(env), user)

    def _own(self, path):
        if self.user is not None:
            shutil.chown(path, self.user, _group_of(self.user))

    def _command(self, name):
        path = self.binaries.paths.get(name, name)
        return [path, "-c", self.config]

    def environment(self):
        env = dict(
            os.environ,
            LC_ALL="C.UTF-8",
            ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
            UBSAN_OPTIONS="print_stacktrace=1",
            G_MESSAGES_DEBUG="",
        )
        if self.binaries.hooks:
            env["PULLYU_TEST_CLOCK"] = self.clock_file
            env["PULLYU_TEST_FAULT"] = self.fault_file
        return env

    def write_config(self, path=None):
        text = "".join(
            f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) + "\n"
            for section, keys in self.options.items()
        )
        replace(path or self.config, text)

    # The test hooks.

    def set_clock(self, offset):
        replace(self.clock_file, f"{int(offset)}\n")

    def arm(self, *faults):
        """Each "POINT ACTION"; none: nothing fails any more."""
        replace(self.fault_file, "".join(f"{fault}\n" for fault in faults))

    # The command line.

    def run(self, *words, data=None, timeout=60):
        """pullyu WORDS: a finished process with returncode, stdout and stderr as bytes."""
        command = ("--config", self.config) + words
        return subprocess.run(
            (self.binaries.paths["pullyu"],) + command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            timeout=timeout,
            check=False,
        )

    def call(self, *words, code=0):
        """pullyu WORDS with the exit status that it must have; its output as text."""
        result = self.run(*words)
        if result.returncode != code:
            raise CliFailed(
                f"pullyu {' '.join(words)}: exit {result.returncode}, want {code}\n"
                f"{result.stdout.decode()}\n{result.stderr.decode()}\n{self.daemon.tail()}"
            )
        return (result.stdout if code == 0 else result.stdout + result.stderr).decode()

    def json(self, *words):
        return json.loads(self.call(*words, "--json"))

    def status(self, user=None):
        """What pullyud says of itself, or of one user ({} if it knows nothing of him)."""
        status = self.json("status")
        if user is None:
            return status
        return next((u for u in status["users"] if u["user"] == user), {})

    def start_daemon(self):
        self.daemon.start()

        def ready():
            if self.daemon.died():
                raise AssertionError(f"pullyud did not start\n{self.daemon.tail()}")
            return os.path.exists(self.control) and accepts(self.control)

        wait_for(ready, "pullyud's control socket", detail=self.daemon.tail)

    def start_milter(self):
        self.milter.start()

        def ready():
            if self.milter.died():
                raise AssertionError(f"pullyu-milter did not start\n{self.milter.tail()}")
            return accepts(self.socket)

        wait_for(ready, "pullyu-milter's socket", detail=self.milter.tail)

    # What is in the spool.

    def incoming(self):
        directory = os.path.join(self.spool, "incoming")
        return read_files(directory)

    def commands(self):
        return read_files(os.path.join(self.spool, "commands"))

    def held(self, user=None):
        """Held messages as they lie on disk, trace fields and all."""
        found = []
        top = os.path.join(self.spool, "users")
        for directory, _, _ in os.walk(top):
            if os.path.basename(directory) in ("new", "cur"):
                owner = os.path.relpath(os.path.dirname(directory), top).split(os.sep)
                owner = [unquote(part) for part in owner]
                if user is None or user == f"{owner[1]}@{owner[0]}":
                    found += read_files(directory)
        return found


def accepts(path):
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        return s.connect_ex(path) == 0


def read_files(directory):
    found = []
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return found
    for name in names:
        path = os.path.join(directory, name)
        try:
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    found.append(f.read())
        except OSError:
            pass  # taken away meanwhile
    return found


def replace(path, text):
    """Writes a file beside and renames it: a reader sees the old text or the new."""
    data = text if isinstance(text, bytes) else text.encode()
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
