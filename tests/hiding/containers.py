"""Makes the containers of the hiding places: {name: text} on standard input, one file for each name in the directory named."""

import gzip
import io
import json
import pathlib
import py_compile
import sqlite3
import sys
import tarfile
import zipfile


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tarred(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def database(target, text):
    connection = sqlite3.connect(target)
    connection.execute("create table notes (name text, content text)")
    connection.execute("insert into notes values ('desk', ?)", (text,))
    connection.commit()
    connection.close()


def compiled(target, text):
    source = target.with_suffix(".py")
    source.write_text(f"CONFIG = {text!r}\n")
    py_compile.compile(str(source), cfile=str(target), doraise=True)
    source.unlink()


def main():
    directory = pathlib.Path(sys.argv[1])
    makers = {
        "gzip": lambda content: gzip.compress(content, mtime=0),
        "zip": lambda content: zipped("desk.env", content),
        "targz": lambda content: tarred("desk.env", content),
        "zip-in-zip": lambda content: zipped("inner.zip", zipped("desk.env", content)),
        "jar": lambda content: zipped("META-INF/desk.properties", content),
    }
    for name, text in json.load(sys.stdin).items():
        target = directory / name
        if name == "sqlite":
            database(target, text)
        elif name == "pyc":
            compiled(target, text)
        else:
            target.write_bytes(makers[name](text.encode()))


main()
