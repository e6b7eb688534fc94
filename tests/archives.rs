//! Archives and compressed files: what is in them is handed out, and what cannot be becomes a problem.
#![cfg(feature = "files")]

#[path = "archives/quine.rs"]
mod quine;
#[path = "common/seen.rs"]
mod seen;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use keyfence::model::{Coverage, ProblemKind};
use keyfence::source::{Source, Tree, TreeOptions};
use proptest::prelude::*;
use seen::Seen;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The path without the directory of the test.
fn shown(path: &str) -> String {
    path.split_once("/scanned/").map_or(path, |(_, rest)| rest).to_owned()
}

struct Result {
    chunks: BTreeMap<String, String>,
    problems: Vec<(ProblemKind, String)>,
    coverage: Coverage,
}

/// Scans a directory with one file of this name and content.
fn scan(name: &str, content: &[u8]) -> Result {
    let directory = tempfile::tempdir().expect("there is room for a test");
    let folder = directory.path().join("scanned");
    fs::create_dir(&folder).expect("a directory can be made");
    fs::write(folder.join(name), content).expect("a file can be written");
    let options = TreeOptions {
        paths: vec![PathBuf::from(&folder)],
        ignore_rules: false,
        max_file_size: None,
        left_out: None,
        threads: 1,
        piece_overlap: 1024,
    };
    let seen = Seen::default();
    Tree::new(options).drive(&seen).expect("a directory can be walked");
    let kept = seen.into_kept();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Result {
        chunks: kept.contents.iter().map(|content| (shown(&content.path), text(&content.bytes))).collect(),
        problems: kept.problems.into_iter().map(|problem| (problem.kind, problem.message)).collect(),
        coverage: kept.coverage,
    }
}

fn zipped(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("memory can be written");
        writer.write_all(content).expect("memory can be written");
    }
    writer.finish().expect("memory can be written").into_inner()
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).expect("memory can be written");
    }
    builder.into_inner().expect("memory can be written")
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn bzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(content).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn zstandard(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `hello, members` as xz wrote it: the decoder comes without an encoder.
const XZ_OF_HELLO: [&str; 4] = [
    "fd377a585a000004e6d6b4460200210116000000742fe5a3",
    "01000e68656c6c6f2c206d656d626572730a0000405f7817",
    "0a57ab470001270fdf1afc6a1fb6f37d",
    "010000000004595a",
];

fn xz_of_hello() -> Vec<u8> {
    data_encoding::HEXLOWER.decode(XZ_OF_HELLO.concat().as_bytes()).expect("it is hexadecimal")
}

/// The same, but it asks for a window of that size: 28 is 64 MiB, as `xz -9` writes, 30 is 128 MiB.
fn xz_with_window(size: u8) -> Vec<u8> {
    /// Where the header of the first block stands, and its sum.
    const HEADER: std::ops::Range<usize> = 12..20;
    let mut bytes = xz_of_hello();
    bytes[HEADER.start + 4] = size;
    let sum = crc32fast::hash(&bytes[HEADER]).to_le_bytes();
    bytes[HEADER.end..HEADER.end + sum.len()].copy_from_slice(&sum);
    bytes
}

/// A file's name, its content, and what is inside.
type Case<'a> = (&'a str, Vec<u8>, Vec<(&'a str, &'a str)>);

