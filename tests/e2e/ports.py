"""Free loopback ports.

Postfix binds with SO_REUSEPORT, so that a clash with another listener is silent and mail goes
astray. A port therefore counts as free only if it can be bound without SO_REUSEPORT and without
SO_REUSEADDR; and it is taken from below the range from which the kernel hands out ports for
outgoing connections, so that nobody is given it between the test and the use. A lock file for each
port keeps test runs on one machine apart.
"""

import fcntl
import os
import random
import socket

LOW, HIGH = 20000, 32000


class Port:
    def __init__(self, number, lock):
        self.number = number
        self._lock = lock

    def release(self):
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _ephemeral_low():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            return int(f.read().split()[0])
    except OSError:
        return 32768


def _bindable(number):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")):
        with socket.socket(family, socket.SOCK_STREAM) as s:
            try:
                s.bind((address, number))
            except OSError:
                return False
    return True


def _lock(number):
    directory = "/tmp/pullyu-test-ports"
    os.makedirs(directory, exist_ok=True)
    try:
        os.chmod(directory, 0o1777)
    except PermissionError:
        pass
    try:
        f = open(os.path.join(directory, str(number)), "a", encoding="ascii")
    except PermissionError:
        return None
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        f.close()
        return None
    return f


def allocate():
    """A Port that stays ours until release()."""
    high = min(HIGH, _ephemeral_low())
    for _ in range(500):
        number = random.randrange(LOW if LOW < high else 1024, high)
        lock = _lock(number)
        if lock is None:
            continue
        if _bindable(number):
            return Port(number, lock)
        lock.close()
    raise RuntimeError("no free loopback port found")


def listening(number):
    """Whether somebody accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", number)) == 0
