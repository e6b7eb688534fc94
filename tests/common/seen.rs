//! A receiver that keeps whatever a source hands out.
//!
//! Must not know: where it comes from, what it is compared with.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::{Mutex, MutexGuard};

use keyfence::model::{Chunk, ContentKind, Coverage, Focus, Problem};
use keyfence::source::{Receiver, Worker};

/// What is kept, and those who bring it.
#[derive(Default)]
pub struct Seen(Mutex<Kept>);

/// Everything that was handed out.
#[derive(Debug, Default)]
pub struct Kept {
    pub contents: Vec<Content>,
    /// Paths that were handed out as content themselves.
    pub names: Vec<String>,
    pub coverage: Coverage,
    pub problems: Vec<Problem>,
}

/// One content: where it stands, its bytes, and which of its lines count.
#[derive(Debug)]
pub struct Content {
    pub path: String,
    pub bytes: Vec<u8>,
    pub focus: Focus,
}

impl Seen {
    /// What is there so far.
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// What was there in the end.
    pub fn into_kept(self) -> Kept {
        self.0.into_inner().expect("no test panics while it holds this")
    }
}

impl Receiver for Seen {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(Taker(self))
    }
}

/// One of those who bring it.
pub struct Taker<'a>(pub &'a Seen);

impl Worker for Taker<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let path = chunk.provenance.path.to_text();
        if chunk.provenance.kind == ContentKind::FileName {
            assert_eq!(chunk.bytes, chunk.provenance.path.as_bytes());
            return self.0.kept().names.push(path);
        }
        let content = Content { path, bytes: chunk.bytes.to_vec(), focus: chunk.focus.clone() };
        self.0.kept().contents.push(content);
    }

    fn covered(&mut self, coverage: &Coverage) {
        self.0.kept().coverage.absorb(coverage);
    }

    fn problem(&mut self, problem: Problem) {
        self.0.kept().problems.push(problem);
    }

    fn interrupted(&self) -> bool {
        false
    }
}
