"""The digest of tests/morning, to the byte: what a reader sees at eight in the morning, in each
language; whether an HTML checker likes the page; branding; 5,000 messages at once."""

import difflib
import json
import os
import re
import shutil
import subprocess

import pytest

import morning

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
GOLDEN = morning.MAIL
LANGUAGES = ["en", "nl", "de", "fr"]


def built_with_hooks():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as header:
        return "#define PULLYU_TEST_HOOKS 1" in header.read()


def compare(name, got):
    path = os.path.join(GOLDEN, name)
    if os.environ.get("PULLYU_UPDATE_GOLDEN"):
        with open(path, "wb") as file:
            file.write(got)
    with open(path, "rb") as file:
        want = file.read()
    if got != want:
        lines = [text.decode().splitlines() for text in (want, got)]
        pytest.fail("\n".join(difflib.unified_diff(*lines, name, "now", lineterm="")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_text(tmp_path, language):
    if language != "en" and not built_with_hooks():
        pytest.skip("catalogues are looked for where they are installed")
    got = morning.write(BUILD, tmp_path, tmp_path / "out", "--text", language=language)
    compare(f"digest.{language}.txt", got)


def test_page(tmp_path):
    # A line an element: so that a difference can be read.
    got = morning.write(BUILD, tmp_path, tmp_path / "out", "--html")
    compare("digest.html", re.sub(rb"(</(?:p|h\d|li|ul|div|section)>)", rb"\1\n", got))


def tidy(path):
    if shutil.which("tidy") is None:
        pytest.skip("tidy is not installed")
    done = subprocess.run(["tidy", "-q", "-e", "--show-warnings", "yes", path],
                          stderr=subprocess.PIPE, check=False)
    return done.stderr.decode()


def test_a_checker_finds_nothing(tmp_path):
    morning.write(BUILD, tmp_path, tmp_path / "out.html", "--html")
    assert tidy(tmp_path / "out.html") == ""
    (tmp_path / "bad.html").write_text("<!DOCTYPE html><html><body><p><b></p></i>")
    assert tidy(tmp_path / "bad.html") != "", "the checker itself"


def luminance(colour):
    """WCAG 2.2, "relative luminance"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast(tmp_path):
    """All text on all grounds, in light and in dark: WCAG 2.2 asks for 4.5. Readers without
    variables have the light colours by name."""
    page = morning.write(BUILD, tmp_path, tmp_path / "out", "--html").decode()
    schemes = re.findall(r":root\{([^}]*)\}", page)
    assert len(schemes) == 2
    colours = [dict(re.findall(r"--(\w+):(#\w+)", scheme)) for scheme in schemes]
    assert contrast("#fff", "#000") == 21 and contrast("#777", "#fff") < 4.5, "the sum itself"
    for scheme in colours:
        for text in ("fg", "dim", "accent", "warn"):
            for ground in ("bg", "card"):
                assert contrast(scheme[text], scheme[ground]) >= 4.5, (text, ground)
        assert contrast(scheme["fg"], scheme["note"]) >= 4.5
    for plain, name in re.findall(r"(?:color|background):(#\w+);[a-z-]+:var\(--(\w+)\)", page):
        assert plain == colours[0][name]


# What a screen reader makes of it.


def test_the_page_as_it_is_heard(tmp_path):
    """One h1, no level left out, each entry in a list and with its subject as its heading, no
    table, and text that is not English in no element that says it were."""
    page = morning.write(BUILD, tmp_path, tmp_path / "out", "--html").decode()
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    summary = page.partition("Still wanted?")[0]
    entries = re.findall(r"<li>(.*?)</li>", summary, re.S)
    assert len(entries) == summary.count("<li>") == page.count("<h3") == 9
    assert all(entry.count("<h3") == 1 for entry in entries)
    assert "<table" not in page and "<img" not in page
    assert '<html lang="en" dir="ltr">' in page and "<main>" in page
    assert '<h3 dir="auto">ספרים חדשים לרביע (3 books)</h3>' in page
    # Links that are called alike are told apart by whom they are about.
    names = re.findall(r'<a href="mailto:pullyu@[^"]*" aria-label="([^"]*)">([^<]*)</a>', page)
    assert len(names) == len(set(names)) == 3 * len(entries)
    assert all(name.startswith(text + ": ") for name, text in names)


# Branding.


def branded(tmp_path, files):
    directory = tmp_path / "template"
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text)
    description = morning.description(str(tmp_path))
    description["templates"] = str(directory)
    source = tmp_path / "description.json"
    source.write_text(json.dumps(description))
    done = subprocess.run(
        [f"{BUILD}/tests/unit/digest_write", "--html", source, tmp_path / "out.html"],
        stderr=subprocess.PIPE, check=True)
    return (tmp_path / "out.html").read_text(), done.stderr.decode()


def test_a_style_of_ones_own(tmp_path):
    page, problems = branded(tmp_path, {"digest.css": "body{color:#123456}\n"})
    assert problems == ""
    assert "<style>body{color:#123456}\n</style>" in page
    assert "The Garden Letter" in page and "Your digest" in page


def test_a_template_of_ones_own(tmp_path):
    template = """<!DOCTYPE html>
<html><head><meta charset="utf-8"/><title data-text="subject"/></head><body>
<p>Harbour office &#183; <a href="https://harbour.example/help">Help</a></p>
<ul data-each="sections"><li data-each="groups"><p data-each="entries"
class="x" data-text="subject">example</p></li></ul></body></html>"""
    page, problems = branded(tmp_path, {"digest.html": template})
    assert problems == ""
    assert 'Harbour office · <a href="https://harbour.example/help">Help</a>' in page
    assert '<p class="x" dir="auto">What to sow before the frost</p>' in page
    assert "data-" not in page and "example<" not in page.replace(".example<", "")
    assert tidy(tmp_path / "out.html") == ""


def test_a_broken_template_is_told_and_not_used(tmp_path):
    page, problems = branded(tmp_path, {"digest.html": "<html><body><p></body></html>"})
    assert re.search(r"template: .*/digest\.html:1: .*mismatch", problems)
    assert "The Garden Letter" in page


# Size.


def test_5000_messages(tmp_path):
    program = f"{BUILD}/tests/unit/digest_write"
    entries = []
    for n in range(5000):
        path = tmp_path / f"{n}"
        path.write_bytes(b"Message-ID: <%d@x.example>\r\nList-Unsubscribe: <https://x.example/%d>\r\n"
                         b"Content-Type: text/html\r\n\r\n<p>Words of number %d.</p>\r\n" % (n, n, n)
                         + b"<!-- filler -->\r\n" * 500)
        entries.append({"id": str(n), "path": str(path), "lead": 0, "size": path.stat().st_size,
                        "from_name": f"Sender {n}", "from_addr": f"{n}@x.example",
                        "subject": f"Subject {n}", "list_id": "", "class_name": "newsletter",
                        "why": "it calls itself bulk mail", "received": morning.SLOT - n})
    description = dict(morning.description(str(tmp_path)), entries=entries)
    source, out = tmp_path / "description.json", tmp_path / "out.eml"
    source.write_text(json.dumps(description))
    pid = os.posix_spawn(program, [program, str(source), str(out)], os.environ)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    data = out.read_bytes()
    assert data.count(b"\r\nContent-Type: message/rfc822\r\n") == 5000
    assert b"Words of number 4999." in data.split(b"multipart/digest")[0]
    with open(program, "rb") as binary:
        sanitized = b"__asan_" in binary.read() or b"__tsan_" in open(program, "rb").read()
    if not sanitized:
        assert usage.ru_maxrss < 200 * 1024, f"{usage.ru_maxrss} kB"
