//! What is fuzzed, as an ordinary test: seeds made from what the repository holds, what once failed, and a few thousand
//! changes of both, the same ones every time.
//!
//! `cargo test --test fuzz_corpus -- --ignored` writes the seeds where `cargo fuzz` looks for them. `KEYFENCE_FUZZ_ROUNDS`
//! tries more changes of each seed than the usual number.

#![cfg(all(unix, feature = "cli"))]

mod common;
#[path = "common/dice.rs"]
mod dice;
#[path = "common/sqlite.rs"]
mod sqlite;
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::io::{Cursor, Write as _};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use common::Repository;
use dice::Dice;
use keyfence::rules::format::Pack;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz");
/// Changes of each target's seeds in an ordinary run.
const ROUNDS: usize = 400;

fn files(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut open = vec![directory.as_ref().to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// Texts of the built-in rules' examples: each holds something that is found, or nearly.
fn examples() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for file in files(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")) {
        let Ok(pack) = Pack::parse(&fs::read_to_string(file).unwrap_or_default()) else { continue };
        for part in &pack.parts {
            texts.extend(part.matches.iter().take(2).map(|example| example.open().1.into_bytes()));
        }
    }
    texts.extend([
        b"key = 'x' # keyfence:allow[binance-api-key] because".to_vec(),
        b"\xff\xfea\0b\0".to_vec(),
    ]);
    texts
}

/// The smallest inputs that reach what fuzzing reached so far: base64 with seams, one a line.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read(Path::new(FUZZ).join("seeds/kept").join(target)).unwrap_or_default();
    let text = without_seam(&text);
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| data_encoding::BASE64.decode(line).expect("fuzz/run.py wrote it")).collect()
}

/// Where each target begins.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    [made(target), kept(target)].concat()
}

fn made(target: &str) -> Vec<Vec<u8>> {
    let own = |directory: &str, extension: &str| -> Vec<Vec<u8>> {
        let all = files(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
        let wanted = all.iter().filter(|file| file.extension().is_some_and(|its| its == extension));
        wanted
            .map(|file| fs::read(file).expect("it is in the repository"))
            .filter(|text| text.len() < 4096)
            .collect()
    };
    match target {
        "detect" | "trace" | "window" | "allow" => {
            examples().into_iter().map(|text| [b"\x00\x08\x01\x04".to_vec(), text].concat()).collect()
        }
        "prefilter" | "linear" => examples(),
        "pack" => own("rules", "yaml"),
        "config" => own("tests/cli", "yaml"),
        "baseline" => vec![
            format!("# a baseline\nsalt {}\n{} binance-api-secret reason\n", "0".repeat(32), "1".repeat(32))
                .into(),
        ],
        "words" => [&b"a\x1b[2J::error::x ##vso[y] \xff"[..], "\u{202e}\u{feff}a".as_bytes()]
            .map(<[u8]>::to_vec)
            .into(),
        "decode" => {
            let texts = (0_u8..=250).cycle().zip(examples().into_iter().chain(decoding()).cycle().take(1000));
            texts.map(|(form, text)| [vec![form], text].concat()).collect()
        }
        "archive" => archives(),
        "imports" => imported(),
        "instructions" => {
            let base = b"\x12the base of it all";
            let deltas: [&[u8]; 3] =
                [b"\x12\x07\x90\x03\x04-all", b"\x12\x06\x91\x03\x03\x90\x03", b"\x12\x12\xb1\0\x12\0"];
            deltas.map(|delta| [base, delta].concat()).into()
        }
        "index" => indexes(),
        "delta" => vec![
            [&[64, 10, 5][..], b"hello", &[0x90, 5]].concat(),
            [&[64, 70, 0x90, 64, 6][..], b"thanks"].concat(),
            vec![64, 8, 0xb1, 3, 4, 0, 0x91, 1, 4],
        ],
        "entry" => vec![
            b"\x35\x78\x01\x01\x05\x00\xfa\xffhello\x06\x2c\x02\x15".to_vec(),
            b"\x63\x4f\x78\x01\x01\x03\x00\xfc\xff\x40\x01\x01\x00\x86\x00\x43".to_vec(),
            [&b"\x73"[..], &[0x10; 20], b"\x78\x01\x01\x03\x00\xfc\xff\x40\x01\x01\x00\x86\x00\x43"].concat(),
        ],
        other => panic!("{other} has no seeds"),
    }
}

/// Texts in forms that go on over seams.
fn decoding() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 6] = [
        b"key = \"abcdefgh01234567\" +\n  \"ijklmnop89012345\";\n",
        b"KEY=abcdefgh01234567\\\nijklmnop89012345\n",
        b"{\"a\": \"x\\u003dabcdefgh01234567\\n\\/y\"}",
        b"&quot;key&quot;: &#34;abcdefgh01234567&#x22;",
        b"a=%7B%22key%22%3A%22abcdefgh01234567%22%7D",
        b"data:\n  a: S0VZPWFiY2RlZmdoMDEyMzQ1NjcK\n  b: MHg2MTYyNjM=\n",
    ];
    texts.map(<[u8]>::to_vec).into()
}

