"""Runs commands in turn and says how long they took and how much memory they held.

Knows nothing of what is measured. Each command is a process of its own with its output thrown away; the time runs from
just before it is started until it has ended, so it contains starting and loading.
"""

import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass, field


@dataclass
class Subject:
    """One command, and what was measured of it."""

    name: str
    command: list
    directory: str = "."
    accepted: tuple = (0,)
    seconds: list = field(default_factory=list)
    cpu_seconds: list = field(default_factory=list)
    peak_bytes: int = 0
    exits: set = field(default_factory=set)

    @property
    def best(self):
        return min(self.seconds)

    @property
    def cpu(self):
        return min(self.cpu_seconds)

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def mean(self):
        return statistics.fmean(self.seconds)

    def percentile(self, share):
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def scrubbed(home):
    """An environment in which no user's settings change what a tool does."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "XDG_CONFIG_HOME": os.path.join(home, "config"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Bench",
        "GIT_AUTHOR_EMAIL": "bench@example.org",
        "GIT_COMMITTER_NAME": "Bench",
        "GIT_COMMITTER_EMAIL": "bench@example.org",
        "NO_COLOR": "1",
        "LC_ALL": "C",
    }


def run(subject, environment):
    """Runs a subject once and notes what it took."""
    with open(os.devnull, "r+b") as nothing:
        begun = time.perf_counter()
        process = subprocess.Popen(
            subject.command,
            cwd=subject.directory,
            env=environment,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if subject.accepted and process.returncode not in subject.accepted:
        raise SystemExit(f"{subject.name} ended with {process.returncode}, its figures would mean nothing")
    subject.exits.add(process.returncode)
    subject.seconds.append(took)
    subject.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if platform.system() == "Darwin" else 1024
    subject.peak_bytes = max(subject.peak_bytes, usage.ru_maxrss * unit)


def touch(place):
    """Reads all files of a directory. A virtual machine may take away what nobody read for some seconds, so that whoever
    comes after a slow one would pay for it."""
    for directory, _, names in os.walk(place):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass


def interleave(subjects, rounds, environment, warm=True, touched=None):
    """A B A B …, after one round that warms the caches and is forgotten. All of `touched` is read before each run."""
    for subject in subjects if warm else []:
        run(subject, environment)
        subject.seconds.clear()
        subject.cpu_seconds.clear()
    for _ in range(rounds):
        for subject in subjects:
            if touched:
                touch(touched)
            run(subject, environment)
    return subjects


def machine():
    """What the figures depend on, without the machine's name."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }


def version(command):
    """The first line that a tool says about its version."""
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return said.splitlines()[0] if said else "unknown"
