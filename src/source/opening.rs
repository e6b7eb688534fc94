//! Opening files that could be anything.
//!
//! Must not know: what is read from them.
//! Invariant: no call waits for a writer at the other end of a FIFO, and no terminal becomes the process's own.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file for reading. Without `follow`, a link that took the place of a file that was seen before is an error.
pub(super) fn open(path: &Path, follow: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let links = if follow { 0 } else { libc::O_NOFOLLOW };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | links);
    }
    #[cfg(not(unix))]
    let _ = follow;
    options.open(path)
}
