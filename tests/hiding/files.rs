//! Places in files: names, encodings and containers that content can hide in, wherever the file lies.
//!
//! Must not know: git, keyfence.
//! Invariant: each place has a path of its own.

use data_encoding::{BASE64, HEXLOWER};

use super::secrets::Secret;
use super::{Level, Level::*};

/// A file that holds a secret.
pub struct FilePlace {
    pub name: &'static str,
    pub level: Level,
    pub path: fn(&Secret) -> Vec<u8>,
    pub content: Content,
}

pub enum Content {
    /// The bytes of a file.
    Bytes(fn(&Secret) -> Vec<u8>),
    /// What `containers.py` makes of the secret's lines, under this name.
    Container(&'static str),
}

use Content::{Bytes, Container};

macro_rules! place {
    ($level:expr, $name:literal, $path:expr, $content:expr) => {
        FilePlace { name: $name, level: $level, path: |_| $path.as_bytes().to_vec(), content: $content }
    };
}

fn plain(secret: &Secret) -> Vec<u8> {
    secret.lines().into_bytes()
}

fn base64(secret: &Secret) -> String {
    BASE64.encode(secret.lines().as_bytes())
}

fn each_line(secret: &Secret, prefix: &str, end: &str) -> Vec<u8> {
    secret.lines().lines().flat_map(|line| format!("{prefix}{line}{end}").into_bytes()).collect()
}

fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

/// As the end of an address where it can be one, as a value where it cannot.
fn address(secret: &Secret) -> String {
    match secret.joined("&") {
        Some(joined) => format!("https://packages.example.org/desk.git?{joined}"),
        None => secret.json(),
    }
}

fn percent(secret: &Secret) -> Vec<u8> {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let text = secret.joined("&").unwrap_or_else(|| secret.lines());
    let escaped: String = text.bytes().map(escape).collect();
    format!("POST /collect\n\nbody={escaped}\n").into_bytes()
}

fn values_in_base64(secret: &Secret) -> Vec<u8> {
    let mut text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: desk\ndata:\n".to_owned();
    for (name, value) in secret.parts() {
        // A block is no value by itself: its armour belongs to it.
        let value = if name == "PRIVATE_KEY" { secret.lines() } else { value.to_owned() };
        text += &format!("  {name}: {}\n", BASE64.encode(value.as_bytes()));
    }
    text.into_bytes()
}

fn split_string(secret: &Secret) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in secret.parts() {
        let value = if name == "PRIVATE_KEY" { secret.json() } else { value.to_owned() };
        let (head, tail) = value.split_at(value.len() / 2);
        text += &format!("{name} = \"{head}\" + \"{tail}\"\n");
    }
    text.into_bytes()
}

