#!/usr/bin/env python3
"""Loads keyfence with more than people do, and writes what came of it to benches/runs/ and docs/reliability.md.

    cargo build --release && cargo build --release --example many_repositories
    benches/load.py

| part | what |
|---|---|
| `repositories` | 10,000 small repositories one after another, in one process, through the library: memory stays flat |
| `files` | 1,000,000 files |
| `hook` | a commit of 50,000 new files under the hook |
| `together` | 64 scans at once |
"""

import argparse
import concurrent.futures
import datetime
import hashlib
import os
import random
import shutil
import string
import subprocess
import tempfile
import time
from pathlib import Path

import harness
from harness import Subject
from measure import HERE, Bench, describe, table

DOCUMENT = HERE.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- load: written by benches/load.py -->\n", "<!-- end of load -->\n"
FOUND = (0, 1)
# How much more memory 10,000 repositories may hold than a tenth of them did.
FLAT = 1.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keyfence", default="target/release/keyfence", help="the release binary")
    parser.add_argument("--many", default="target/release/examples/many_repositories", help="the example, built alike")
    parser.add_argument("--work", type=Path, help="where to make material; kept, and used again when it is there")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts to measure")
    parser.add_argument("--share", type=float, default=1, help="of all the numbers; for trying it out")
    parser.add_argument("--note", action="append", default=[], help="what the reader must know of this run")
    parser.add_argument("--tools", type=Path, help="where other tools were installed (see README.md)")
    parser.add_argument("--out", type=Path, help="the file to write; a dated one in benches/runs by default")
    return parser.parse_args()


def letters(dice, count=64):
    return "".join(dice.choice(string.ascii_letters + string.digits) for _ in range(count))


def leak(dice):
    """An invented pair."""
    return f"BINANCE_API_KEY={letters(dice)}\nBINANCE_API_SECRET={letters(dice)}\n"


def import_stream(dice):
    """Three commits, of which the second one leaks and the third one removes the leak; as `git fast-import` reads them."""
    lines = []

    def data(text):
        lines.append(f"data {len(text)}\n{text}\n")

    for number in range(3):
        lines.append(f"commit refs/heads/main\ncommitter B <b@example.org> {1_700_000_000 + number} +0000\n")
        data(f"Commit {number}")
        for file in range(6):
            lines.append(f"M 100644 inline part{file % 2}/{file}.py\n")
            data("".join(f"value_{dice.randrange(9999)} = {line}\n" for line in range(30)))
        if number == 1:
            lines.append("M 100644 inline old.env\n")
            data(leak(dice))
        if number == 2:
            lines.append("D old.env\n")
    return "".join(lines)


def make_repositories(bench, place, count):
    def make(number):
        dice, at = random.Random(number), place / f"{number:06}"
        at.mkdir(parents=True)

        def git(*words, **more):
            command = [bench.tools["git"], *words]
            subprocess.run(command, cwd=at, env=bench.environment, check=True, capture_output=True, **more)

        git("init", "-q", "--template=", "--initial-branch=main")
        git("fast-import", "--quiet", input=import_stream(dice).encode())
        git("reset", "-q", "--hard")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as hands:
        list(hands.map(make, range(count)))


def repositories_part(bench):
    count = int(10_000 * bench.options.share)
    place = bench.made(f"repositories-{count}", lambda place: make_repositories(bench, place, count) or place)
    begun = time.perf_counter()
    told = subprocess.run(
        [str(Path(bench.options.many).resolve()), str(place)],
        env=bench.environment, check=True, stdout=subprocess.PIPE, text=True,
    )
    seconds = time.perf_counter() - begun
    rows = [[int(word) for word in line.split()] for line in told.stdout.splitlines()[1:]]
    bench.say("", "## Repositories", "", f"{count:,} repositories of 3 commits, each scanned in three ways: files, index, history.", "")
    bench.say("| repositories | findings | problems | memory MB | open files | threads |", "|---:|---:|---:|---:|---:|---:|")
    for number, found, problems, kilobytes, files, threads in rows:
        bench.say(f"| {number:,} | {found:,} | {problems} | {kilobytes * 1024 / 1e6:.1f} | {files} | {threads} |")
    first, last = rows[1], rows[-1]
    grown = last[3] / first[3]
    flat = "flat" if grown <= FLAT and last[4] == first[4] and last[5] == first[5] else "NOT FLAT"
    figure = (
        f"{count:,} in {seconds:,.0f} s, {seconds / count * 1000:.1f} ms each; {first[3] * 1024 / 1e6:.1f} MB after a tenth, "
        f"{last[3] * 1024 / 1e6:.1f} MB at the end: {flat}"
    )
    bench.say("", f"- {figure}", f"- {last[1]:,} of {2 * count:,} random values found, {last[2]} problems")
    # A random value without a digit, one of 75,000, is not taken for one.
    assert last[1] >= 0.999 * 2 * count and last[2] == 0, "nearly all is found, and nothing is missing"
    return "small repositories one after another, in one process", figure


