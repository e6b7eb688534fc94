#!/usr/bin/env python3
"""Measures keyfence beside other tools and writes the figures of one run to benches/runs/.

See benches/README.md for what each figure means.
"""

import argparse
import datetime
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import harness
import material
from harness import Subject

HERE = Path(__file__).resolve().parent
# Stands in no corpus; put together here so that it does not stand in this file either.
RARE_LITERAL = "quagga" + "_zither_" + "marzipan"
# What keyfence knew first, before it knew the whole field: whatever else it knows must not make it slow.
FIRST_PACKS = [
    *("binance", "coinbase", "kraken", "kraken-futures", "okx", "bybit", "kucoin", "bitget", "gate", "htx", "mexc"),
    *("bitfinex", "gemini", "deribit", "crypto-com", "ethereum", "bip39", "private-key", "aws", "github", "slack"),
    *("telegram", "connection-string", "generic"),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keyfence", default="target/release/keyfence", help="the release binary")
    parser.add_argument("--tools", type=Path, help="where other tools were installed (see README.md)")
    parser.add_argument("--directory", type=Path, help="the tree to scan instead of a corpus of crates")
    parser.add_argument("--work", type=Path, help="where to make material; kept, and used again when it is there")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts to measure")
    parser.add_argument("--rounds", type=int, default=10, help="runs of each tool on the tree")
    parser.add_argument("--note", action="append", default=[], help="what the reader must know of this run")
    parser.add_argument("--out", type=Path, help="the file to write; a dated one in benches/runs by default")
    return parser.parse_args()


class Bench:
    """What the parts share."""

    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.keyfence = str(Path(options.keyfence).resolve())
        self.environment = harness.scrubbed(str(work / "home"))
        (work / "home").mkdir(exist_ok=True)
        self.tools = {name: found for name in TOOLS if (found := self.find(name))}
        self.lines = []

    def find(self, name):
        places = []
        if self.options.tools:
            places = [path for path in self.options.tools.rglob(name) if path.is_file() and is_program(path)]
        return str(places[0]) if places else shutil.which(name)

    def made(self, name, make):
        place = self.work / name
        return place if place.exists() else make(place)

    def corpus(self):
        return self.made("corpus", material.assemble_corpus)

    def say(self, *lines):
        self.lines.extend(lines)
        print("\n".join(lines), flush=True)


TOOLS = ("rg", "git", "betterleaks", "kingfisher", "ripsecrets")


def is_program(path):
    """An executable and not the script that starts one, which would time its interpreter."""
    with open(path, "rb") as file:
        return path.stat().st_mode & 0o111 != 0 and file.read(2) != b"#!"


def milliseconds(seconds):
    return f"{seconds * 1000:.1f}"


def ratio(subject, other):
    times = f"{subject.best / other.best:.2f}× best, {subject.median / other.median:.2f}× median"
    return f"{times}, {subject.cpu / other.cpu:.2f}× in processor time"


def table(subjects, memory=False):
    lines = ["| | best ms | median ms | mean ms | processor ms | runs |" + (" peak MB |" if memory else "")]
    lines.append("|---|---:|---:|---:|---:|---:|" + ("---:|" if memory else ""))
    for subject in subjects:
        figures = [milliseconds(value) for value in (subject.best, subject.median, subject.mean, subject.cpu)]
        row = f"| {subject.name} | {' | '.join(figures)} | {len(subject.seconds)} |"
        lines.append(row + (f" {subject.peak_bytes / 1e6:.0f} |" if memory else ""))
    return lines


def rival_commands(bench, tree):
    """The other scanners, told to look at files only, to ask nobody, and to read what they would by default."""
    report = bench.work / "report"
    return {
        "betterleaks": ["betterleaks", "--no-banner", "-s", tree],
        "kingfisher": [
            *("kingfisher", "scan", tree, "--no-validate", "--no-update-check", "--git-history", "none"),
            *("--format", "json", "--output", str(report)),
        ],
        "ripsecrets": ["ripsecrets", tree],
    }


def tree_part(bench):
    directory = (bench.options.directory or bench.corpus()).resolve()
    files, size = material.measure_directory(directory)
    tree = str(directory)
    found = (0, 1)
    keyfence = Subject("keyfence --no-ignore", [bench.keyfence, "scan", "--no-ignore", tree], accepted=found)
    ruled = Subject("keyfence, ignore rules held", [bench.keyfence, "scan", tree], accepted=found)
    bench.say("", "## Tree", "", f"{files} files, {size / 1e6:.0f} MB. All with their default threads.", "")
    measured = [keyfence, ruled]
    if "rg" in bench.tools:
        command = [bench.tools["rg"], "--no-ignore", "--hidden", "-c", RARE_LITERAL, tree]
        rg = Subject("rg --no-ignore --hidden -c", command, accepted=found)
        measured.append(rg)
    harness.interleave(measured, bench.options.rounds, bench.environment, touched=tree)
    bench.say(*table(measured, memory=True), "")
    if "rg" in bench.tools:
        bench.say(f"- keyfence against rg (target: at most 3×): **{ratio(keyfence, rg)}**")
        bench.say(f"- with ignore rules, against the same rg: {ratio(ruled, rg)}")
    bench.say(f"- peak memory (target: under 100 MB): **{keyfence.peak_bytes / 1e6:.0f} MB**")
    rivals_part(bench, tree)


def rivals_part(bench, tree):
    """Beside keyfence again, since the machine may be busier by now."""
    keyfence = Subject("keyfence --no-ignore", [bench.keyfence, "scan", "--no-ignore", tree], accepted=(0, 1))
    rivals = []
    for name, command in rival_commands(bench, tree).items():
        if name in bench.tools:
            rivals.append(Subject(name, [bench.tools[name], *command[1:]], accepted=()))
    if not rivals:
        return
    harness.interleave([keyfence, *rivals], min(3, bench.options.rounds), bench.environment, touched=tree)
    bench.say("", *table([keyfence, *rivals], memory=True), "")
    for rival in rivals:
        ends = ", ".join(map(str, sorted(rival.exits)))
        bench.say(
            f"- {rival.name} (ended with {ends}) takes {rival.best / keyfence.best:.1f}× keyfence's time at best, "
            f"{rival.median / keyfence.median:.1f}× at the median, {rival.cpu / keyfence.cpu:.1f}× in processor time "
            "(target: 10×)"
        )


def hook_part(bench):
    repository = bench.made(
        "repository", lambda place: material.make_repository(place, bench.corpus(), bench.environment)
    )
    place = str(repository)
    keyfence = Subject("keyfence scan --staged", [bench.keyfence, "scan", "--staged"], place)
    git = Subject("git diff --cached", [bench.tools["git"], "diff", "--cached"], place)
    harness.interleave([keyfence, git], 100, bench.environment)
    bench.say("", "## Hook", "", "Ten files of 400 are staged, nothing is found.", "")
    bench.say(*table([keyfence, git]), "", f"- target: at most 1.0×: **{ratio(keyfence, git)}**")


def rules_of(providers):
    """The ids of the rules in those packs."""
    packs = {path.stem: path for path in (HERE.parent / "rules").rglob("*.yaml")}
    texts = [packs[provider].read_text(encoding="utf-8") for provider in providers]
    return [identity for text in texts for identity in re.findall(r"^  - id: (\S+)$", text, re.MULTILINE)]


def catalogue_part(bench):
    """What the other packs cost. The tables of a choice of rules are made at start, which all rules are spared."""
    tree = str((bench.options.directory or bench.corpus()).resolve())
    command = [bench.keyfence, "scan", "--no-ignore", tree]
    first = [option for identity in rules_of(FIRST_PACKS) for option in ("--rule", identity)]
    everything = Subject("all packs", command, accepted=(0, 1))
    some = Subject(f"the first packs ({len(first) // 2} rules)", [*command, *first], accepted=(0, 1))
    harness.interleave([everything, some], bench.options.rounds, bench.environment, touched=tree)
    bench.say("", "## Catalogue", "", *table([everything, some]), "")
    bench.say(f"- all packs against the first (target: at most 1.1×): **{ratio(everything, some)}**")


def start_part(bench):
    place = bench.work / "tiny"
    place.mkdir(exist_ok=True)
    (place / "tiny.txt").write_text("nothing to see\n", encoding="utf-8")
    subjects = [
        Subject("one tiny file", [bench.keyfence, "scan", "tiny.txt"], str(place)),
        Subject("empty standard input", [bench.keyfence, "scan", "-"], str(place)),
        Subject("keyfence --version", [bench.keyfence, "--version"], str(place)),
        Subject("true (the floor: starting any process)", [shutil.which("true")], str(place)),
    ]
    harness.interleave(subjects, 300, bench.environment)
    bench.say("", "## Start", "", "The whole process, from start to end.", "", *table(subjects), "")
    for subject in subjects:
        bench.say(f"- {subject.name}: 99th percentile {milliseconds(subject.percentile(0.99))} ms")
    bench.say(f"- target: under 5 ms to the first byte: **median {milliseconds(subjects[0].median)} ms to the end**")


def memory_part(bench):
    places = {
        "1 GB sparse file": bench.made("sparse", material.make_sparse_file),
        "200 MB line of source": bench.made(
            "line", lambda place: material.make_long_line(place, bench.corpus())
        ),
        "200 MB token without a break": bench.made("token", material.make_long_token),
    }
    subjects = [
        Subject(name, [bench.keyfence, "scan", "--no-ignore", str(place)], accepted=(0, 1))
        for name, place in places.items()
    ]
    # Memory is the question here, and it does not depend on warm caches.
    harness.interleave(subjects, 1, bench.environment, warm=False)
    bench.say("", "## Memory", "", *table(subjects, memory=True), "")
    peak = max(subject.peak_bytes for subject in subjects)
    bench.say(f"- target: under 100 MB: **{peak / 1e6:.0f} MB at most**")


PARTS = {
    "start": start_part,
    "hook": hook_part,
    "tree": tree_part,
    "catalogue": catalogue_part,
    "memory": memory_part,
}


def describe(bench):
    now = datetime.datetime.now(datetime.timezone.utc)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    ).stdout.strip()
    bench.say(f"# {now:%Y-%m-%d %H:%M} UTC", "")
    bench.say(*[f"- {name}: {value}" for name, value in harness.machine().items()])
    bench.say(f"- keyfence: {harness.version([bench.keyfence, '--version'])}, built at or before {commit}")
    bench.say(*[f"- {name}: {harness.version([path, '--version'])}" for name, path in bench.tools.items()])
    bench.say(*[f"- note: {note}" for note in bench.options.note])
    return now


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, work)
        now = describe(bench)
        for part in options.only:
            PARTS[part](bench)
        bench.say("", f"Load at the end: {harness.machine()['load before']}.")
    out = options.out or HERE / "runs" / f"{now:%Y-%m-%d-%H%M}.md"
    out.write_text("\n".join(bench.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
