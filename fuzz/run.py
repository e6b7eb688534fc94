#!/usr/bin/env python3
"""Runs every fuzz target with libFuzzer, counts what was run, and writes a dated table under fuzz/runs/.

    fuzz/run.py --executions 100000000          # shared out by the weights below
    fuzz/run.py --seconds 600                   # the same, by time
    fuzz/run.py --sanitizer address --seconds 60 delta entry

Needs cargo-fuzz and a nightly toolchain. The seeds come from `cargo test --test fuzz_corpus -- --ignored`; what is
reached on top of them stays in fuzz/corpus/, which is not kept in the repository: it holds values that look alive.
The executions are libFuzzer's own count, of runs that ended and of the one that failed. A target that fails is left at
its first failure: the input is kept under fuzz/artifacts/TARGET, becomes a case in fuzz/crashes/TARGET, and is mended.
"""

import argparse
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
TRIPLE = "x86_64-unknown-linux-gnu"

# What share of the executions each target gets (fast ones much), the length of its longest input, and how many
# seconds one input may take.
TARGETS = {
    "instructions": (400, 300, 2),
    "words": (300, 128, 2),
    "config": (50, 512, 5),
    "baseline": (100, 512, 5),
    "imports": (50, 768, 5),
    "window": (20, 512, 5),
    "detect": (20, 512, 5),
    "trace": (20, 512, 5),
    "allow": (20, 512, 5),
    "decode": (10, 512, 5),
    "delta": (4, 256, 5),
    "entry": (4, 256, 5),
    "index": (4, 512, 5),
    "archive": (4, 2048, 5),
    "pack": (2, 2048, 5),
}


def build(sanitizer, target_dir):
    command = ["cargo", "+nightly", "fuzz", "build", "-s", sanitizer, "--features", "cli"]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(target_dir)})
    return target_dir / TRIPLE / "release"


def write_seeds():
    command = ["cargo", "test", "-q", "--test", "fuzz_corpus", "--", "--ignored"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def run(binary, name, options):
    """One libFuzzer process; gives its executions, seconds, and the inputs that failed."""
    _, longest, patience = TARGETS[name]
    corpus, artifacts = FUZZ / "corpus" / name, FUZZ / "artifacts" / name
    for directory in (corpus, artifacts):
        directory.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    command = [
        str(binary / name), str(corpus), f"-artifact_prefix={artifacts}/", f"-max_len={longest}", f"-timeout={patience}",
        "-rss_limit_mb=4096", "-print_final_stats=1", "-verbosity=1", "-reload=0", "-close_fd_mask=1", *options,
    ]
    began = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    seconds = time.monotonic() - began
    told = re.search(r"stat::number_of_executed_units:\s+(\d+)", result.stderr)
    # One that failed does not always tell the sum: what was told last counts then.
    steps = [int(step) for step in re.findall(r"^#(\d+)\s", result.stderr, re.M)]
    executions = int(told.group(1)) if told else (steps[-1] if steps else 0)
    failed = sorted(path.name for path in set(artifacts.iterdir()) - before)
    if result.returncode != 0 and not failed:
        failed = [f"exit {result.returncode}"]
    if failed:
        (artifacts / "log").write_text(result.stderr)
    reached = re.findall(r"cov: (\d+)", result.stderr)
    return executions, seconds, failed, int(reached[-1]) if reached else 0


def table(rows, sanitizer, seconds):
    lines = [
        "| target | executions | per second | edges reached | inputs that failed |",
        "|---|---|---|---|---|",
    ]
    for name, (executions, took, failed, edges) in rows.items():
        rate = f"{executions / took:,.0f}" if took else ""
        lines.append(f"| `{name}` | {executions:,} | {rate} | {edges:,} | {', '.join(failed) or 'none'} |")
    total = sum(row[0] for row in rows.values())
    failures = sum(len(row[2]) for row in rows.values())
    lines.append(f"| **all** | **{total:,}** | {total / max(seconds, 1):,.0f} | | **{failures}** |")
    head = f"# Fuzzing, {datetime.datetime.now():%Y-%m-%d %H:%M}\n\n"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    what = f"libFuzzer, sanitizer: {sanitizer}, debug assertions and overflow checks on, one process at a time"
    return f"{head}{what}; from {commit.stdout.strip()}, {seconds:,.0f} seconds.\n\n" + "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="all of them unless some are named")
    parser.add_argument("--executions", type=int, help="in all")
    parser.add_argument("--seconds", type=int, help="in all")
    parser.add_argument("--rounds", type=int, default=1, help="go over the targets so many times, each with a part")
    parser.add_argument("--sanitizer", default="none", choices=["none", "address"])
    parser.add_argument("--built", type=pathlib.Path, help="a directory of targets that are built already")
    parser.add_argument("--target-dir", type=pathlib.Path, default=FUZZ / "target")
    parser.add_argument("--no-seeds", action="store_true", help="the seeds are there already")
    parser.add_argument("--output", type=pathlib.Path, help="unless fuzz/runs/DATE.md")
    asked = parser.parse_args()
    names = asked.targets or list(TARGETS)
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not (asked.executions or asked.seconds):
        sys.exit(f"no such target: {unknown}" if unknown else "say how many --executions or --seconds")
    if not asked.no_seeds:
        write_seeds()
    binary = asked.built or build(asked.sanitizer, asked.target_dir)
    shares = {name: TARGETS[name][0] for name in names}
    whole = sum(shares.values())
    output = asked.output or FUZZ / "runs" / f"{datetime.datetime.now():%Y-%m-%d-%H%M}.md"
    output.parent.mkdir(exist_ok=True)
    rows, began = {}, time.monotonic()
    for _ in range(asked.rounds):
        for name in names:
            past = rows.get(name, (0, 0, [], 0))
            if past[2]:
                continue
            if asked.executions:
                options = [f"-runs={asked.executions * shares[name] // whole // asked.rounds}"]
            else:
                options = [f"-max_total_time={max(1, asked.seconds // len(names) // asked.rounds)}"]
            executions, took, failed, edges = run(binary, name, options)
            rows[name] = (past[0] + executions, past[1] + took, failed, edges)
            output.write_text(table(rows, asked.sanitizer, time.monotonic() - began))
    print(output.read_text())
    sys.exit(any(row[2] for row in rows.values()))


if __name__ == "__main__":
    main()
