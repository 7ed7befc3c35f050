"""auth_spf_check through libspf2's resolver and a real DNS server on a loopback port."""

import os
import socket
import subprocess
import threading

import pytest
from dnslib import A, AAAA, CNAME, MX, QTYPE, RCODE, RR, TXT, DNSRecord

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
QUERY = os.path.join(BUILD, "tests/unit/spf_query")

LONG = " ".join(f"ip4:10.{i}.0.0/16" for i in range(60))
ZONE = {
    ("example.org", "TXT"): [TXT("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 "
                                 "a:mail.example.org mx -all"), TXT("unrelated")],
    ("example.org", "MX"): [MX("mx.example.org", 10)],
    ("mx.example.org", "A"): [A("198.51.100.7")],
    ("mx.example.org", "AAAA"): [AAAA("2001:db8:7::7")],
    ("mail.example.org", "A"): [A("198.51.100.8")],
    ("redirect.example", "TXT"): [TXT("v=spf1 redirect=example.org")],
    ("include.example", "TXT"): [TXT("v=spf1 include:example.org ?all")],
    ("split.example", "TXT"): [TXT([b"v=spf1 ip4:19", b"2.0.2.0/24 -all"])],
    ("long.example", "TXT"): [TXT([part.encode() for part in
                                   [("v=spf1 " + LONG + " ip4:192.0.2.1 -all")[i:i + 255]
                                    for i in range(0, len(LONG) + 30, 255)]])],
    ("alias.example", "TXT"): [CNAME("example.org")],
    ("plain.example", "TXT"): [TXT("hello")],
    ("slow.example", "TXT"): "silence",
    ("broken.example", "TXT"): RCODE.SERVFAIL,
    ("refused.example", "TXT"): RCODE.REFUSED,
    ("garbage.example", "TXT"): b"\x00" * 40,
    ("tail.example", "TXT"): "cut",
    ("half.example", "TXT"): [TXT("v=spf1 a:dead.example -all")],
    ("dead.example", "A"): RCODE.SERVFAIL,
    ("host.example", "A"): [A("192.0.2.77")],
    ("helo.example", "TXT"): [TXT("v=spf1 ip4:192.0.2.1 -all")],
    ("void.example", "TXT"): [TXT("v=spf1 a:v1.example a:v2.example a:v3.example "
                                  "ip4:192.0.2.1 -all")],
}


def answer(data, tcp):
    """The reply's bytes, or None for silence."""
    request = DNSRecord.parse(data)
    name = str(request.q.qname).rstrip(".").lower()
    qtype = QTYPE[request.q.qtype]
    reply = request.reply()
    entry = ZONE.get((name, qtype))
    if entry == "silence":
        return None
    if isinstance(entry, bytes):
        return data[:2] + entry
    if isinstance(entry, int):
        reply.header.rcode = entry
    elif isinstance(entry, list):
        for rdata in entry:
            rtype = getattr(QTYPE, type(rdata).__name__)
            reply.add_answer(RR(name, rtype, rdata=rdata, ttl=5))
            if rtype == QTYPE.CNAME:
                target = str(rdata.label).rstrip(".")
                for more in ZONE[(target, qtype)]:
                    reply.add_answer(RR(target, request.q.qtype, rdata=more, ttl=5))
    elif entry == "cut":
        reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT("v=spf1 ip4:192.0.2.1 -all"), ttl=5))
        return reply.pack()[:-9]
    elif not any(known == name for known, _ in ZONE):
        reply.header.rcode = RCODE.NXDOMAIN
    packed = reply.pack()
    if not tcp and len(packed) > 512:
        reply = request.reply()
        reply.header.tc = 1
        return reply.pack()
    return packed


class Dns:
    """UDP and TCP on one port of 127.0.0.1."""

    def __enter__(self):
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            try:
                self.tcp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(5)
        self.stop = False
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._udp, self._tcp)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        self.udp.close()
        self.tcp.close()

    def _udp(self):
        while True:
            data, peer = self.udp.recvfrom(4096)
            if self.stop:
                return
            reply = answer(data, tcp=False)
            if reply is not None:
                self.udp.sendto(reply, peer)

    def _tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(5)
                size = int.from_bytes(conn.recv(2, socket.MSG_WAITALL), "big")
                reply = answer(conn.recv(size, socket.MSG_WAITALL), tcp=True)
                if reply is not None:
                    conn.sendall(len(reply).to_bytes(2, "big") + reply)


@pytest.fixture(scope="module")
def dns():
    with Dns() as server:
        yield server


def query(port, ip, sender, helo="helo.example"):
    result = subprocess.run([QUERY, str(port), ip, helo, sender], stdout=subprocess.PIPE, text=True,
                            timeout=60, check=True)
    return result.stdout.strip().split(" ", 1)


ROWS = [
    ("ip4", "192.0.2.9", "ann@example.org", "pass"),
    ("mapped", "::ffff:192.0.2.9", "ann@example.org", "pass"),
    ("outside", "203.0.113.1", "ann@example.org", "fail"),
    ("ip6", "2001:db8:1::1", "ann@example.org", "pass"),
    ("ip6 outside", "2001:db8:2::1", "ann@example.org", "fail"),
    ("mx", "198.51.100.7", "ann@example.org", "pass"),
    ("mx by ip6", "2001:db8:7::7", "ann@example.org", "pass"),
    ("a", "198.51.100.8", "ann@example.org", "pass"),
    ("redirect", "192.0.2.9", "ann@redirect.example", "pass"),
    ("include", "192.0.2.9", "ann@include.example", "pass"),
    ("include, no match", "203.0.113.1", "ann@include.example", "neutral"),
    ("a record in two strings", "192.0.2.9", "ann@split.example", "pass"),
    ("a long record, by TCP", "192.0.2.1", "ann@long.example", "pass"),
    ("a long record, no match", "192.0.2.2", "ann@long.example", "fail"),
    ("CNAME", "192.0.2.9", "ann@alias.example", "pass"),
    ("no SPF", "192.0.2.9", "ann@plain.example", "none"),
    ("no TXT", "192.0.2.9", "ann@host.example", "none"),
    ("no domain", "192.0.2.9", "ann@missing.example", "none"),
    ("SERVFAIL", "192.0.2.9", "ann@broken.example", "temperror"),
    ("REFUSED", "192.0.2.9", "ann@refused.example", "temperror"),
    ("silence", "192.0.2.9", "ann@slow.example", "temperror"),
    ("SERVFAIL half way", "192.0.2.9", "ann@half.example", "temperror"),
    ("null sender", "192.0.2.1", "", "pass"),
    ("null sender, fail", "192.0.2.2", "", "fail"),
    ("void lookups", "192.0.2.2", "ann@void.example", "fail"),
]


@pytest.mark.parametrize("label,ip,sender,want", ROWS, ids=[row[0] for row in ROWS])
def test_result(dns, label, ip, sender, want):
    got = query(dns.port, ip, sender)
    assert got[0] == want, got
    assert (len(got) == 2) == (want == "temperror"), got


@pytest.mark.parametrize("name", ["garbage.example", "tail.example"])
def test_bad_answers_are_never_a_verdict(dns, name):
    got = query(dns.port, "203.0.113.1", f"ann@{name}")
    assert got[0] in ("none", "temperror"), got


def test_no_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert query(port, "192.0.2.9", "ann@example.org")[0] == "temperror"
