//! Targets that read files of git and of a project: no panic gets out, and what cannot be read is told.

use std::fs;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use keyfence::config::{Config, Level};
use keyfence::model::{Chunk, ContentKind, Coverage, Problem, ProblemKind};
use keyfence::source::git::{GitEnvironment, History, HistoryOptions, Staged, StagedOptions};
use keyfence::source::{Receiver, Source, Tree, TreeOptions, Worker};
use keyfence::suppress::Baseline;

/// An empty repository, made without git; one target at a time uses it.
static REPOSITORY: LazyLock<Mutex<tempfile::TempDir>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for name in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
        fs::create_dir_all(directory.path().join(".git").join(name)).expect("the directory is writable");
    }
    write(directory.path(), "HEAD", b"ref: refs/heads/main\n");
    write(directory.path(), "config", b"[core]\n\trepositoryformatversion = 0\n");
    Mutex::new(directory)
});

fn write(repository: &Path, name: &str, bytes: &[u8]) {
    fs::write(repository.join(".git").join(name), bytes).expect("the directory is writable");
}

/// Counts what a source hands out.
#[derive(Default)]
struct Counter(Mutex<Count>);

/// What came.
#[derive(Default)]
pub struct Count {
    /// Chunks and their bytes.
    pub chunks: u64,
    /// What was handed out, one after the other.
    pub bytes: Vec<u8>,
    /// Where the contents stand.
    pub paths: Vec<Vec<u8>>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Receiver for Counter {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(Hand(&self.0))
    }
}

struct Hand<'a>(&'a Mutex<Count>);

impl Hand<'_> {
    fn count(&self) -> std::sync::MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker for Hand<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let mut count = self.count();
        count.chunks += 1;
        if chunk.provenance.kind != ContentKind::FileName {
            count.bytes.extend_from_slice(chunk.bytes);
            count.paths.push(chunk.provenance.path.as_bytes().to_vec());
        }
    }

    fn covered(&mut self, _: &Coverage) {}

    fn problem(&mut self, problem: Problem) {
        self.count().problems.push(problem);
    }

    fn interrupted(&self) -> bool {
        false
    }
}

/// Drives a source to its end. A fault of ours that it caught is a fault all the same.
fn drive(source: &dyn Source) -> Option<Count> {
    let counter = Counter::default();
    let driven = source.drive(&counter);
    let count = counter.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let internal = count.problems.iter().find(|problem| problem.kind == ProblemKind::Internal);
    assert!(internal.is_none(), "{internal:?}");
    driven.is_ok().then_some(count)
}

/// How many times its size an archive may become, and from how many bytes on that counts.
const RATIO: usize = 200;
const RATIO_FROM: usize = 1 << 20;
/// How much may come out before it is charged.
const STEP: usize = 64 << 10;
/// What archives begin like, or have behind a first header.
const MARKS: [&[u8]; 6] = [b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"ustar"];

/// Archives: all that is in them comes out beside them, no more than a bomb is allowed, and the rest is told.
pub fn archive(data: &[u8]) {
    let repository = REPOSITORY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = repository.path().join("archive");
    fs::write(&file, data).expect("the directory is writable");
    let options = TreeOptions {
        paths: vec![file.clone()],
        ignore_rules: false,
        max_file_size: None,
        left_out: None,
        threads: 1,
        piece_overlap: 1024,
    };
    let told = drive(&Tree::new(options)).expect("a file can be scanned");
    let most = RATIO_FROM.max(RATIO * data.len()) + STEP + data.len();
    assert!(told.bytes.len() <= most, "{} bytes of {}", told.bytes.len(), data.len());
    let name = file.as_os_str().as_encoded_bytes();
    for path in &told.paths {
        let inside = path.strip_prefix(name).expect("everything is at the archive's path or in it");
        assert!(inside.is_empty() || inside.starts_with(b"!/"), "{}", inside.escape_ascii());
    }
    if told.paths.is_empty() && told.problems.is_empty() {
        let begins = |mark: &&[u8]| {
            data.starts_with(mark) || data.get(257..).is_some_and(|rest| rest.starts_with(mark))
        };
        assert!(data.is_empty() || MARKS.iter().any(begins), "{} bytes came to nothing", data.len());
    }
}

