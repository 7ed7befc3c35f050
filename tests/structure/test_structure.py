"""The shape of the source: which module may include which, who may know which library, the format
of the code, the man pages' syntax, and the catalogues."""

import os
import re
import shutil
import subprocess

import pytest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SRC = os.path.join(TOP, "src")

# Who may include whom, besides itself and base. The three programs may include every module.
BELOW = ["base"]
FOUNDATION = ["conf", "facts", "store", "auth", "submit"]
ARROWS = {
    "base": [],
    "conf": BELOW,
    "facts": BELOW,
    "store": BELOW,
    "auth": BELOW,
    "submit": BELOW,
    "classify": BELOW + ["facts"],
    "policy": BELOW + ["conf", "facts", "classify"],
    "digest": BELOW + FOUNDATION,
    "command": BELOW + ["conf"],
    "release": BELOW + FOUNDATION + ["policy", "digest", "command"],
    "control": BELOW + FOUNDATION + ["classify", "policy", "digest", "command", "release"],
}
PROGRAMS = ("milter", "daemon", "cli")

# Each library has one home.
HOMES = {
    r"iniparser(/|\.h)": ["conf"],
    r"db\.h": ["store"],
    r"spf2/": ["auth"],
    r"curl/": ["submit"],
    r"gmime/": ["digest"],
    r"libxml/": ["digest"],
    r"libmilter/": ["milter"],
    r"pcre2": ["classify"],
    r"idn2": ["base"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)


def breaches(module, text):
    """What a file of that module includes and may not."""
    found = []
    for kind, name in INCLUDE.findall(text):
        for library, homes in HOMES.items():
            if kind == "<" and re.match(library, name) and module not in homes:
                found.append(f"<{name}>: only {', '.join(homes)} may know this library")
        if kind == '"' and module not in PROGRAMS:
            other = name.split("/")[0] if "/" in name else module
            if other != module and other not in ARROWS[module]:
                found.append(f'"{name}": no arrow leads from {module} to {other}')
        if kind == '"' and name == "store/store_private.h" and module != "store":
            found.append(f'"{name}": for drivers only')
        if kind == '"' and module in PROGRAMS and name.split("/")[0] in PROGRAMS:
            if name.split("/")[0] != module:
                found.append(f'"{name}": programs do not include one another')
    return found


def sources():
    for directory, _, names in os.walk(SRC):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(directory, name)


def test_every_module_is_known():
    assert set(os.listdir(SRC)) <= set(ARROWS) | set(PROGRAMS)


def test_arrows():
    found = []
    for path in sources():
        module = os.path.relpath(path, SRC).split(os.sep)[0]
        with open(path, encoding="utf-8") as f:
            found += [f"{os.path.relpath(path, TOP)}: {b}" for b in breaches(module, f.read())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "module, line",
    [
        ("classify", '#include "policy/policy.h"'),
        ("store", '#  include "release/release.h"'),
        ("facts", "#include <gmime/gmime.h>"),
        ("milter", "#include <db.h>"),
        ("release", '#include "daemon/daemon.h"'),
        ("daemon", '#include "milter/spool.h"'),
        ("base", '#include "conf/conf.h"'),
        ("daemon", '#include "store/store_private.h"'),
    ],
)
def test_a_breach_is_found(module, line):
    assert breaches(module, f"#include <config.h>\n{line}\n")


@pytest.mark.parametrize(
    "module, line",
    [
        ("release", '#include "store/store.h"'),
        ("daemon", '#include "release/release.h"'),
        ("digest", "#include <gmime/gmime.h>"),
        ("base", '#include "base/rc.h"'),
    ],
)
def test_what_is_right_is_not(module, line):
    assert not breaches(module, f"#include <config.h>\n{line}\n")


def c_files():
    for top in ("src", "tests"):
        for directory, _, names in os.walk(os.path.join(TOP, top)):
            yield from (os.path.join(directory, n) for n in names if n.endswith((".c", ".h")))


def test_every_source_says_what_it_is():
    bare = []
    for path in c_files():
        with open(path, encoding="utf-8") as f:
            if not f.read(200).startswith("/*"):
                bare.append(path)
    assert not bare


@pytest.mark.skipif(shutil.which("clang-format") is None, reason="clang-format is not installed")
def test_format():
    result = subprocess.run(
        ["clang-format", "--dry-run", "--Werror", *sorted(c_files())],
        cwd=TOP, capture_output=True, text=True, check=False,
    )
    assert result.returncode == 0, result.stderr[:4000]


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("page", sorted(os.listdir(os.path.join(TOP, "man"))))
def test_man_page(page):
    if not page[-1].isdigit():
        pytest.skip("not a page")
    result = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", os.path.join(TOP, "man", page)],
        capture_output=True, text=True, check=False,
    )
    # Pages of other packages may not be installed here; our own must exist.
    complaints = []
    for line in result.stdout.splitlines() + result.stderr.splitlines():
        missing = re.search(r"referenced manual not found: Xr (\S+) (\d)", line)
        own = missing and missing.group(1).startswith("pullyu")
        if "mandoc.db" in line or (missing and not own):
            continue
        if own and os.path.exists(os.path.join(TOP, "man", ".".join(missing.groups()))):
            continue
        complaints.append(line)
    assert not complaints, "\n".join(complaints)


def test_every_man_page_is_installed():
    with open(os.path.join(TOP, "man", "local.mk"), encoding="utf-8") as f:
        listed = re.findall(r"man/(\S+)", f.read())
    pages = [p for p in os.listdir(os.path.join(TOP, "man")) if p[-1].isdigit()]
    assert sorted(p for p in listed if p[-1].isdigit()) == sorted(pages)


def phrases(text):
    """The msgid of each entry of a catalogue, with its msgstr; plural forms are entries too."""
    found = {}
    for entry in re.split(r"\n\n+", text):
        parts = {}
        for key, first, more in re.findall(
            r'^(msg\w+(?:\[\d\])?) "(.*)"((?:\n".*")*)', entry, re.M
        ):
            parts[key] = first + "".join(re.findall(r'"(.*)"', more))
        if parts.get("msgid"):
            found[(parts.get("msgctxt"), parts["msgid"])] = parts, entry
    return found


def catalogue(name):
    with open(os.path.join(TOP, "po", name), encoding="utf-8") as f:
        return phrases(f.read())


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext is not installed")
def test_template_of_catalogues_is_up_to_date():
    now = subprocess.run([os.path.join(TOP, "po", "messages"), TOP],
                         capture_output=True, text=True, check=True)
    want, got = phrases(now.stdout), catalogue("pullyu.pot")
    assert len(want) > 200
    assert set(got) == set(want), 'run "make update-po"'


@pytest.mark.parametrize("language", ["de", "fr", "nl"])
def test_catalogue_is_complete(language):
    got = catalogue(f"{language}.po")
    assert set(catalogue("pullyu.pot")) <= set(got)
    faults = []
    for (_, msgid), (parts, entry) in got.items():
        forms = [v for k, v in parts.items() if k.startswith("msgstr")]
        if not all(forms) or "#, fuzzy" in entry or entry.startswith("#~"):
            faults.append(f"{msgid}: not translated")
        for form in forms:
            holes = set(re.findall(r"\{\d\}|%\w", form))
            if not holes <= set(re.findall(r"\{\d\}|%\w", msgid + parts.get("msgid_plural", ""))):
                faults.append(f"{msgid}: {form}")
    assert not faults, "\n".join(faults)