#[test]
fn what_is_inside_is_handed_out() {
    let hello = b"hello, members\n".as_slice();
    let both: [(&str, &[u8]); 2] = [("config/.env", hello), ("b.txt", b"second\n")];
    let plain_tar = tarred(&both);
    let inner = zipped(&both, CompressionMethod::Deflated);
    let cases: Vec<Case<'_>> = vec![
        (
            "a.zip",
            zipped(&both, CompressionMethod::Deflated),
            vec![("a.zip!/b.txt", "second\n"), ("a.zip!/config/.env", "hello, members\n")],
        ),
        (
            "a.jar",
            zipped(&both, CompressionMethod::Stored),
            vec![("a.jar!/b.txt", "second\n"), ("a.jar!/config/.env", "hello, members\n")],
        ),
        (
            "no-ending",
            plain_tar.clone(),
            vec![("no-ending!/b.txt", "second\n"), ("no-ending!/config/.env", "hello, members\n")],
        ),
        (
            "a.tar.gz",
            gzipped(&plain_tar),
            vec![("a.tar.gz!/b.txt", "second\n"), ("a.tar.gz!/config/.env", "hello, members\n")],
        ),
        ("a.log.gz", gzipped(hello), vec![("a.log.gz!/a.log", "hello, members\n")]),
        (
            "two.gz",
            [gzipped(hello), gzipped(b"more\n")].concat(),
            vec![("two.gz!/two", "hello, members\nmore\n")],
        ),
        ("a.bz2", bzipped(hello), vec![("a.bz2!/a", "hello, members\n")]),
        ("a.txt.zst", zstandard(hello), vec![("a.txt.zst!/a.txt", "hello, members\n")]),
        (
            "two.zst",
            [zstandard(hello), b"\x50\x2a\x4d\x18\x02\0\0\0ab".to_vec(), zstandard(b"more\n")].concat(),
            vec![("two.zst!/two", "hello, members\nmore\n")],
        ),
        ("a.xz", xz_of_hello(), vec![("a.xz!/a", "hello, members\n")]),
        ("b.xz", xz_with_window(28), vec![("b.xz!/b", "hello, members\n")]),
        (
            "outer.zip",
            zipped(&[("inner.zip", &inner)], CompressionMethod::Stored),
            vec![
                ("outer.zip!/inner.zip!/b.txt", "second\n"),
                ("outer.zip!/inner.zip!/config/.env", "hello, members\n"),
            ],
        ),
        ("empty.zip", zipped(&[], CompressionMethod::Stored), vec![]),
    ];
    for (name, content, expected) in cases {
        let result = scan(name, &content);
        let expected: BTreeMap<String, String> =
            expected.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        assert_eq!(result.chunks, expected, "{name}");
        assert_eq!(result.problems, [], "{name}");
        assert_eq!((result.coverage.files, result.coverage.bytes), (1, content.len() as u64), "{name}");
    }
}

#[test]
fn what_only_begins_alike_is_scanned_as_it_is() {
    for (name, content) in [
        ("a.txt", b"BZh9 is how bzip2 begins".as_slice()),
        ("b.txt", b"PK are initials"),
        ("c.txt", b"ustar"),
    ] {
        let result = scan(name, content);
        assert_eq!(result.chunks.keys().collect::<Vec<_>>(), [name]);
        assert_eq!(result.problems, []);
    }
}

#[test]
fn what_cannot_be_read_is_a_problem() {
    let hello = b"hello, members, this is long enough to be cut somewhere in its middle\n".as_slice();
    let archive = zipped(&[("a.txt", hello), ("b.txt", hello)], CompressionMethod::Stored);
    let mut with_password = archive.clone();
    // The first bit of an entry's flags, in the member's own header and in the directory.
    for (mark, offset) in [(b"PK\x03\x04".as_slice(), 6), (b"PK\x01\x02", 8)] {
        let places: Vec<usize> = memchr::memmem::find_iter(&archive, mark).collect();
        places.iter().for_each(|at| with_password[at + offset] |= 1);
    }
    let compressed = gzipped(&hello.repeat(50));
    let cases: Vec<(&str, Vec<u8>, ProblemKind, &str)> = vec![
        ("cut.zip", archive[..archive.len() / 2].to_vec(), ProblemKind::Unreadable, "damaged"),
        ("locked.zip", with_password, ProblemKind::Unreadable, "password"),
        ("cut.gz", compressed[..compressed.len() - 12].to_vec(), ProblemKind::Unreadable, "damaged"),
        ("cut.tar", tarred(&[("a.txt", hello)])[..520].to_vec(), ProblemKind::Unreadable, "damaged"),
        ("window.xz", xz_with_window(30), ProblemKind::TooLarge, "more than 65 MiB of memory"),
        ("deep.gz", (0..5).fold(hello.to_vec(), |inner, _| gzipped(&inner)), ProblemKind::TooLarge, "deep"),
        ("bomb.gz", gzipped(&vec![0; 64 << 20]), ProblemKind::TooLarge, "times its size"),
        (
            "bomb.zip",
            zipped(&[("zeros", &vec![0; 64 << 20])], CompressionMethod::Deflated),
            ProblemKind::TooLarge,
            "times its size",
        ),
    ];
    for (name, content, kind, word) in cases {
        let result = scan(name, &content);
        assert_eq!(result.problems.len(), 1, "{name}: {:?}", result.problems);
        assert_eq!(result.problems[0].0, kind, "{name}");
        assert!(result.problems[0].1.contains(word), "{name}: {}", result.problems[0].1);
        if name.starts_with("cut") {
            assert!(!result.chunks.is_empty(), "{name}: what can be read is scanned");
        }
    }
}

