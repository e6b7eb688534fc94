//! What one scan of a repository remembers for the next: which objects could hold nothing, and what the others are to
//! each other.
//!
//! Contents that were judged are not read again. Of what was found in them, what tells it from other findings is written
//! down: rule, place, fingerprint, and never a value: what is reported in the end is read again. Names are written down
//! only where they could hold nothing. It is a cache: it may be deleted at any time, it is believed only where this user
//! wrote it for this repository, these rules and this build, and a scan that uses it says the same as one that does not.
//!
//! Must not know: detection, references, output.
//! Invariants: an object that could not be read is not remembered; stored bytes of what is remembered are still checked
//! against their checksums; whatever is in doubt is looked at again.

mod file;
mod known;
mod notes;
mod remembered;

pub(super) use file::CacheFile;
pub(super) use known::Known;
pub(super) use notes::{Judged, Memos, Notes};
pub(super) use remembered::Remembered;