def make_files(place, count):
    dice = random.Random(1)
    for directory in range(max(1, count // 1000)):
        at = place / f"{directory % 40}" / f"{directory}"
        at.mkdir(parents=True)
        for file in range(1000):
            text = f"value = {dice.randrange(1 << 30)}\nname = 'file {file} of {directory}'\n"
            (at / f"{file}.py").write_text(text, encoding="utf-8")
        if directory % 100 == 0:
            (at / "leak.env").write_text(leak(dice), encoding="utf-8")
    return place


def files_part(bench):
    count = int(1_000_000 * bench.options.share)
    place = bench.made(f"files-{count}", lambda place: make_files(place, count))
    scan = Subject("keyfence scan", [bench.keyfence, "scan", "--no-ignore", "--no-progress", str(place)], accepted=(1,))
    subjects = [scan]
    if "rg" in bench.tools:
        command = [bench.tools["rg"], "--no-ignore", "--hidden", "-c", "quagga" + "_zither", str(place)]
        subjects.append(Subject("rg --no-ignore --hidden -c", command, accepted=FOUND))
    harness.interleave(subjects, 2, bench.environment)
    bench.say("", "## Files", "", f"{count:,} files.", "", *table(subjects, memory=True))
    return f"{count:,} files", f"{scan.best:.1f} s, {scan.peak_bytes / 1e6:.0f} MB"


def hook_part(bench):
    count = int(50_000 * bench.options.share)
    place = bench.work / f"commit-{count}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)

    def git(*words, **more):
        subprocess.run([bench.tools["git"], *words], cwd=place, env=bench.environment, check=True, capture_output=True, **more)

    git("init", "-q", "--initial-branch=main")
    git("commit", "-q", "--allow-empty", "-m", "Begin")
    make_files(place / "src", count)
    for leaking in place.rglob("leak.env"):
        leaking.unlink()
    git("add", "-A")
    subprocess.run([bench.keyfence, "hook", "install"], cwd=place, env=bench.environment, check=True, capture_output=True)
    scan = Subject("keyfence scan --staged", [bench.keyfence, "scan", "--staged", "--no-progress"], str(place))
    diff = Subject("git diff --cached", [bench.tools["git"], "diff", "--cached"], str(place))
    harness.interleave([scan, diff], 3, bench.environment)
    free = Subject("git commit --no-verify", [bench.tools["git"], "commit", "-q", "--no-verify", "-m", "x"], str(place))
    held = Subject("git commit, with the hook", [bench.tools["git"], "commit", "-q", "-m", "x"], str(place))
    for _ in range(2):
        for subject in (free, held):
            harness.run(subject, bench.environment)
            git("reset", "-q", "--soft", "HEAD~1")
    bench.say("", "## Hook", "", f"A commit of {count:,} new files.", "", *table([scan, diff, free, held], memory=True))
    figure = f"{held.best:.1f} s with the hook, {free.best:.1f} s without; the scan takes {scan.best:.1f} s, {scan.peak_bytes / 1e6:.0f} MB"
    return f"a commit of {count:,} files", figure


def together_part(bench):
    count = max(2, int(64 * bench.options.share))
    corpus = bench.corpus()
    command = [bench.keyfence, "scan", "--no-ignore", "--no-progress", "-f", "json", str(corpus)]

    def one(_):
        process = subprocess.Popen(command, env=bench.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        report = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        # How long it took is the one thing that differs.
        lines = [line for line in report.splitlines() if b'"duration' not in line and b"seconds" not in line]
        return process.returncode, hashlib.sha256(b"\n".join(lines)).hexdigest(), usage.ru_maxrss * 1024

    alone = time.perf_counter()
    expected = one(0)
    alone = time.perf_counter() - alone
    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(count) as hands:
        came = list(hands.map(one, range(count)))
    seconds = time.perf_counter() - begun
    same = sum(result[:2] == expected[:2] for result in came)
    most = max(result[2] for result in came)
    figure = (
        f"{same} of {count} say the same as one alone; {seconds:.1f} s for all, {alone:.2f} s for one alone; "
        f"at most {most / 1e6:.0f} MB each"
    )
    bench.say("", "## Together", "", f"{count} scans of a corpus of sources at once, on {os.cpu_count()} cores.", "", f"- {figure}")
    assert same == count and expected[0] in FOUND, figure
    return f"{count} scans at once on {os.cpu_count()} cores", figure


PARTS = {"repositories": repositories_part, "files": files_part, "hook": hook_part, "together": together_part}


def tell(figures):
    """Puts figures into the document; those of parts that were not measured stay."""
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    kept, after = rest.split(END)
    rows = dict(line.strip("| ").split(" | ", 1) for line in kept.splitlines()[2:])
    rows.update(figures)
    made = "".join(f"| {name} | {figure} |\n" for name, figure in rows.items())
    DOCUMENT.write_text(f"{before}{BEGIN}| load | what came |\n|---|---|\n{made}{END}{after}", encoding="utf-8")


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, work)
        describe(bench)
        figures = [PARTS[part](bench) for part in options.only]
        bench.say("", f"Load at the end: {harness.machine()['load before']}.")
    now = datetime.datetime.now(datetime.timezone.utc)
    out = options.out or HERE / "runs" / f"{now:%Y-%m-%d-%H%M}-load.md"
    out.write_text("\n".join(bench.lines) + "\n", encoding="utf-8")
    if options.share == 1:
        tell(figures)


if __name__ == "__main__":
    main()
