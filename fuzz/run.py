#!/usr/bin/env python3
"""Runs every fuzz target with libFuzzer, counts what was run, and writes a dated table under fuzz/runs/.

    fuzz/run.py --seconds 5400                              # shared out by the weights below
    fuzz/run.py --runs 1000000 words delta                  # so many executions of each of these
    fuzz/run.py --sanitizer address --seconds 1800
    fuzz/run.py --sum                                       # adds all tables up in docs/reliability.md
    fuzz/run.py --keep                                      # keeps the least that reaches as much, in fuzz/seeds/kept/

Needs cargo-fuzz and a nightly toolchain. The seeds come from `cargo test --test fuzz_corpus -- --ignored`. What is
reached on top of them stays in fuzz/corpus/, which is not in the repository: it is large. Of it `--keep` keeps the
smallest inputs that together reach as much, one a line, in base64 with seams: many are made of the rules' examples,
which look alive to other scanners otherwise.
Executions are libFuzzer's own count. A target that fails is left at its first failure: its input is under
fuzz/artifacts/TARGET, becomes a case in fuzz/crashes/TARGET, and is mended; one that does not fail by itself is told below
the table.
"""

import argparse
import base64
import datetime
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
KEPT, MOST_KEPT, SEAM = FUZZ / "seeds" / "kept", 12 << 10, "\u00a6"
# How often an input that failed is tried by itself.
AGAIN = 3
TRIPLE = "x86_64-unknown-linux-gnu"
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fuzzing: written by fuzz/run.py -->\n", "<!-- end of fuzzing -->\n"

# Of each target: its share of the time, the length of its longest input, and how many seconds one input may take.
TARGETS = {
    "instructions": (1, 300, 2),
    "words": (1, 128, 2),
    "baseline": (1, 512, 5),
    "config": (1, 512, 5),
    "pack": (2, 2048, 5),
    "imports": (2, 768, 5),
    "window": (2, 512, 5),
    "trace": (2, 512, 5),
    "index": (2, 512, 5),
    "archive": (3, 2048, 5),
    "allow": (4, 512, 5),
    "prefilter": (3, 512, 5),
    "linear": (2, 256, 10),
    "detect": (5, 512, 5),
    "decode": (5, 512, 5),
    "delta": (5, 256, 5),
    "entry": (5, 256, 5),
}
COLUMNS = "| target | executions | per second | edges reached | inputs that failed |\n|---|---|---|---|---|\n"
ROW = re.compile(r"^\| `(\w+)` \| ([\d,]+) \| [\d,]* \| [\d,]* \| (.*) \|$", re.M)


def build(sanitizer, target_dir):
    command = ["cargo", "+nightly", "fuzz", "build", "-s", sanitizer, "--features", "cli"]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(target_dir)})
    return target_dir / TRIPLE / "release"


def write_seeds():
    command = ["cargo", "test", "-q", "--test", "fuzz_corpus", "--", "--ignored"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def run(binary, name, option):
    """One libFuzzer process; gives its executions, seconds, the inputs that failed, and the edges it reached."""
    _, longest, patience = TARGETS[name]
    corpus, artifacts = FUZZ / "corpus" / name, FUZZ / "artifacts" / name
    for directory in (corpus, artifacts):
        directory.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    command = [
        str(binary / name), str(corpus), f"-artifact_prefix={artifacts}/", f"-max_len={longest}", f"-timeout={patience}",
        "-rss_limit_mb=4096", "-print_final_stats=1", "-reload=0", "-close_fd_mask=1", option,
    ]
    began = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    seconds = time.monotonic() - began
    told = re.search(r"stat::number_of_executed_units:\s+(\d+)", result.stderr)
    # One that failed does not always tell the sum: what was told last counts then.
    steps = [int(step) for step in re.findall(r"^#(\d+)\s", result.stderr, re.M)]
    executions = int(told.group(1)) if told else (steps[-1] if steps else 0)
    new = sorted(set(artifacts.iterdir()) - before)
    failed = [path.name for path in new if fails_again(binary, name, path)]
    passed = [path.name for path in new if path.name not in failed]
    if passed:
        print(f"{name}: {', '.join(passed)} did not fail again, {AGAIN} times")
    if result.returncode != 0 and not new:
        failed = [f"exit {result.returncode}"]
    if failed:
        (artifacts / "log").write_text(result.stderr)
    reached = re.findall(r"cov: (\d+)", result.stderr)
    return executions, seconds, failed, int(reached[-1]) if reached else 0, passed


def fails_again(binary, name, artifact):
    """Whether an input fails by itself: a busy machine, or one that was held, makes any input look slow. So one that was
    told to be slow is timed by the processor."""
    patience = TARGETS[name][2]
    is_slow = artifact.name.startswith(("timeout-", "slow-unit-"))
    limits = [] if is_slow else [f"-timeout={patience}"]
    command = [str(binary / name), *limits, "-rss_limit_mb=4096", "-close_fd_mask=3", str(artifact)]
    for _ in range(AGAIN):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        failed = subprocess.run(command, capture_output=True, check=False).returncode != 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if failed or (is_slow and took > patience):
            return True
    return False


def keep(binary, names):
    """The smallest inputs that reach what all of them reach, as far as they fit."""
    for name in names:
        _, longest, patience = TARGETS[name]
        with tempfile.TemporaryDirectory() as least:
            command = [
                str(binary / name), "-set_cover_merge=1", f"-max_len={longest}", f"-timeout={patience}",
                "-rss_limit_mb=4096", "-close_fd_mask=3", least, str(FUZZ / "corpus" / name),
            ]
            subprocess.run(command, capture_output=True, check=True)
            inputs = sorted((file.read_bytes() for file in pathlib.Path(least).iterdir()), key=lambda it: (len(it), it))
        lines, size = [], 0
        for text in inputs:
            size += len(text)
            if size > MOST_KEPT:
                break
            coded = base64.b64encode(text).decode()
            lines.append(SEAM.join(coded[at : at + 12] for at in range(0, len(coded), 12)) + "\n")
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / name).write_text("".join(lines), encoding="utf-8")
        print(f"{name}: {len(lines)} of {len(inputs)} inputs are kept", flush=True)