#[test]
fn an_archive_of_too_many_members_is_refused_before_it_is_read() {
    let directory = b"PK\x01\x02".repeat(100_001);
    let result = scan("many.zip", &[b"PK\x03\x04".to_vec(), directory].concat());
    assert_eq!(result.problems[0].0, ProblemKind::TooLarge);
}

/// A zip whose members are zips of zips of zeros: 64 MiB in each of 16 leaves.
#[test]
fn nested_bombs_end_soon() {
    let leaf = zipped(&[("zeros", &vec![0; 64 << 20])], CompressionMethod::Deflated);
    let names: Vec<String> = (0..4).map(|number| format!("{number}.zip")).collect();
    let level = |inner: &[u8]| {
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner)).collect();
        zipped(&members, CompressionMethod::Deflated)
    };
    let bomb = level(&level(&leaf));
    let begun = Instant::now();
    let result = scan("bomb.zip", &bomb);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(result.problems.len(), 1, "{:?}", result.problems);
    assert_eq!(result.problems[0].0, ProblemKind::TooLarge);
}

#[test]
fn archives_that_hold_themselves_end_soon() {
    for (name, archive) in [("own.gz", quine::gzip()), ("own.zip", quine::zip())] {
        let mut inner = Vec::new();
        match name {
            "own.gz" => flate2::read::GzDecoder::new(&archive[..]).read_to_end(&mut inner),
            _ => {
                let mut zip = zip::ZipArchive::new(Cursor::new(&archive)).expect("it is a zip file");
                let mut member = zip.by_index(0).expect("it has a member");
                member.read_to_end(&mut inner)
            }
        }
        .expect("its sum is right");
        assert_eq!(inner, archive, "{name} holds itself");
        let begun = Instant::now();
        let result = scan(name, &archive);
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
        assert_eq!(result.problems.len(), 1, "{name}: {:?}", result.problems);
        assert!(
            result.problems[0].0 == ProblemKind::TooLarge && result.problems[0].1.contains("deep"),
            "{name}: {:?}",
            result.problems
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_archives_never_panic(kind in 0_usize..6, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let members: [(&str, &[u8]); 2] = [("a/b.txt", &[b'x'; 300]), ("c", b"short")];
        let mut bytes = match kind {
            0 => zipped(&members, CompressionMethod::Deflated),
            1 => tarred(&members),
            2 => gzipped(&tarred(&members)),
            3 => bzipped(members[0].1),
            4 => zstandard(members[0].1),
            _ => xz_of_hello(),
        };
        for (place, byte) in &changes {
            let at = place.index(bytes.len());
            bytes[at] = *byte;
        }
        let result = scan("a", &bytes);
        prop_assert!(!result.chunks.is_empty() || !result.problems.is_empty() || kind == 0, "nothing is passed over in silence");
    }
}