/// Every file place. Paths below `content/` unless the name alone makes the place.
pub const FILES: &[FilePlace] = &[
    place!(Must, "head-plain", "content/plain.env", Bytes(plain)),
    place!(Must, "test-path", "content/tests/test_client.py", Bytes(plain)),
    place!(
        Must,
        "minified",
        "content/app.min.js",
        Bytes(|s| {
            let filler = "function a(b){return b+1};".repeat(800);
            format!("{filler}var c=\"{}\";{filler}", s.json()).into_bytes()
        })
    ),
    FilePlace {
        name: "deep-path",
        level: Must,
        path: |_| format!("content/{}deep.env", "d/".repeat(60)).into_bytes(),
        content: Bytes(plain),
    },
    place!(Must, "no-eol", "content/no-eol.env", Bytes(|s| s.lines().trim_end().into())),
    place!(Must, "crlf", "content/crlf.env", Bytes(|s| s.lines().replace('\n', "\r\n").into())),
    place!(Must, "cr-only", "content/cr-only.env", Bytes(|s| s.lines().replace('\n', "\r").into())),
    place!(Must, "utf8-bom", "content/bom.env", Bytes(|s| format!("\u{feff}{}", s.lines()).into())),
    place!(
        Must,
        "nul-late",
        "content/nul-late.log",
        Bytes(|s| { format!("{}\0{}", "a line of a log\n".repeat(800), s.lines()).into() })
    ),
    place!(Must, "ctrl-sep", "content/ctrl.log", Bytes(|s| format!("\u{1}{}\u{2}\u{1f}", s.lines()).into())),
    place!(
        Must,
        "patch-removed",
        "content/fix.patch",
        Bytes(|s| {
            [b"--- a/.env\n+++ b/.env\n@@ -1,4 +0,0 @@\n".to_vec(), each_line(s, "-", "\n")].concat()
        })
    ),
    place!(Must, "diff-plusplus", "content/plusplus.txt", Bytes(|s| each_line(s, "++ ", "\n"))),
    place!(
        Must,
        "diff-fake-header",
        "content/fake-header.txt",
        Bytes(|s| { format!("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n{}", s.lines()).into() })
    ),
    place!(Must, "attr-generated", "content/generated.js", Bytes(plain)),
    place!(Must, "attr-binary", "content/attr-binary.dat", Bytes(plain)),
    place!(Must, "attr-nodiff", "content/attr-nodiff.dat", Bytes(plain)),
    place!(Must, "name-newline", "content/new\nline.env", Bytes(plain)),
    place!(Must, "name-tab-quote", "content/tab\t\"quote'.env", Bytes(plain)),
    FilePlace {
        name: "name-nonutf8",
        level: Must,
        path: |_| b"content/\xff\xfe\x80.env".to_vec(),
        content: Bytes(plain),
    },
    place!(Must, "name-ansi", "content/\u{1b}[31mred\u{1b}]0;x\u{7}.env", Bytes(plain)),
    place!(Must, "name-dash", "--output=x.env", Bytes(plain)),
    place!(Must, "name-diff-confuse", "content/a b/{x => y} b/z.env", Bytes(plain)),
    place!(Must, "name-space-end", "content/space-end.env ", Bytes(plain)),
    place!(Must, "name-workflow-cmd", "content/x\n::error title=x::y.env", Bytes(plain)),
    place!(Must, "name-rtl", "content/\u{202e}vne.exe", Bytes(plain)),
    place!(Must, "pdf-ext", "content/manual.pdf", Bytes(plain)),
    place!(
        Must,
        "latin1",
        "content/latin1.ini",
        Bytes(|s| [b"; caf\xe9 \xfcber\n".to_vec(), plain(s)].concat())
    ),
    place!(
        Must,
        "notebook",
        "content/study.ipynb",
        Bytes(|s| {
            let lines: Vec<_> = s.lines().lines().map(|line| format!("    \"{line}\\n\"")).collect();
            let source = lines.join(",\n");
            format!("{{\"cells\": [\n {{\"cell_type\": \"code\", \"source\": [\n{source}\n ]}}\n]}}\n").into()
        })
    ),
    place!(Must, "dotfile", "content/.config/.hidden", Bytes(plain)),
    place!(
        Must,
        "gitmodules-url",
        ".gitmodules",
        Bytes(|s| { format!("[submodule \"desk\"]\n\tpath = desk\n\turl = \"{}\"\n", address(s)).into() })
    ),
    place!(Must, "vendored", "content/node_modules/desk/index.js", Bytes(plain)),
    place!(
        Must,
        "lockfile",
        "content/package-lock.json",
        Bytes(|s| {
            format!("{{\n  \"lockfileVersion\": 3,\n  \"resolved\": \"{}\"\n}}\n", address(s)).into()
        })
    ),
    place!(Must, "image-ext", "content/logo.png", Bytes(plain)),
    place!(
        Must,
        "svg-ext",
        "content/logo.svg",
        Bytes(|s| {
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\">\n<!--\n{}-->\n</svg>\n", s.lines()).into()
        })
    ),
    place!(
        Must,
        "nul-bytes",
        "content/nul.dat",
        Bytes(|s| { [b"\0\x01\0\x02".to_vec(), plain(s), b"\0\0".to_vec()].concat() })
    ),
    place!(Must, "sqlite", "content/desk.sqlite", Container("sqlite")),
    place!(Must, "pyc", "content/desk.pyc", Container("pyc")),
    place!(
        Must,
        "utf16le-bom",
        "content/utf16le.txt",
        Bytes(|s| { wide(&format!("\u{feff}{}", s.lines()), u16::to_le_bytes) })
    ),
    place!(
        Must,
        "utf16be-bom",
        "content/utf16be.txt",
        Bytes(|s| { wide(&format!("\u{feff}{}", s.lines()), u16::to_be_bytes) })
    ),
    FilePlace {
        name: "file-name",
        level: Must,
        path: |s| format!("content/{}", s.line()).into_bytes(),
        content: Bytes(|_| b"nothing\n".to_vec()),
    },
    place!(
        Must,
        "long-line",
        "content/bundle.js",
        Bytes(|s| {
            let filler = "a(b+1);".repeat(1 << 16);
            format!("{filler}var c=\"{}\";{filler}", s.json()).into()
        })
    ),
    place!(
        Must,
        "large-file",
        "content/large.log",
        Bytes(|s| {
            let filler = "2026-01-01 00:00:00 a line of a log that says nothing\n".repeat(1 << 16);
            format!("{filler}{}{filler}", s.lines()).into()
        })
    ),
    place!(Should, "urlencoded", "content/request.txt", Bytes(percent)),
    place!(Should, "gzip", "content/desk.env.gz", Container("gzip")),
    place!(Should, "zip", "content/desk.zip", Container("zip")),
    place!(Should, "targz", "content/desk.tar.gz", Container("targz")),
    place!(Should, "base64-line", "content/base64.txt", Bytes(|s| format!("CONFIG={}\n", base64(s)).into())),
    place!(
        Should,
        "base64-wrapped76",
        "content/base64.mime",
        Bytes(|s| {
            let text = base64(s).into_bytes();
            text.chunks(76).flat_map(|line| [line, b"\n"].concat()).collect()
        })
    ),
    place!(Should, "k8s-secret", "content/secret.yaml", Bytes(values_in_base64)),
    place!(Should, "utf16le-nobom", "content/nobom.txt", Bytes(|s| wide(&s.lines(), u16::to_le_bytes))),
    place!(
        May,
        "base64-twice",
        "content/twice.txt",
        Bytes(|s| { format!("CONFIG={}\n", BASE64.encode(base64(s).as_bytes())).into() })
    ),
    place!(May, "zip-in-zip", "content/nested.zip", Container("zip-in-zip")),
    place!(May, "jar-noext", "content/desk", Container("jar")),
    place!(
        May,
        "json-unicode",
        "content/unicode.json",
        Bytes(|s| {
            let escaped: String = s.lines().bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            format!("{{\"config\": \"{escaped}\"}}\n").into()
        })
    ),
    place!(
        May,
        "hex",
        "content/hex.txt",
        Bytes(|s| { format!("config={}\n", HEXLOWER.encode(s.lines().as_bytes())).into() })
    ),
    place!(May, "split-string", "content/split.py", Bytes(split_string)),
    place!(
        Policy,
        "inline-ignore",
        "content/allowed.env",
        Bytes(|s| { format!("{} # keyfence:allow invented for a test\n", s.line()).into() })
    ),
];
