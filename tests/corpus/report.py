#!/usr/bin/python3
"""The classifier against a labelled corpus: a table class by class, and every wrong row.

usage: report.py [--check EXPECTATION | --write EXPECTATION] [--quiet] PULLYU RULES CORPUS

PULLYU is the program (pullyu) or one that takes the same "classify" arguments, RULES a rules.d,
CORPUS a directory with messages/ and labels.tsv (columns file, class, action, confidence, ...).
--check fails (status 1) if a class does worse than EXPECTATION says; --write makes that file.
Beside it stands what a one-line Sieve rule would have held, with List-Unsubscribe alone, and with
List-Id and Precedence too.
"""
import argparse
import collections
import csv
import json
import os
import re
import subprocess
import sys

CLASSES = ("personal discussion newsletter notification transactional security calendar bounce "
           "spam").split()
SIEVE_SHORT = {b"list-unsubscribe"}
SIEVE_LONG = {b"list-unsubscribe", b"list-id", b"precedence"}


def classify(program, rules, paths):
    done = subprocess.run([program, "classify", "--format", "json", "--rules", rules, *paths],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} classify: exit status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def field_names(path):
    with open(path, "rb") as f:
        header = re.split(rb"\r?\n\r?\n", f.read(), maxsplit=1)[0]
    return {m.group(1).lower() for m in re.finditer(rb"(?m)^([!-9;-~]+)[ \t]*:", header)}


def rate(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "      -"


def table(rows, confidence):
    print(f"\nlabels of confidence {confidence}:")
    print(f"{'class':14} {'count':>5} {'held':>5} {'passed':>6} {'wrong':>5} {'right':>8} "
          f"{'as class':>9}  {'sieve U':>8} {'sieve UIP':>9}")
    for cls in CLASSES:
        mine = [r for r in rows if r["class"] == cls and r["confidence"] == confidence]
        if not mine:
            continue
        counted = [r for r in mine if r["action"] != "either"]
        held = sum(r["got"]["action"] == "hold" for r in mine)
        wrong = sum(r["wrong"] for r in counted)
        named = sum(r["got"]["class"] == cls for r in mine)
        print(f"{cls:14} {len(mine):5} {held:5} {len(mine) - held:6} {wrong:5} "
              f"{rate(len(counted) - wrong, len(counted)):>8} {rate(named, len(mine)):>9}  "
              f"{rate(sum(r['sieve_short'] for r in mine), len(mine)):>8} "
              f"{rate(sum(r['sieve_long'] for r in mine), len(mine)):>9}")


def wrong_rows(rows):
    print("\nwrong actions:")
    for r in rows:
        if not r["wrong"]:
            continue
        got = r["got"]
        print(f"{r['confidence']:4} {r['file']}: {r['class']}, to {r['action']}; "
              f"got {got['class']} {got['score']:.1f}")
        for reason in got["reasons"]:
            print(f"       {reason['class']:14}{reason['weight']:+5.1f} {reason['rule']}"
                  f"{' VETO' if reason['vetoes'] else ''}: {reason['seen']}")


def confusion(rows):
    print("\nright or free in action, but another class:")
    count = collections.Counter((r["confidence"], r["class"], r["got"]["class"]) for r in rows
                                if r["got"]["class"] != r["class"] and r["class"] != "spam")
    for (confidence, cls, got), n in sorted(count.items()):
        files = [r["file"][:4] for r in rows if (r["confidence"], r["class"], r["got"]["class"]) ==
                 (confidence, cls, got)]
        print(f"{confidence:4} {cls:14} as {got:14} {n:4}  {' '.join(files[:24])}")


def summary(rows):
    """What the expectation file keeps: per confidence and class, wrong actions and right classes."""
    out = {}
    for r in rows:
        if r["class"] == "spam":
            continue
        s = out.setdefault(f"{r['confidence']} {r['class']}",
                           {"count": 0, "wrong_action": 0, "right_class": 0})
        s["count"] += 1
        s["wrong_action"] += r["wrong"]
        s["right_class"] += r["got"]["class"] == r["class"]
    return out


def check(got, path):
    with open(path, encoding="utf-8") as f:
        want = json.load(f)
    worse = 0
    for key, w in want.items():
        g = got.get(key)
        if g is None or g["count"] != w["count"]:
            print(f"{key}: another corpus than the expectation was made for; no comparison")
            return 0
        if g["wrong_action"] > w["wrong_action"]:
            print(f"{key}: wrong actions: got {g['wrong_action']}, want at most "
                  f"{w['wrong_action']}")
            worse += 1
        if g["right_class"] < w["right_class"]:
            print(f"{key}: recognised: got {g['right_class']}, want at least {w['right_class']}")
            worse += 1
    return worse


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--check")
    parser.add_argument("--write")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("program")
    parser.add_argument("rules")
    parser.add_argument("corpus")
    args = parser.parse_args()
    with open(os.path.join(args.corpus, "labels.tsv"), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    paths = [os.path.join(args.corpus, "messages", r["file"]) for r in rows]
    for row, path, got in zip(rows, paths, classify(args.program, args.rules, paths), strict=True):
        names = field_names(path)
        row["got"] = got
        row["wrong"] = row["action"] in ("hold", "pass") and got["action"] != row["action"]
        row["sieve_short"] = bool(names & SIEVE_SHORT)
        row["sieve_long"] = bool(names & SIEVE_LONG)
    if not args.quiet:
        table(rows, "high")
        table(rows, "low")
        wrong_rows(rows)
        confusion(rows)
    if args.write:
        with open(args.write, "w", encoding="utf-8") as f:
            json.dump(summary(rows), f, indent=1, sort_keys=True)
            f.write("\n")
    return 1 if args.check and check(summary(rows), args.check) else 0


if __name__ == "__main__":
    sys.exit(main())
