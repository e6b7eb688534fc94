//! Every place in git, and every encoding, in which content can hide: a maker of repositories that hold them all.
//!
//! Must not know: how keyfence finds anything.
//! Invariant: each place holds a secret of its own, so that a finding tells which place was seen.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod files;
pub mod maker;
pub mod places;
pub mod secrets;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use files::{Content, FILES, FilePlace};
use maker::Maker;
use places::{BEGINNING, GitPlace, HISTORY, WORK};
use secrets::{Kind, Secret};

/// How much is asked of a scanner at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Must,
    Should,
    May,
    /// People allowed it there: found, and told as allowed.
    Policy,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
            Self::Policy => "policy",
        }
    }
}

/// A way to scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The work tree, ignore files honoured.
    Tree,
    /// The work tree, everything in it.
    AllFiles,
    /// What the next commit would record.
    Staged,
    /// Everything the repository stores.
    History,
    /// What references, reflogs and indexes lead to.
    Reachable,
    /// What `main` brings since the base.
    Range,
}

/// A secret at its place.
pub struct Planted {
    pub name: &'static str,
    pub level: Level,
    pub seen_by: &'static [Mode],
    /// `None` where a secret of this kind cannot stand there.
    pub secret: Option<Secret>,
}

/// A repository full of hiding places.
pub struct World {
    pub maker: Maker,
    pub planted: Vec<Planted>,
    /// The commit that the range begins after.
    pub base: String,
}

const EVERYWHERE: &[Mode] =
    &[Mode::Tree, Mode::AllFiles, Mode::Staged, Mode::History, Mode::Reachable, Mode::Range];
const ATTRIBUTES: &str = "content/attr-binary.dat binary\ncontent/attr-nodiff.dat -diff\n\
    content/generated.js linguist-generated\n";
/// What is committed of the work tree in the end.
const COMMITTED: [&str; 5] = ["--", "content", ".gitmodules", ".gitattributes", "--output=x.env"];

impl World {
    /// Plants a secret of this kind everywhere; the files are staged and not committed yet.
    pub fn staged(kind: Kind) -> Self {
        Self::with_files(kind, |_| true)
    }

    /// The same without the files of many megabytes.
    pub fn small(kind: Kind) -> Self {
        Self::with_files(kind, |place| !matches!(place.name, "large-file" | "long-line"))
    }

    fn with_files(kind: Kind, wanted: fn(&FilePlace) -> bool) -> Self {
        let maker = Maker::new();
        let mut world = Self { maker, planted: Vec::new(), base: String::new() };
        world.plant(kind, BEGINNING);
        world.base = world.maker.main();
        world.plant(kind, HISTORY);
        // `git reset` would write ORIG_HEAD, which is a place of its own.
        world.maker.git(&["read-tree", "--reset", "-u", "HEAD"]);
        world.plant(kind, WORK);
        world.write_files(kind, wanted);
        world.maker.git(&[&["add", "--force"], &COMMITTED[..]].concat());
        world
    }

    /// Commits the files. What is only staged stays so.
    pub fn commit(&self) {
        self.maker
            .git(&[&["commit", "--quiet", "--no-verify", "--only", "-m", "Files"], &COMMITTED[..]].concat());
    }

    /// Moves all objects into a pack, those that nothing leads to as well.
    pub fn pack(&self) {
        self.maker.git(&["repack", "--quiet", "-a", "-d", "-l", "--keep-unreachable"]);
    }

    fn plant(&mut self, kind: Kind, places: &[GitPlace]) {
        for place in places {
            let secret = Secret::of(kind, place.name);
            let secret = (place.plant)(&self.maker, &secret).then_some(secret);
            self.planted.push(Planted {
                name: place.name,
                level: place.level,
                seen_by: place.seen_by,
                secret,
            });
        }
    }

    fn write_files(&mut self, kind: Kind, wanted: fn(&FilePlace) -> bool) {
        let containers = self.containers(kind);
        for place in FILES.iter().filter(|place| wanted(place)) {
            let secret = Secret::of(kind, place.name);
            let content = match place.content {
                Content::Bytes(bytes) => bytes(&secret),
                Content::Container(name) => fs::read(containers.path().join(name)).expect("it was made"),
            };
            let path = (place.path)(&secret);
            self.maker.repository.write(OsStr::from_bytes(&path), content);
            let FilePlace { name, level, .. } = *place;
            self.planted.push(Planted { name, level, seen_by: EVERYWHERE, secret: Some(secret) });
        }
        self.maker.repository.write(".gitattributes", ATTRIBUTES);
    }

    /// The archives and databases, made by the tools that make them everywhere.
    fn containers(&self, kind: Kind) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let named = FILES.iter().filter_map(|place| match place.content {
            Content::Container(name) => Some((name, Secret::of(kind, place.name).lines())),
            Content::Bytes(_) => None,
        });
        let texts: std::collections::BTreeMap<_, _> = named.collect();
        let input = serde_json::to_vec(&texts).expect("texts are JSON");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hiding/containers.py");
        let mut python = self.maker.repository.program("python3");
        python.arg(script).arg(directory.path());
        maker::feed(&mut python, &input);
        directory
    }
}