/// Archives of every format, with what stands in them.
fn archives() -> Vec<Vec<u8>> {
    let members: [(&str, &[u8]); 2] = [("config/.env", b"KEY=abcdefgh\n"), ("b.txt", b"second\n")];
    let mut tar = tar::Builder::new(Vec::new());
    let mut zips = Vec::new();
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file(name, options).expect("memory can be written");
            zip.write_all(content).expect("memory can be written");
        }
        zips.push(zip.finish().expect("memory can be written").into_inner());
    }
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content).expect("memory can be written");
    }
    let tar = tar.into_inner().expect("memory can be written");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&tar).expect("memory can be written");
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(&zips[1]).expect("memory can be written");
    let zstandard = ruzstd::encoding::compress_to_vec(&tar[..], ruzstd::encoding::CompressionLevel::Fastest);
    // `hello, members` as xz wrote it: the decoder comes without an encoder.
    let xz = [
        "fd377a585a000004e6d6b4460200210116000000742fe5a3",
        "01000e68656c6c6f2c206d656d626572730a0000405f7817",
        "0a57ab470001270fdf1afc6a1fb6f37d",
        "010000000004595a",
    ];
    let xz = data_encoding::HEXLOWER.decode(xz.concat().as_bytes()).expect("it is hexadecimal");
    let streams = [gzip.finish(), bzip2.finish()].map(|stream| stream.expect("memory can be written"));
    zips.into_iter().chain(streams).chain([tar, zstandard, xz]).chain(databases()).collect()
}

/// Small databases with several pages, an index, a row that is longer than a page, and a deleted one.
fn databases() -> Vec<Vec<u8>> {
    let directory = tempfile::tempdir().expect("a directory");
    let made = ["UTF-8", "UTF-16le"].map(|encoding| {
        let path = directory.path().join(encoding);
        let statements = format!(
            "PRAGMA encoding = '{encoding}'; PRAGMA page_size = 512; PRAGMA secure_delete = OFF;
             CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT, note TEXT); CREATE INDEX b ON a (name);
             CREATE TABLE c (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
             INSERT INTO a (name, note) VALUES ('one', NULL), ('two', '{}'), ('three', x'00ff');
             INSERT INTO c VALUES ('x', -1), ('y', 1.5); DELETE FROM a WHERE id = 1;",
            "long ".repeat(300)
        );
        sqlite::database(&path, &statements);
        path
    });
    made.map(|path| fs::read(path).expect("it was made")).into()
}

/// Files of other scanners, each behind the number of its kind.
fn imported() -> Vec<Vec<u8>> {
    let directory = Path::new(FUZZ).join("seeds/imports");
    let of_kind = |(number, _): (usize, &targets::Format)| {
        let text = fs::read(directory.join(number.to_string())).expect("each kind has a seed");
        [vec![u8::try_from(number).expect("there are few")], text].concat()
    };
    targets::FORMATS.iter().enumerate().map(of_kind).collect()
}

/// Index files as git writes them: versions 2 to 4, split, sparse, with intent to add.
fn indexes() -> Vec<Vec<u8>> {
    let repository = Repository::new();
    repository.write("a/b.txt", "b\n");
    repository.write("c.txt", "c\n");
    repository.commit_all("Begin");
    repository.write("d.txt", "d\n");
    let shapes: [&[&str]; 5] = [
        &["update-index", "--index-version", "2"],
        &["add", "--intent-to-add", "d.txt"],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "x"],
    ];
    let index = repository.path().join(".git/index");
    let written = shapes.iter().map(|shape| {
        repository.git(shape);
        fs::read(&index).expect("git wrote it")
    });
    written.collect()
}

