//! The cache as a file: where it stands, whether it is believed, and how it is replaced.
//!
//! A repository can come with anything in its git directory, also with a cache that says that nothing is in it. What was
//! copied, unpacked or written by somebody else is not believed: a cache names its own file by what no copy keeps.
//!
//! Must not know: what the cache says.
//! Invariant: a reader sees the whole of one cache or nothing; whatever fails here costs time and nothing else.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

const FOLDER: &str = "keyfence";
const NAME: &str = "history";
const NEW: &str = "history.new";
const MAGIC: &[u8; 16] = b"keyfence cache 3";
/// Nobody writes so long: what is older was left by a scan that was killed.
const ABANDONED: Duration = Duration::from_secs(600);
/// So much is hashed as one piece.
const PIECE: usize = 1 << 20;
const HASH: usize = 32;
/// Magic, key, and what names the file.
const HEAD: usize = MAGIC.len() + HASH + NAMED;
const NAMED: usize = 24;

/// The cache of one repository, for one key.
pub(in super::super) struct CacheFile {
    folder: PathBuf,
    key: [u8; HASH],
}

impl CacheFile {
    /// The cache in `directory` (what all work trees share) for what `parts` stand for. In somebody else's repository
    /// there is none: nothing of ours is left there, and nothing there is believed.
    pub(in super::super) fn new(directory: &Path, parts: &[&[u8]]) -> Option<Self> {
        if !is_ours(directory) {
            return None;
        }
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Some(Self { folder: directory.join(FOLDER), key: hash.finalize().into() })
    }

    /// What was stored, if it is there, whole, ours, and for this key.
    pub(in super::super) fn load(&self) -> Option<Vec<u8>> {
        let path = self.folder.join(NAME);
        let is_plain = fs::symlink_metadata(&self.folder).is_ok_and(|folder| folder.is_dir())
            && fs::symlink_metadata(&path).is_ok_and(|file| file.is_file());
        if !is_plain || !is_ours(&path) {
            return None;
        }
        let mut file = File::open(&path).ok()?;
        // Nothing is read of what is not ours: it may be of any size.
        let expected = self.head(&named(&file.metadata().ok()?)?);
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        if head != expected[..] {
            return None;
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        let hash = content.split_off(content.len().checked_sub(HASH)?);
        (digest(&head, &content)[..] == hash).then_some(content)
    }

    /// Replaces what was stored.
    ///
    /// # Errors
    /// Where the directory cannot be written, or the file system cannot tell one file from its copy.
    pub(in super::super) fn store(&self, content: &[u8]) -> io::Result<()> {
        if let Err(error) = fs::create_dir(&self.folder)
            && !fs::symlink_metadata(&self.folder)?.is_dir()
        {
            return Err(error);
        }
        let path = self.folder.join(NEW);
        let mut file = self.create(&path)?;
        let written = self.write(&mut file, content).and_then(|()| fs::rename(&path, self.folder.join(NAME)));
        if written.is_err() {
            // It would only be in the way; who comes next removes it otherwise.
            let _ = fs::remove_file(&path);
        }
        written
    }

    /// Two scans may end at the same time: the second one leaves it to the first.
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let modified = fs::symlink_metadata(path)?.modified()?;
                if modified.elapsed().unwrap_or_default() < ABANDONED {
                    return Err(error);
                }
                fs::remove_file(path)?;
                options.open(path)
            }
            opened => opened,
        }
    }

    fn write(&self, file: &mut File, content: &[u8]) -> io::Result<()> {
        let named = named(&file.metadata()?).ok_or(io::ErrorKind::Unsupported)?;
        let head = self.head(&named);
        file.write_all(&head)?;
        file.write_all(content)?;
        file.write_all(&digest(&head, content))
    }

    fn head(&self, named: &[u8; NAMED]) -> Vec<u8> {
        [MAGIC.as_slice(), &self.key, named].concat()
    }
}

fn is_ours(path: &Path) -> bool {
    gix::sec::identity::is_path_owned_by_current_user(path).unwrap_or(false)
}

/// What a copy of the file, or one that was unpacked from an archive, does not have: its place on the disk and when it
/// came there.
fn named(file: &Metadata) -> Option<[u8; NAMED]> {
    let born = file.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    #[cfg(unix)]
    let place = std::os::unix::fs::MetadataExt::ino(file);
    #[cfg(not(unix))]
    let place = 0_u64;
    let mut named = [0; NAMED];
    named[..8].copy_from_slice(&place.to_le_bytes());
    named[8..].copy_from_slice(&born.as_nanos().to_le_bytes());
    Some(named)
}

/// A hash of both, made on all cores.
fn digest(head: &[u8], content: &[u8]) -> [u8; HASH] {
    let pieces: Vec<[u8; HASH]> =
        content.par_chunks(PIECE).map(|piece| Sha256::digest(piece).into()).collect();
    let mut whole = Sha256::new();
    whole.update(head);
    whole.update((content.len() as u64).to_le_bytes());
    pieces.iter().for_each(|hash| whole.update(hash));
    whole.finalize().into()
}
