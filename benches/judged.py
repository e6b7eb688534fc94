#!/usr/bin/env python3
"""Scans the sources of published packages and holds what is found against what a person said of it.

The packages stand in judged/packages.csv, the judgements in judged/findings.csv. Downloads the packages (from PyPI, npm
and crates.io, never building or running anything of them), writes docs/judged.md, and ends with 1 when something is found
that nobody has judged, or was judged and is not found any more.
"""

import argparse
import csv
import fnmatch
import html
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections import defaultdict
from pathlib import Path

import material

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "judged.md"
BEGIN, END = "<!-- judged: written by benches/judged.py -->\n", "<!-- end of judged -->\n"
AGREED, WRONG = "agreed", "wrong"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keyfence", default="target/release/keyfence", help="the release binary")
    parser.add_argument("--work", type=Path, help="where packages are unpacked; kept, and used again when they are there")
    return parser.parse_args()


def rows(name):
    with open(HERE / "judged" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(address):
    with urllib.request.urlopen(address, timeout=120) as answer:
        return answer.read()


def from_pypi(package, version):
    """The address of the source archive: the page lists each file as a link."""
    plain = lambda name: re.sub(r"[-_.]+", "-", name.lower())
    page = f"https://pypi.org/simple/{plain(package)}/"
    for link, name in re.findall(r'<a[^>]*href="([^"#]*)[^"]*"[^>]*>([^<]*)</a>', read(page).decode()):
        if plain(name.strip()) == plain(f"{package}-{version}.tar.gz"):
            return urllib.parse.urljoin(page, html.unescape(link))
    raise SystemExit(f"{page} lists no source archive of version {version}")


def from_npm(package, version):
    return json.loads(read(f"https://registry.npmjs.org/{package}/{version}"))["dist"]["tarball"]


def from_crates_io(package, version):
    return f"https://static.crates.io/crates/{package}/{package}-{version}.crate"


ADDRESSES = {"pypi": from_pypi, "npm": from_npm, "crates.io": from_crates_io}


def unpacked(package, work):
    """The directory of the package's sources, downloaded if it is not there."""
    place = work / "-".join((package["registry"], package["package"].replace("/", "-"), package["version"]))
    if not place.exists():
        address = ADDRESSES[package["registry"]](package["package"], package["version"])
        part = place.with_name(place.name + ".part")
        with tarfile.open(fileobj=io.BytesIO(read(address)), mode="r:gz") as archive:
            archive.extractall(part, filter="data")
        part.rename(place)
    return place


def found(keyfence, directory):
    """(rule, path, line) of everything that counts, under the defaults, without what the package itself allows."""
    command = [keyfence, "scan", "--no-ignore", "--no-config", "--no-inline-allow", "--format", "json", "."]
    answer = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    if answer.returncode not in (0, 1):
        raise SystemExit(f"keyfence could not scan {directory}:\n{answer.stderr.decode()}")
    findings = json.loads(answer.stdout)["findings"]
    # Archives have one directory at the top that is named after the package.
    inside = lambda path: path.split("/", 1)[-1]
    return sorted((f["rule"], inside(f["path"]), f["line"]) for f in findings if f["verdict"] == "open")


class Judgements:
    """What was said of findings, and which sayings have been of use."""

    def __init__(self):
        self.rows = rows("findings.csv")
        self.used = set()

    def of(self, package, rule, path, line):
        for number, row in enumerate(self.rows):
            lines = row["lines"].split()
            if (
                row["package"] == package
                and row["rule"] == rule
                and fnmatch.fnmatchcase(path, row["path"])
                and (not lines or str(line) in lines)
            ):
                self.used.add((number, str(line) if lines else ""))
                return row
        return None

    def unused(self):
        wanted = {(number, line) for number, row in enumerate(self.rows) for line in row["lines"].split() or [""]}
        return [(self.rows[number], line) for number, line in sorted(wanted - self.used)]


def table_of_packages(scanned):
    lines = ["| package | files | MB | findings | agreed | wrong |", "|---|---:|---:|---:|---:|---:|"]
    total = [0, 0, 0, 0, 0]
    for package, files, size, judged in scanned:
        counts = [sum(row["judgement"] == word for row, *_ in judged) for word in (AGREED, WRONG)]
        figures = [files, size, len(judged), *counts]
        total = [one + other for one, other in zip(total, figures)]
        name = f"{package['package']} {package['version']} ({package['registry']})"
        lines.append(f"| {name} | {files:,} | {size / 1e6:.1f} | {len(judged)} | {counts[0]} | {counts[1]} |")
    files, size, findings, agreed, wrong = total
    lines.append(f"| **all {len(scanned)}** | {files:,} | {size / 1e6:.1f} | {findings} | {agreed} | {wrong} |")
    return lines


def table_of_findings(scanned):
    lines = ["| package | rule | where | judgement |", "|---|---|---|---|"]
    for package, _, _, judged in scanned:
        groups = defaultdict(lambda: defaultdict(list))
        for row, rule, path, line in judged:
            groups[(rule, row["judgement"], row["reason"])][path].append(str(line))
        for (rule, judgement, reason), places in groups.items():
            where = "<br>".join(f"`{path}`:{', '.join(numbers)}" for path, numbers in places.items())
            lines.append(f"| {package['package']} | `{rule}` | {where} | {judgement}: {reason} |")
    return lines


def write(scanned):
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    tables = [*table_of_packages(scanned), "", *table_of_findings(scanned), ""]
    PAGE.write_text(before + BEGIN + "\n".join(tables) + END + after, encoding="utf-8")


def judge(options, work):
    judgements = Judgements()
    scanned, unjudged = [], []
    for package in rows("packages.csv"):
        directory = unpacked(package, work)
        files, size = material.measure_directory(directory)
        judged = []
        for rule, path, line in found(str(Path(options.keyfence).resolve()), directory):
            row = judgements.of(package["package"], rule, path, line)
            if row:
                judged.append((row, rule, path, line))
            else:
                unjudged.append(f"{package['package']},{rule},{path},{line}")
        scanned.append((package, files, size, judged))
    for line in unjudged:
        print(f"nobody has judged: {line}")
    for row, line in judgements.unused():
        print(f"not found any more: {row['package']},{row['rule']},{row['path']},{line}")
    if unjudged or judgements.unused():
        return 1
    write(scanned)
    return 0


def main():
    options = arguments()
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
        return judge(options, options.work)
    with tempfile.TemporaryDirectory() as work:
        return judge(options, Path(work))


if __name__ == "__main__":
    sys.exit(main())
