"""Processes that end with the test run, even if that is killed with SIGKILL."""

import ctypes
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None, use_errno=True)


def _tie():
    """In the child, before exec: SIGTERM when the thread that started it has ended."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def popen(command, **options):
    """subprocess.Popen in a session of its own, tied to our life."""
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_tie, **options)


def popen_kept(command, **options):
    """The same for a program that changes its user now and then, by which it loses the tie: a
    process between it and us hands the signal on."""
    return popen([sys.executable, "-B", __file__, *command], **options)


def _keep(command):
    with subprocess.Popen(command) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
        return child.wait()


if __name__ == "__main__":
    sys.exit(_keep(sys.argv[1:]))
