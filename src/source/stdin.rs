//! Standard input as a source.
//!
//! Must not know: files, directories.
//! Invariant: a stream of any length is read in bounded memory.

use std::io;

use crate::model::{Coverage, FilePath, Problem, ProblemKind, Provenance, ScanMode};

#[cfg(feature = "archives")]
use super::archive::Archives;
use super::pieces::{Buffer, Sizes};
use super::{Receiver, Source, SourceError, Worker};

/// Standard input, scanned under a name.
#[derive(Clone, Debug)]
pub struct Stdin {
    name: FilePath,
    piece_overlap: usize,
}

impl Stdin {
    /// Standard input under `name` (`<stdin>` when the user gave none). `piece_overlap` is the detector's reach in
    /// bytes: what is longer than 16 MiB is handed out in pieces that share at least so many bytes.
    pub fn new(name: FilePath, piece_overlap: usize) -> Self {
        Self { name, piece_overlap }
    }
}

impl Source for Stdin {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let mut worker = receiver.worker();
        let provenance = Provenance::file(self.name.clone());
        let sizes = Sizes::with_overlap(self.piece_overlap);
        let mut buffer = Buffer::default();
        let target = (&mut buffer, &mut *worker as &mut dyn Worker);
        let mut input = io::stdin().lock();
        #[cfg(feature = "archives")]
        let read = Archives::default().hand_out(&mut input, None, sizes, &provenance, target);
        #[cfg(not(feature = "archives"))]
        let read = super::pieces::hand_out(&mut input, None, sizes, &provenance, target);
        match read {
            Ok(Some(covered)) => worker.covered(&Coverage { mode: ScanMode::Stdin, ..covered }),
            Ok(None) => {}
            Err(error) => {
                let message = format!("standard input could not be read: {}", error.kind());
                worker.problem(Problem::at(ProblemKind::Unreadable, self.name.clone(), message));
            }
        }
        Ok(())
    }
}
