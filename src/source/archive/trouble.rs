//! Why something in an archive was not read, in words.
//!
//! Must not know: how archives are read.
//! Invariant: one input gives one problem for each kind of trouble, however many members have it.

use std::collections::BTreeMap;

use crate::model::{FilePath, Problem, ProblemKind, Provenance};

/// Why something was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// More comes out than so many times what went in.
    Ratio(u64),
    /// More bytes come out of it than these.
    Size(u64),
    /// More bytes came out of all archives than these.
    Scan(u64),
    /// It has more members than these.
    Entries(usize),
    /// Archives stand deeper in each other than this.
    Depth(usize),
    /// It asks for more memory than this, in KiB.
    Memory(u32),
    /// It cannot be read without a password.
    Encrypted,
    /// It is compressed in a way that is not known.
    Method,
    /// It is not what it says it is, or ends early.
    Damaged,
    /// The scan was interrupted.
    Interrupted,
}

impl Trouble {
    /// Whether the whole input is given up, not only one member.
    pub(crate) fn ends_input(self) -> bool {
        matches!(self, Self::Ratio(_) | Self::Size(_) | Self::Scan(_) | Self::Entries(_) | Self::Interrupted)
    }

    fn message(self) -> String {
        match self {
            Self::Ratio(ratio) => {
                format!("not unpacked to its end: it becomes more than {ratio} times its size")
            }
            Self::Size(limit) => {
                format!("not unpacked to its end: more than {} MiB come out of it", limit >> 20)
            }
            Self::Scan(limit) => {
                format!(
                    "not unpacked to its end: more than {} MiB came out of archives in this scan",
                    limit >> 20
                )
            }
            Self::Entries(limit) => format!("not unpacked to its end: it has more than {limit} members"),
            Self::Depth(depth) => format!("not unpacked: it stands more than {depth} archives deep"),
            Self::Memory(limit) => {
                format!("not unpacked: it asks for more than {} MiB of memory", limit >> 10)
            }
            Self::Encrypted => "not unpacked: it asks for a password".to_owned(),
            Self::Method => "not unpacked: it is compressed in a way that is not known".to_owned(),
            Self::Damaged => "not unpacked to its end: the archive is damaged".to_owned(),
            Self::Interrupted => "not unpacked to its end: the scan was interrupted".to_owned(),
        }
    }

    fn kind(self) -> ProblemKind {
        match self {
            Self::Ratio(_)
            | Self::Size(_)
            | Self::Scan(_)
            | Self::Entries(_)
            | Self::Depth(_)
            | Self::Memory(_) => ProblemKind::TooLarge,
            Self::Encrypted | Self::Method | Self::Damaged => ProblemKind::Unreadable,
            Self::Interrupted => ProblemKind::Interrupted,
        }
    }
}

/// The troubles of one input: of each kind the first place, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    met: BTreeMap<Trouble, (FilePath, usize)>,
}

impl Troubles {
    pub(crate) fn note(&mut self, trouble: Trouble, path: &FilePath) {
        self.met.entry(trouble).or_insert_with(|| (path.clone(), 0)).1 += 1;
    }

    /// One problem for each kind. An interruption is told by the scan itself.
    pub(crate) fn problems(self, provenance: &Provenance) -> impl Iterator<Item = Problem> {
        let told = self.met.into_iter().filter(|(trouble, _)| *trouble != Trouble::Interrupted);
        told.map(|(trouble, (path, count))| {
            let others = if count > 1 {
                format!(" (and {} more in the same archive)", count - 1)
            } else {
                String::new()
            };
            let mut problem = Problem::at(trouble.kind(), path, trouble.message() + &others)
                .with_hint("unpack it and scan what is in it, or leave it out");
            problem.object.clone_from(&provenance.blob);
            problem
        })
    }
}
