#!/usr/bin/env python3
"""Makes a repository out of the releases of a package on PyPI, one commit for each: a public history of any size.

    python3 benches/releases.py homeassistant /tmp/homeassistant --bytes 1G

The newest releases are taken, as many as it needs until their files hold so many bytes, each content counted once.
"""

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path

INDEX = "https://pypi.org/simple/"
FINAL = re.compile(r"-([0-9]+(?:\.[0-9]+)*)\.tar\.gz$")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text):
    number, unit = re.fullmatch(r"([0-9.]+)([KMG]?)", text).groups()
    return int(float(number) * UNITS[unit])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package")
    parser.add_argument("directory", type=Path, help="the repository; it must not exist yet")
    parser.add_argument("--bytes", type=size, default=1 << 30, help="how much its contents hold at least (1G)")
    parser.add_argument("--every", type=int, default=1, help="takes only each n-th release")
    return parser.parse_args()


def releases(package):
    """The final releases that have a source archive, newest first."""
    request = urllib.request.Request(
        f"{INDEX}{package}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request) as answer:
        files = json.load(answer)["files"]
    archives = [file for file in files if FINAL.search(file["filename"]) and not file.get("yanked")]
    return sorted(archives, key=lambda file: file["upload-time"], reverse=True)


def fetch(file):
    with urllib.request.urlopen(file["url"]) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
        raise SystemExit(f"{file['filename']}: not what the index says")
    return content


class Repository:
    def __init__(self, place):
        self.place = place
        place.mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *words, **more):
        nobody = {f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {**os.environ, **nobody, "GIT_CONFIG_GLOBAL": os.devnull, **more}
        subprocess.run(["git", "-C", self.place, *words], check=True, env=environment, stdout=subprocess.DEVNULL)

    def commit(self, file, archive):
        """Puts a release in the place of the one before."""
        for old in self.place.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            for member in opened:
                member.name = member.name.partition("/")[2]
                if member.name and not member.issym() and not member.islnk():
                    opened.extract(member, self.place, filter="data")
        when = file["upload-time"]
        self.git("add", "--all", "--force")
        words = ("commit", "-q", "--allow-empty", "-m", file["filename"])
        self.git("-c", "gc.auto=0", *words, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)


def contents(archive):
    """The files of a release: a digest and a length each."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            if member.isfile():
                yield hashlib.sha1(opened.extractfile(member).read()).digest(), member.size


def main():
    asked = arguments()
    repository = Repository(asked.directory)
    kept = asked.directory / ".git" / "releases"
    kept.mkdir()
    chosen, seen, held = [], set(), 0
    for file in releases(asked.package)[:: asked.every]:
        archive = fetch(file)
        for digest, length in contents(archive):
            held += 0 if digest in seen else length
            seen.add(digest)
        (kept / file["filename"]).write_bytes(archive)
        chosen.append(file)
        print(f"{file['filename']}: {held >> 20} MiB so far", flush=True)
        if held >= asked.bytes:
            break
    for file in reversed(chosen):
        repository.commit(file, (kept / file["filename"]).read_bytes())
    shutil.rmtree(kept)
    repository.git("gc", "-q")
    print(f"{asked.directory}: {len(chosen)} releases, {len(seen)} contents, {held} bytes")


if __name__ == "__main__":
    main()