/// What once failed. Values have a seam, which is removed.
fn crashes(target: &str) -> Vec<Vec<u8>> {
    let files = files(Path::new(FUZZ).join("crashes").join(target));
    files.iter().map(|file| without_seam(&fs::read(file).expect("it is in the repository"))).collect()
}

fn without_seam(bytes: &[u8]) -> Vec<u8> {
    let seam = "\u{a6}".as_bytes();
    let mut rest = bytes;
    let mut whole = Vec::new();
    while let Some(at) = rest.windows(seam.len()).position(|window| window == seam) {
        whole.extend_from_slice(&rest[..at]);
        rest = &rest[at + seam.len()..];
    }
    [whole, rest.to_vec()].concat()
}

/// A few changes of `bytes`, with pieces of `other`.
fn changed(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'='];
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let until = (at + dice.below(24)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = TELLING[dice.below(TELLING.len())],
            2 => drop(bytes.drain(at..until)),
            3 => {
                let copy = bytes[at..until].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => bytes.truncate(at),
            5 => {
                let from = dice.below(other.len() + 1);
                let piece = other[from..(from + dice.below(64)).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.insert(at, TELLING[dice.below(TELLING.len())]),
        }
    }
    bytes
}

fn rounds() -> usize {
    let asked = std::env::var("KEYFENCE_FUZZ_ROUNDS").ok();
    asked.map_or(ROUNDS, |text| text.parse().expect("KEYFENCE_FUZZ_ROUNDS is a number"))
}

/// Of how many inputs a target gets one: those that make long texts of short ones take their time.
fn thinned(target: &str) -> usize {
    if target == "linear" { 20 } else { 1 }
}

/// Tries seeds, what once failed, and changes; gives the inputs that fail, with where they can be found.
fn replay(target: &str, run: fn(&[u8])) -> Vec<String> {
    let seeds = [crashes(target), seeds(target)].concat();
    assert!(!seeds.is_empty(), "{target} has seeds");
    let mut dice = Dice(7);
    let changes: Vec<Vec<u8>> = (0..rounds())
        .map(|_| {
            changed(
                &seeds[dice.below(seeds.len())].clone(),
                &seeds[dice.below(seeds.len())].clone(),
                &mut dice,
            )
        })
        .collect();
    let mut failed = Vec::new();
    for input in seeds.iter().chain(&changes).step_by(thinned(target)) {
        if catch_unwind(|| run(input)).is_err() {
            let kept = std::env::temp_dir().join(format!("keyfence-{target}-{}", failed.len()));
            fs::write(&kept, input).expect("the temporary directory is writable");
            failed.push(format!("{target}: {} bytes, kept as {}", input.len(), kept.display()));
        }
        if failed.len() == 3 {
            break;
        }
    }
    failed
}

#[test]
fn every_target_keeps_its_promises() {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let handles = targets::TARGETS.iter().map(|&(name, run)| scope.spawn(move || replay(name, run)));
        let handles: Vec<_> = handles.collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("failures are caught")).collect()
    });
    assert!(
        failed.is_empty(),
        "{} inputs fail; keep them under fuzz/crashes/:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn targets_reach_what_they_are_about() {
    let delta = &seeds("delta")[0];
    let told = targets::delta_over_base(delta).expect("the repository can be scanned");
    assert_eq!(told.problems, []);
    let made = told.bytes.windows(10).any(|window| window == b"hellothe b");
    assert!(made, "the delta is applied: {:?}", String::from_utf8_lossy(&told.bytes));
    for (name, _) in targets::TARGETS {
        let file = Path::new(FUZZ).join("fuzz_targets").join(name).with_extension("rs");
        assert!(file.exists(), "{name} can be run by cargo fuzz");
    }
}

#[test]
#[ignore = "writes the seeds where cargo fuzz looks for them"]
fn write_seeds() {
    for (target, _) in targets::TARGETS {
        let directory = Path::new(FUZZ).join("corpus").join(target);
        fs::create_dir_all(&directory).expect("the repository is writable");
        for (number, seed) in seeds(target).iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed).expect("the repository is writable");
        }
    }
}
