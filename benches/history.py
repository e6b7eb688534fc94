#!/usr/bin/env python3
"""Measures history scans of repositories beside git and other tools, and writes the figures of one run to benches/runs/.

See benches/README.md for what each figure means. Nothing is written into the repositories: they are cloned first.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import harness
from harness import Subject
from measure import HERE, Bench, describe, milliseconds, ratio, table

FOUND = (0, 1)
CACHE = "keyfence"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path, help="repositories with a large history")
    parser.add_argument("--keyfence", default="target/release/keyfence", help="the release binary")
    parser.add_argument("--tools", type=Path, help="where other tools were installed (see README.md)")
    parser.add_argument("--work", type=Path, help="where to make clones; thrown away without it")
    parser.add_argument("--rounds", type=int, default=5, help="runs of keyfence and git")
    parser.add_argument("--rival-rounds", type=int, default=2, help="runs of the other scanners")
    parser.add_argument("--note", action="append", default=[], help="what the reader must know of this run")
    parser.add_argument("--out", type=Path, help="the file to write; a dated one in benches/runs by default")
    return parser.parse_args()


class Repository:
    """A bare clone that may be written to."""

    def __init__(self, bench, place):
        self.bench = bench
        self.place = place

    def git(self, *words, **more):
        command = [self.bench.tools["git"], "-C", str(self.place), *words]
        told = subprocess.run(
            command, env=self.bench.environment, check=True, stdout=subprocess.PIPE, text=True, **more
        )
        return told.stdout.strip()

    def size(self):
        """Contents, their bytes, commits, and the bytes of packs."""
        objects = self.git("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize)")
        sizes = [int(line.split()[1]) for line in objects.splitlines() if line.startswith("blob ")]
        commits = objects.count("commit ")
        packs = sum(file.stat().st_size for file in (self.place / "objects" / "pack").glob("*.pack"))
        return len(sizes), sum(sizes), commits, packs

    def scan(self, name, *words):
        # What counts where this is run is not the default.
        command = [self.bench.keyfence, "scan", "--history", "--no-progress", "--no-config", *words, str(self.place)]
        return Subject(name, command, accepted=FOUND)

    def print_objects(self):
        command = [self.bench.tools["git"], "cat-file", "--batch-all-objects", "--batch", "--unordered"]
        return Subject("git cat-file --batch --unordered", command, str(self.place))

    def forget(self):
        shutil.rmtree(self.place / CACHE, ignore_errors=True)

    def commit(self):
        """One more commit with one more file."""
        blob = self.git("hash-object", "-w", "--stdin", input="one more file\n")
        entries = self.git("ls-tree", "HEAD")
        tree = self.git("mktree", input=f"{entries}\n100644 blob {blob}\tzz-one-more-file\n")
        commit = self.git("commit-tree", tree, "-p", "HEAD", "-m", "one more")
        self.git("update-ref", self.git("symbolic-ref", "HEAD"), commit)


def cloned(bench, source, name):
    place = bench.work / name
    if not place.exists():
        command = [bench.tools["git"], "clone", "-q", "--bare", str(source.resolve()), str(place)]
        subprocess.run(command, env=bench.environment, check=True)
    return Repository(bench, place)


def half_of(bench, whole, name):
    """The first half of the commits, packed by the same git with the same settings as `whole`."""
    half = Repository(bench, bench.work / name)
    if not half.place.exists():
        subprocess.run([bench.tools["git"], "init", "-q", "--bare", str(half.place)], env=bench.environment, check=True)
        commits = whole.git("rev-list", "--topo-order", "--reverse", "HEAD").splitlines()
        whole.git("push", "-q", str(half.place), f"{commits[len(commits) // 2]}:refs/heads/half")
        half.git("symbolic-ref", "HEAD", "refs/heads/half")
    return half


def speed_part(bench, whole):
    keyfence, git = whole.scan("keyfence scan --history --no-cache", "--no-cache"), whole.print_objects()
    harness.interleave([keyfence, git], bench.options.rounds, bench.environment, touched=whole.place)
    bench.say(*table([keyfence, git], memory=True), "")
    bench.say(f"- against git (target: at most 0.35×): **{ratio(keyfence, git)}**")
    packs = whole.size()[3]
    beyond = max(0, keyfence.peak_bytes - packs)
    bench.say(
        f"- peak memory: {keyfence.peak_bytes / 1e6:.0f} MB, of which packs that are mapped are up to "
        f"{packs / 1e6:.0f} MB (target beyond them: under 300 MB): **at least {beyond / 1e6:.0f} MB**"
    )
    return keyfence


def rivals_part(bench, whole):
    report = bench.work / "report"
    place = str(whole.place)
    commands = {
        "kingfisher": [
            *("scan", place, "--no-validate", "--no-update-check", "--git-history", "full"),
            *("--format", "json", "--output", str(report)),
        ],
        "betterleaks": ["git", place, "--no-banner"],
    }
    targets = {"kingfisher": 12, "betterleaks": 30}
    rivals = [
        Subject(name, [bench.tools[name], *words], accepted=())
        for name, words in commands.items()
        if name in bench.tools
    ]
    if not rivals:
        return
    keyfence = whole.scan("keyfence scan --history --no-cache", "--no-cache")
    harness.interleave([keyfence, *rivals], bench.options.rival_rounds, bench.environment, False, whole.place)
    bench.say("", *table([keyfence, *rivals], memory=True), "")
    for rival in rivals:
        ends = ", ".join(map(str, sorted(rival.exits)))
        bench.say(
            f"- {rival.name} (ended with {ends}) takes **{rival.best / keyfence.best:.1f}×** keyfence's time at best, "
            f"{rival.cpu / keyfence.cpu:.1f}× in processor time (target: {targets[rival.name]}×)"
        )


def growth_part(bench, whole, name):
    half = half_of(bench, whole, f"{name}-half")
    less, more = half.scan("half of the commits", "--no-cache"), whole.scan("all commits", "--no-cache")
    harness.interleave([less, more], bench.options.rounds, bench.environment, touched=bench.work)
    bytes_less, bytes_more = half.size()[1], whole.size()[1]
    bench.say("", *table([less, more], memory=True), "")
    growth = bytes_more / bytes_less
    bench.say(
        f"- {growth:.2f} times the contents in bytes take **{more.best / less.best:.2f}×** the time at best, "
        f"{more.cpu / less.cpu:.2f}× the processor time (target: at most 2.2 times for 2 times, which is "
        f"{growth * 1.1:.2f} here)"
    )


def cache_part(bench, whole):
    first, second = whole.scan("first, which remembers"), whole.scan("second, nothing new")
    third, fourth = whole.scan("third, one commit more"), whole.scan("fourth, nothing new")
    harness.run(whole.scan("warm"), bench.environment)
    for _ in range(bench.options.rounds):
        whole.forget()
        harness.touch(whole.place)
        harness.run(first, bench.environment)
        harness.touch(whole.place)
        harness.run(second, bench.environment)
        whole.commit()
        harness.run(third, bench.environment)
        harness.run(fourth, bench.environment)
    remembered = sum(file.stat().st_size for file in (whole.place / CACHE).glob("*"))
    bench.say("", *table([first, second, third, fourth], memory=True), "")
    for subject, target in ((second, " (target: under 3 %)"), (third, "")):
        best, cpu = 100 * subject.best / first.best, 100 * subject.cpu / first.cpu
        bench.say(f"- {subject.name}: **{best:.1f} %** of the first at best, {cpu:.1f} % of its processor time{target}")
    bench.say(f"- the cache takes {remembered / 1e6:.1f} MB")


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, work)
        now = describe(bench)
        for number, source in enumerate(options.repositories):
            whole = cloned(bench, source, f"{number}-whole")
            blobs, size, commits, packs = whole.size()
            bench.say("", f"## {source.resolve().name.removesuffix('.git')}", "")
            bench.say(
                f"{commits:,} commits, {blobs:,} contents of {size / 1e6:,.0f} MB in packs of {packs / 1e6:,.0f} MB.", ""
            )
            speed = speed_part(bench, whole)
            bench.say(f"- {size / 1e6 / speed.best:,.0f} MB of contents a second; best {milliseconds(speed.best)} ms")
            rivals_part(bench, whole)
            growth_part(bench, whole, str(number))
            cache_part(bench, whole)
        bench.say("", f"Load at the end: {harness.machine()['load before']}.")
    out = options.out or HERE / "runs" / f"{now:%Y-%m-%d-%H%M}-history.md"
    out.write_text("\n".join(bench.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