def table(rows, sanitizer, seconds):
    lines = []
    for name, (executions, took, failed, edges, _) in rows.items():
        rate = f"{executions / took:,.0f}" if took else ""
        lines.append(f"| `{name}` | {executions:,} | {rate} | {edges:,} | {', '.join(failed) or 'none'} |\n")
    total = sum(row[0] for row in rows.values())
    failures = sum(len(row[2]) for row in rows.values())
    lines.append(f"| all | {total:,} | {total / max(seconds, 1):,.0f} | | {failures} |\n")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    checks = "debug assertions and overflow checks on"
    told = [f"{', '.join(row[4])} of `{name}` did not fail again, {AGAIN} times.\n" for name, row in rows.items() if row[4]]
    return (
        f"# Fuzzing, {datetime.datetime.now():%Y-%m-%d %H:%M}\n\nlibFuzzer, sanitizer: {sanitizer}, {checks}, one process "
        f"on one core; from {commit.stdout.strip()}, {seconds:,.0f} seconds.\n\n{COLUMNS}{''.join(lines)}"
        + "".join(f"\n{line}" for line in told)
    )


def add_up():
    """All tables of fuzz/runs/ as one, in docs/reliability.md."""
    sums, address = {name: [0, 0] for name in TARGETS}, 0
    for file in sorted((FUZZ / "runs").glob("*.md")):
        text = file.read_text()
        for name, executions, failed in ROW.findall(text):
            count = int(executions.replace(",", ""))
            row = sums.setdefault(name, [0, 0])
            row[0] += count
            row[1] += 0 if failed == "none" else len(failed.split(", "))
            address += count if "sanitizer: address" in text else 0
    lines = [f"| `{name}` | {count:,} | {failed or 'none'} |\n" for name, (count, failed) in sums.items()]
    total, failed = (sum(row[at] for row in sums.values()) for at in (0, 1))
    lines.append(f"| **all** | **{total:,}** | **{failed}** |\n")
    head = f"Executions by libFuzzer, {address:,} of them with AddressSanitizer; each run is kept in `fuzz/runs/`.\n\n"
    made = f"{head}| target | executions | inputs that failed |\n|---|---|---|\n{''.join(lines)}"
    before, rest = DOCUMENT.read_text().split(BEGIN)
    document = f"{before}{BEGIN}{made}{END}{rest.split(END)[1]}"
    targets = sum(count > 0 for count, _ in sums.values())
    figure = f"{total:,} over {targets} targets, {failed} inputs that failed"
    DOCUMENT.write_text(re.sub(r"(?m)^(\| executions of fuzz targets \|) [^|]* \|", rf"\1 {figure} |", document))
    print(made)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="all of them unless some are named")
    parser.add_argument("--runs", type=int, help="executions of each target")
    parser.add_argument("--seconds", type=int, help="in all")
    parser.add_argument("--sanitizer", default="none", choices=["none", "address"])
    parser.add_argument("--built", type=pathlib.Path, help="a directory of targets that are built already")
    parser.add_argument("--target-dir", type=pathlib.Path, default=FUZZ / "target")
    parser.add_argument("--no-seeds", action="store_true", help="the seeds are there already")
    parser.add_argument("--sum", action="store_true", help="only add up")
    parser.add_argument("--keep", action="store_true", help="only keep the least that reaches as much")
    asked = parser.parse_args()
    if asked.sum:
        return add_up()
    names = asked.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        sys.exit(f"no such target: {unknown}")
    if asked.keep:
        return keep(asked.built or build(asked.sanitizer, asked.target_dir), names)
    if not (asked.runs or asked.seconds):
        sys.exit("say how many --runs or --seconds")
    if not asked.no_seeds:
        write_seeds()
    binary = asked.built or build(asked.sanitizer, asked.target_dir)
    whole = sum(TARGETS[name][0] for name in names)
    output = FUZZ / "runs" / f"{datetime.datetime.now():%Y-%m-%d-%H%M}.md"
    output.parent.mkdir(exist_ok=True)
    rows, began = {}, time.monotonic()
    for name in names:
        seconds = max(1, (asked.seconds or 0) * TARGETS[name][0] // whole)
        rows[name] = run(binary, name, f"-runs={asked.runs}" if asked.runs else f"-max_total_time={seconds}")
        output.write_text(table(rows, asked.sanitizer, time.monotonic() - began))
    print(output.read_text())
    sys.exit(any(row[2] for row in rows.values()))


if __name__ == "__main__":
    main()
