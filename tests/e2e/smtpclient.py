"""The few words of SMTP that the tests speak. smtplib's helpers rewrite addresses; here the bytes
of MAIL, RCPT and DATA are the test's."""

import base64
import smtplib


class Refused(Exception):
    def __init__(self, step, code, text):
        super().__init__(f"{step}: {code} {text.decode(errors='replace')}")
        self.step, self.code = step, code


def _expect(step, answer, *codes):
    if answer[0] not in codes:
        raise Refused(step, answer[0], answer[1])
    return answer


def send(port, raw, mail_from, rcpts, auth=None, options="", rcpt_options="", client=None,
         helo="client.example", timeout=120):
    """Sends one message; rcpts are what stands between the angle brackets. auth: (user, password).
    client: the address that the world sends from, by XCLIENT. Returns the text of the final 250,
    which names the queue id."""
    smtp = smtplib.SMTP("127.0.0.1", port, timeout=timeout)
    try:
        smtp.command_encoding = "utf-8"
        _expect("EHLO", smtp.ehlo(helo), 250)
        if client is not None:
            name = f"IPV6:{client}" if ":" in client else client
            _expect("XCLIENT", smtp.docmd(f"XCLIENT ADDR={name} NAME=[UNAVAILABLE]"), 220)
            _expect("EHLO", smtp.ehlo(helo), 250)
        if auth is not None:
            token = base64.b64encode(f"\0{auth[0]}\0{auth[1]}".encode()).decode()
            _expect("AUTH", smtp.docmd(f"AUTH PLAIN {token}"), 235)
        _expect("MAIL", smtp.docmd(f"MAIL FROM:<{mail_from}> {options}".rstrip()), 250)
        for rcpt in rcpts:
            _expect("RCPT", smtp.docmd(f"RCPT TO:<{rcpt}> {rcpt_options}".rstrip()), 250)
        _expect("DATA", smtp.docmd("DATA"), 354)
        quoted = raw.replace(b"\r\n.", b"\r\n..")
        if quoted.startswith(b"."):
            quoted = b"." + quoted
        if not quoted.endswith(b"\r\n"):
            quoted += b"\r\n"
        smtp.send(quoted + b".\r\n")
        return _expect("end of data", smtp.getreply(), 250)[1].decode()
    finally:
        smtp.close()
