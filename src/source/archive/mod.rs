//! Archives and compressed files: what is in them is handed out as if it stood beside them.
//!
//! zip (and what is one by another name: jar, wheel, docx), tar, gzip, bzip2, xz and zstd, told by their first bytes and
//! never by their names, one inside another; the tables of a SQLite database are members of it. A member's path is
//! `archive.zip!/member`. Nothing is ever written to disk, so that no name in an archive can reach outside it.
//!
//! Must not know: what a receiver looks for.
//! Invariants: memory and time are bounded by [`Limits`] whatever the bytes are; what is not read because of a limit, a
//! damage or a password becomes a problem, so that the report is not clean.

mod format;
mod limits;
mod members;
mod sqlite;
mod trouble;

use std::io::{self, Read};

use crate::model::{Coverage, Problem, ProblemKind, Provenance};

pub(crate) use self::format::Format;
use self::limits::Account;
pub(crate) use self::limits::Limits;
use self::members::Unpacking;
use super::Worker;
use super::pieces::{self, Buffer, Outcome, Sizes};

/// Opens the archives of one scan, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    limits: Limits,
    account: Account,
}

impl Archives {
    /// Hands out what is in `bytes`, an archive at the path of `provenance`.
    pub(crate) fn unpack(&self, bytes: &[u8], provenance: &Provenance, worker: &mut dyn Worker) {
        if bytes.len() as u64 > self.limits.input {
            return worker.problem(too_large(provenance, self.limits.input));
        }
        Unpacking::new(&self.limits, &self.account, bytes.len(), provenance, worker).unpack(bytes);
    }

    /// How many bytes came out of all archives so far.
    #[cfg(feature = "git")]
    pub(crate) fn produced(&self) -> u64 {
        self.account.produced()
    }

    /// Charges for an archive that need not be unpacked again; false if so much may not come out any more.
    #[cfg(feature = "git")]
    pub(crate) fn charge(&self, bytes: u64) -> bool {
        self.account.charge(bytes, self.limits.scan)
    }

    /// Reads `reader` to its end and hands it to `worker`, as [`pieces::hand_out`] does; an archive is unpacked.
    pub(crate) fn hand_out(
        &self,
        reader: &mut dyn Read,
        length: Option<u64>,
        sizes: Sizes,
        provenance: &Provenance,
        (buffer, worker): (&mut Buffer, &mut dyn Worker),
    ) -> io::Result<Option<Coverage>> {
        // A larger database is looked at in pieces: taking it apart needs all of it in memory twice.
        let is_small = length.is_some_and(|length| length <= sqlite::LARGEST as u64);
        let is_archive =
            |begin: &[u8]| Format::of(begin).is_some_and(|format| format != Format::Sqlite || is_small);
        match pieces::hand_out_unless(is_archive, reader, length, sizes, provenance, (buffer, worker))? {
            Outcome::Covered(covered) => Ok(Some(covered)),
            Outcome::Interrupted => Ok(None),
            Outcome::Refused => {
                let bytes = self.rest(reader, buffer)?;
                let covered =
                    Coverage { files: 1, bytes: bytes.len() as u64, binary: 1, ..Coverage::default() };
                self.unpack(&bytes, provenance, worker);
                Ok(Some(covered))
            }
        }
    }

    /// What was read so far and what follows, up to one byte more than may be.
    fn rest(&self, reader: &mut dyn Read, buffer: &Buffer) -> io::Result<Vec<u8>> {
        let mut bytes = buffer.content().to_vec();
        let left = (self.limits.input + 1).saturating_sub(bytes.len() as u64);
        reader.take(left).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn too_large(provenance: &Provenance, limit: u64) -> Problem {
    let message = format!("not unpacked: an archive of more than {} MiB", limit >> 20);
    Problem::at(ProblemKind::TooLarge, provenance.path.clone(), message)
        .with_hint("unpack it and scan what is in it, or leave it out")
}
