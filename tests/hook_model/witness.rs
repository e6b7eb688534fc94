//! What git says a commit holds, line by line.
//!
//! Must not know: keyfence, how the commit was made.
//! Invariant: everything comes from git's own commands on the commits themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::common::Repository;

/// Tokens by path.
pub type Judged = BTreeMap<String, BTreeSet<String>>;

type Tree = BTreeMap<String, Entry>;
type Tokens<'a> = BTreeSet<&'a str>;

/// A file or link of a commit.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    is_link: bool,
    id: String,
}

/// Reads commits, and remembers contents.
#[derive(Default)]
pub struct Witness {
    contents: HashMap<String, String>,
}

impl Witness {
    /// Compares what was judged with what `commit` brings over `bases`; says what differs. The hook could know the
    /// first `known` of them: what is new against those may be judged, what is new against all of them has to be.
    pub fn compare(
        &mut self,
        repository: &Repository,
        top: &Path,
        commit: &str,
        bases: &[String],
        known: usize,
        judged: &Judged,
    ) -> Result<(), String> {
        let tree = self.read(repository, top, commit);
        let bases: Vec<_> = bases.iter().map(|base| self.read(repository, top, base)).collect();
        let none = BTreeSet::new();
        for (path, entry) in &tree {
            let seen: BTreeSet<&str> = judged.get(path).unwrap_or(&none).iter().map(String::as_str).collect();
            let (least, _) = self.bounds(path, entry, &bases);
            let (_, most) = self.bounds(path, entry, &bases[..known.min(bases.len())]);
            if let Some(lost) = least.difference(&seen).next() {
                return Err(format!("{path}: committed and not judged: {lost}"));
            }
            if let Some(more) = seen.difference(&most).next() {
                return Err(format!("{path}: judged and not new: {more}"));
            }
        }
        match judged.keys().find(|path| !tree.contains_key(*path)) {
            Some(path) => Err(format!("{path}: judged and not committed at all")),
            None => Ok(()),
        }
    }

    /// The tokens of `entry` that are certainly new against `bases`, and those that may count as new.
    fn bounds<'a>(&'a self, path: &str, entry: &Entry, bases: &[Tree]) -> (Tokens<'a>, Tokens<'a>) {
        let content = &self.contents[&entry.id];
        let before: Vec<_> = bases.iter().filter_map(|base| base.get(path)).collect();
        if before.contains(&entry) {
            return (Tokens::new(), Tokens::new());
        }
        let same_kind: Vec<_> = before.iter().filter(|it| it.is_link == entry.is_link).collect();
        if !same_kind.is_empty() && !entry.is_link {
            let new = new_tokens(content, same_kind.iter().map(|it| self.contents[&it.id].as_str()));
            return (new.clone(), new);
        }
        // A new path may be an old file under a new name: then lines that were there need not count.
        let texts = bases.iter().flat_map(BTreeMap::values).map(|entry| &self.contents[&entry.id]);
        let old: Tokens<'_> = texts.flat_map(|text| tokens(text)).collect();
        let all: Tokens<'_> = tokens(content).collect();
        (all.difference(&old).copied().collect(), all)
    }

    fn read(&mut self, repository: &Repository, top: &Path, commit: &str) -> Tree {
        let listing = repository.git_in(top, &["ls-tree", "-r", "-z", "--full-tree", commit]);
        let mut tree = Tree::new();
        for line in listing.split_terminator('\0') {
            let (head, path) = line.split_once('\t').expect("ls-tree separates the path");
            let mut words = head.split(' ');
            let mode = words.next().expect("the mode is first");
            let id = words.nth(1).expect("the id is third").to_owned();
            tree.insert(path.to_owned(), Entry { is_link: mode == "120000", id });
        }
        let unknown: BTreeSet<_> =
            tree.values().map(|entry| &entry.id).filter(|id| !self.contents.contains_key(*id)).collect();
        let unknown: Vec<_> = unknown.into_iter().cloned().collect();
        self.fetch(repository, top, &unknown);
        tree
    }

    fn fetch(&mut self, repository: &Repository, top: &Path, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        let mut command = repository.command(top);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("git can be started");
        let mut input = child.stdin.take().expect("it is piped");
        let request = ids.iter().map(|id| format!("{id}\n")).collect::<String>();
        let writer = std::thread::spawn(move || input.write_all(request.as_bytes()));
        let output = child.wait_with_output().expect("git ends").stdout;
        writer.join().expect("it does not panic").expect("git reads its input");
        let mut rest = &output[..];
        for id in ids {
            let end = rest.iter().position(|&byte| byte == b'\n').expect("there is a header");
            let header = std::str::from_utf8(&rest[..end]).expect("headers are ASCII");
            let size: usize =
                header.rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a size is last");
            let content = text_of(&rest[end + 1..end + 1 + size]);
            self.contents.insert(id.clone(), content);
            rest = &rest[end + 2 + size..];
        }
    }
}

/// Where the attributes are not there yet, or no longer, files of two bytes a letter are committed as they are.
fn text_of(bytes: &[u8]) -> String {
    let Some(wide) = bytes.strip_prefix(b"\xff\xfe") else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    let units: Vec<u16> =
        wide.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])).collect();
    String::from_utf16_lossy(&units)
}

/// The tokens of lines that none of the earlier versions has.
fn new_tokens<'a>(content: &'a str, before: impl Iterator<Item = &'a str>) -> Tokens<'a> {
    let mut old = BTreeSet::new();
    before.for_each(|text| old.extend(text.split_inclusive('\n')));
    let new = content.split_inclusive('\n').filter(|line| !old.contains(line));
    new.flat_map(tokens).collect()
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(super::actor::prefix()).filter_map(|(at, _)| text.get(at..at + super::actor::TOKEN))
}
