"""What a reader does with a digest: finds its links, sends the mail that a link makes, reads the answer."""

import email
import email.policy
import html.parser
import re
from urllib.parse import parse_qs, unquote, urlsplit

import messages
from harness import is_answer
from waiting import wait_for

TOKEN = re.compile(r"\[pullyu ([A-Za-z0-9_-]+)\]")


class _Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.hrefs = []

    def handle_starttag(self, tag, attrs):
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.hrefs.append(href)


class Link:
    """A mailto address (RFC 6068), as a mail program takes it apart."""

    def __init__(self, href):
        parts = urlsplit(href)
        assert parts.scheme == "mailto", href
        fields = parse_qs(parts.query, strict_parsing=True)
        self.to = unquote(parts.path)
        self.subject = fields["subject"][0]
        self.body = fields.get("body", [""])[0]
        found = TOKEN.search(self.subject)
        self.token = found.group(1) if found else None

    def mail(self, user, body=None, subject=None, extra=(), message_id=None, sender=None):
        fields = messages._common(sender or user, self.to, subject or self.subject, message_id)
        return messages.build(fields + list(extra), self.body if body is None else body)


def page_of(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return message.get_body(("html",)).get_content()


def text_of(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return message.get_body(("plain",)).get_content()


def links_of(raw):
    """The links of a digest or an answer that are commands, in their order."""
    parser = _Links()
    parser.feed(page_of(raw))
    links = [Link(href) for href in parser.hrefs if href.startswith("mailto:") and "pullyu" in href]
    return [link for link in links if link.token]


def by_words(raw, words):
    """The links whose subject says something like words."""
    return [link for link in links_of(raw) if re.search(words, link.subject, re.I)]


def say(site, user, link, **options):
    """Sends a link's mail as the user's mail program would: after logging in."""
    return site.send(link.mail(user, **options), user, [link.to], auth=user)


def reply(site, user, digest, words, auth=True, **options):
    """Replies to a digest with these words in the first line."""
    message = email.message_from_bytes(digest, policy=email.policy.default)
    to = message["Reply-To"] or message["From"]
    address = re.search(r"[^<\s]+@[^>\s]+", str(to)).group(0)
    quoted = "".join(f"> {line}\n" for line in text_of(digest).splitlines())
    raw = messages.build(
        messages._common(user, address, "Re: " + str(message["Subject"]))
        + [("In-Reply-To", message["Message-ID"]), ("References", message["Message-ID"])],
        f"{words}\n\nOn Monday, Pullyu wrote:\n{quoted}",
    )
    return site.send(raw, user, [address], auth=user if auth else None, **options)


def answers(site, user):
    return [raw for raw in site.inbox(user) if is_answer(raw)]


def wait_answers(site, user, count):
    """The newest of that many answers."""
    found = wait_for(
        lambda: (a := answers(site, user)) and len(a) >= count and a,
        f"{count} answers to {user}",
        detail=site.logs,
    )
    return found[-1]


def subject_of(raw):
    return str(email.message_from_bytes(raw, policy=email.policy.default)["Subject"])


def wait_quiet(site):
    """Until no command waits."""
    wait_for(
        lambda: not site.pullyu.commands() and not site.pullyu.incoming() and not site.mta.queued(),
        "the commands to be carried out",
        detail=site.logs,
    )
