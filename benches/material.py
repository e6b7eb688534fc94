"""Makes what is scanned: a corpus of source packages, a repository with a commit about to be made, large files.

Everything is made from what lies on the machine and from fixed seeds, so that two runs on one machine read the same.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

MEBIBYTE = 1 << 20
CORPUS_BYTES = 65 * MEBIBYTE
BINARY_PROBE = 8 * 1024


def cargo_sources():
    """Unpacked crates, in the order of their names."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    return sorted(path for registry in home.glob("registry/src/*") for path in registry.iterdir() if path.is_dir())


def is_text(path):
    with open(path, "rb") as file:
        return b"\0" not in file.read(BINARY_PROBE)


def assemble_corpus(target):
    """Copies crates without their binaries until there is enough. Taking each 7th avoids families of like names."""
    crates = cargo_sources()
    order = [crate for start in range(7) for crate in crates[start::7]]
    copied = 0
    for crate in order:
        if copied >= CORPUS_BYTES:
            break
        for source in sorted(path for path in crate.rglob("*") if path.is_file() and not path.is_symlink()):
            size = source.stat().st_size
            if size > MEBIBYTE or not is_text(source):
                continue
            place = target / crate.name / source.relative_to(crate)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            copied += size
    if copied < 50 * MEBIBYTE:
        raise SystemExit("too few crates are unpacked on this machine; name a directory to scan")
    # The rules of .gitignore files hold only in a repository.
    (target / ".git").mkdir()
    return target


def measure_directory(directory):
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return len(files), sum(path.stat().st_size for path in files)


def make_repository(target, sources, environment):
    """A few hundred files, some commits, and a clean commit of ten files that is staged."""

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=target, env=environment, check=True, capture_output=True)

    target.mkdir(parents=True)
    git("init", "-q")
    names = sorted(path for path in sources.rglob("*.rs") if 2_000 < path.stat().st_size < 30_000)
    kept = []
    for number, source in enumerate(names[:: max(1, len(names) // 400)][:400]):
        place = target / f"part{number % 20}" / f"{number}.rs"
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, place)
        kept.append(place)
        if number % 40 == 39:
            git("add", ".")
            git("commit", "-q", "-m", f"Part {number // 40}")
    git("add", ".")
    git("commit", "-q", "--allow-empty", "-m", "The rest")
    for place in kept[5::40][:10]:
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
        middle = len(lines) // 2
        changed = lines[:middle] + ["// A line that is new,", "// and another one."] + lines[middle + 3 :]
        place.write_text("\n".join(changed) + "\n", encoding="utf-8")
    git("add", ".")
    return target


def make_sparse_file(target):
    """1 GB that begins and ends with text and takes no room."""
    target.mkdir(parents=True)
    with open(target / "sparse.txt", "wb") as file:
        file.write(b"the first line\n")
        file.seek(1_000_000_000)
        file.write(b"\nthe last line\n")
    return target


def make_long_line(target, sources):
    """200 MB of source text with its line ends taken out."""
    target.mkdir(parents=True)
    left = 200_000_000
    texts = sorted(path for path in sources.rglob("*.rs") if path.is_file())
    with open(target / "line.txt", "wb") as file:
        while left > 0:
            for path in texts:
                text = path.read_bytes().replace(b"\n", b" ").replace(b"\r", b" ")[:left]
                file.write(text)
                left -= len(text)
                if left <= 0:
                    break
    return target


def make_long_token(target):
    """200 MB of letters and digits without a break: the worst case for whoever looks for long tokens."""
    target.mkdir(parents=True)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    block = bytes(random.Random(7).choices(letters, k=1_000_000))
    with open(target / "token.txt", "wb") as file:
        for _ in range(200):
            file.write(block)
    return target