/// The index: whatever stands there, an error or entries.
pub fn index(data: &[u8]) {
    let repository = REPOSITORY.lock().unwrap_or_else(PoisonError::into_inner);
    write(repository.path(), "index", data);
    drive(&Staged::new(StagedOptions::new(repository.path(), GitEnvironment::default())));
    fs::remove_file(repository.path().join(".git/index")).expect("it was just written");
}

/// The instructions of a delta, over a base that is right.
pub fn delta(data: &[u8]) {
    delta_over_base(data);
}

/// The same; gives what was handed out.
pub fn delta_over_base(data: &[u8]) -> Option<Count> {
    history_of(&[blob(BASE), [header(6, data.len()), vec![distance_to_base()], stored(data)].concat()])
}

/// An entry of a pack as it stands there, behind one that is right.
pub fn entry(data: &[u8]) {
    history_of(&[blob(BASE), data.to_vec()]);
}

/// Short, so that its entry is shorter than 128 bytes and every distance to it is one byte.
const BASE: &[u8] = b"the base of all deltas here, sixty-four bytes that mean nothing.";

fn distance_to_base() -> u8 {
    u8::try_from(blob(BASE).len()).expect("the base is short")
}

fn blob(content: &[u8]) -> Vec<u8> {
    [header(3, content.len()), stored(content)].concat()
}

fn header(kind: u8, size: usize) -> Vec<u8> {
    let mut rest = size >> 4;
    let mut bytes = vec![kind << 4 | (size & 15) as u8];
    while rest > 0 {
        *bytes.last_mut().expect("there is a first") |= 0x80;
        bytes.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes
}

/// A zlib stream that compresses nothing.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        stream.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("blocks are shorter than 64 KiB");
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for &byte in content {
        low = (low + u32::from(byte)) % 65521;
        high = (high + low) % 65521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn checksum(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().expect("nobody makes collisions here").as_bytes().to_vec()
}

/// Scans a repository whose one pack has these entries; their names are made up, the checksums are right.
fn history_of(entries: &[Vec<u8>]) -> Option<Count> {
    let count = u32::try_from(entries.len()).expect("there are few");
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend(count.to_be_bytes());
    let mut offsets = Vec::new();
    for entry in entries {
        offsets.push(u32::try_from(pack.len()).expect("packs are small here"));
        pack.extend(entry);
    }
    let checksum = checksum(&pack);
    pack.extend(&checksum);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    let ids: Vec<u8> = (0..count).map(|number| 0x10 + u8::try_from(number).expect("there are few")).collect();
    for first in 0..=u8::MAX {
        let below = ids.iter().filter(|&&id| id <= first).count();
        index.extend(u32::try_from(below).expect("there are few").to_be_bytes());
    }
    ids.iter().for_each(|&id| index.extend([id; 20]));
    entries.iter().for_each(|entry| index.extend(crc32fast::hash(entry).to_be_bytes()));
    offsets.iter().for_each(|offset| index.extend(offset.to_be_bytes()));
    index.extend(checksum);
    index.extend(self::checksum(&index));
    let repository = REPOSITORY.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("objects/pack/pack-{}", "1".repeat(40));
    write(repository.path(), &format!("{name}.pack"), &pack);
    write(repository.path(), &format!("{name}.idx"), &index);
    let told = drive(&History::new(HistoryOptions::new(repository.path(), GitEnvironment::default())));
    for extension in ["pack", "idx"] {
        let file = repository.path().join(format!(".git/{name}.{extension}"));
        fs::remove_file(file).expect("it was just written");
    }
    told
}

/// Configuration at both levels: an error in one line, or values.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for level in [Level::Top, Level::Nested] {
        if let Err(message) = Config::parse(text, level) {
            assert!(!message.is_empty() && message.len() < 4096, "{} bytes of message", message.len());
        }
    }
}

/// Baselines: what is read and written again reads the same.
pub fn baseline(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = Baseline::parse(text) {
        let written = read.to_text();
        let again = Baseline::parse(&written).expect("what was written can be read");
        assert_eq!(again.to_text(), written);
    }
}
