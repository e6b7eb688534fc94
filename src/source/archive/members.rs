//! Walks the members of one input, and of archives in it.
//!
//! Must not know: limits' figures, where problems go.
//! Invariant: every member is handed out, unpacked, or noted as trouble; what came out before a trouble is handed out.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::model::{Chunk, FilePath, Provenance};

use super::format::Format;
use super::limits::{Account, Limits, Meter};
use super::sqlite;
use super::trouble::{Trouble, Troubles};
use crate::source::Worker;

/// How much is read before it is charged.
const STEP: usize = 64 * 1024;
/// How much memory an xz file may ask for, in KiB: a little more than the 64 MiB of `xz -9`, the most it offers by name. Of
/// zstd the decoder itself allows no more than is usual.
const MOST_MEMORY: u32 = 65 << 10;
/// What stands before each entry of a zip's directory.
const ZIP_ENTRY: &[u8] = b"PK\x01\x02";

/// One input under way.
pub(crate) struct Unpacking<'a> {
    meter: Meter<'a>,
    entries_limit: usize,
    provenance: &'a Provenance,
    worker: &'a mut dyn Worker,
    troubles: Troubles,
}

impl<'a> Unpacking<'a> {
    pub(crate) fn new(
        limits: &'a Limits,
        account: &'a Account,
        length: usize,
        provenance: &'a Provenance,
        worker: &'a mut dyn Worker,
    ) -> Self {
        Self {
            meter: Meter::new(limits, account, length),
            entries_limit: limits.entries,
            provenance,
            worker,
            troubles: Troubles::default(),
        }
    }

    /// Hands out everything in `bytes`; what is no archive after all is handed out as it is.
    pub(crate) fn unpack(mut self, bytes: &[u8]) {
        let path = self.provenance.path.clone();
        // A limit that ends the input was noted where it was met.
        let _ = self.content(bytes, &path, 0, false);
        let problems = self.troubles.problems(self.provenance);
        problems.for_each(|problem| self.worker.problem(problem));
    }

    /// What came out at `path`: an archive again, or something to scan.
    fn content(
        &mut self,
        bytes: &[u8],
        path: &FilePath,
        depth: usize,
        is_stream: bool,
    ) -> Result<(), Trouble> {
        if self.worker.interrupted() {
            return self.note(Trouble::Interrupted, path);
        }
        let Some(format) = Format::of(bytes) else {
            let name = if is_stream { member_path(path, stem(path.file_name())) } else { path.clone() };
            self.hand_out(bytes, &name);
            return Ok(());
        };
        let opened = self.meter.depth(depth + 1).and_then(|()| self.open(bytes, format, path, depth + 1));
        match opened {
            Err(trouble) if !trouble.ends_input() => {
                self.hand_out(bytes, path);
                self.note(trouble, path)
            }
            other => other,
        }
    }

    fn hand_out(&mut self, bytes: &[u8], path: &FilePath) {
        let provenance = Provenance { path: path.clone(), ..self.provenance.clone() };
        self.worker.chunk(&Chunk::whole(bytes, &provenance));
    }

    /// Notes a trouble; an error if it ends the input.
    fn note(&mut self, trouble: Trouble, path: &FilePath) -> Result<(), Trouble> {
        self.troubles.note(trouble, path);
        if trouble.ends_input() { Err(trouble) } else { Ok(()) }
    }

    fn open(&mut self, bytes: &[u8], format: Format, path: &FilePath, depth: usize) -> Result<(), Trouble> {
        match format {
            Format::Zip => self.zip(bytes, path, depth),
            Format::Tar => self.tar(bytes, path, depth),
            Format::Gzip => self.stream(&mut MultiGzDecoder::new(bytes), path, depth),
            Format::Bzip2 => self.stream(&mut bzip2::read::MultiBzDecoder::new(bytes), path, depth),
            Format::Xz => {
                self.stream(&mut lzma_rust2::XzReader::new_mem_limit(bytes, true, MOST_MEMORY), path, depth)
            }
            Format::Sqlite => self.database(bytes, path),
            Format::Zstandard => self.stream(&mut Frames { rest: bytes, frame: None }, path, depth),
        }
    }

    /// One compressed file.
    fn stream(&mut self, reader: &mut dyn Read, path: &FilePath, depth: usize) -> Result<(), Trouble> {
        let read = self.read(reader);
        self.came_out(read, path, depth, true)
    }

    fn zip(&mut self, bytes: &[u8], path: &FilePath, depth: usize) -> Result<(), Trouble> {
        // Counted before the directory is read: reading it takes memory for each entry.
        if memchr::memmem::find_iter(bytes, ZIP_ENTRY).take(self.entries_limit + 1).count()
            > self.entries_limit
        {
            return self.note(Trouble::Entries(self.entries_limit), path);
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Trouble::Damaged)?;
        for index in 0..archive.len() {
            if let Err(trouble) = self.meter.entries(1) {
                return self.note(trouble, path);
            }
            let (name, read) = match archive.by_index(index) {
                Ok(mut file) if file.is_file() => (member_path(path, file.name_raw()), self.read(&mut file)),
                Ok(_) => continue,
                Err(error) => (path.clone(), (Vec::new(), Some(zip_trouble(&error)))),
            };
            self.came_out(read, &name, depth, false)?;
        }
        Ok(())
    }

    fn tar(&mut self, bytes: &[u8], path: &FilePath, depth: usize) -> Result<(), Trouble> {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(|_| Trouble::Damaged)? {
            if let Err(trouble) = self.meter.entries(1) {
                return self.note(trouble, path);
            }
            let Ok(mut entry) = entry else { return self.note(Trouble::Damaged, path) };
            let kind = entry.header().entry_type();
            if kind.is_file() || kind.is_gnu_sparse() {
                let name = member_path(path, &entry.path_bytes());
                let read = self.read(&mut entry);
                self.came_out(read, &name, depth, false)?;
            }
        }
        Ok(())
    }

    /// The tables of a database, and the rest of it as it stands.
    fn database(&mut self, bytes: &[u8], path: &FilePath) -> Result<(), Trouble> {
        let mut met = Ok(());
        let rest = sqlite::read(bytes, &mut |name, text| {
            if met.is_ok() {
                met = self.table(text, &member_path(path, name.as_bytes()));
            }
        });
        self.hand_out(rest.as_deref().unwrap_or(bytes), path);
        met
    }

    fn table(&mut self, text: &str, path: &FilePath) -> Result<(), Trouble> {
        if let Err(trouble) = self.meter.entries(1).and_then(|()| self.meter.bytes(text.len())) {
            return self.note(trouble, path);
        }
        self.hand_out(text.as_bytes(), path);
        Ok(())
    }

    /// Hands out what was read, and notes why there is no more.
    fn came_out(
        &mut self,
        (content, trouble): (Vec<u8>, Option<Trouble>),
        path: &FilePath,
        depth: usize,
        is_stream: bool,
    ) -> Result<(), Trouble> {
        if !content.is_empty() {
            self.content(&content, path, depth, is_stream)?;
        }
        trouble.map_or(Ok(()), |trouble| self.note(trouble, path))
    }

    /// Everything that `reader` gives until its end or a trouble.
    fn read(&mut self, reader: &mut dyn Read) -> (Vec<u8>, Option<Trouble>) {
        let mut content = Vec::new();
        loop {
            let before = content.len();
            let step = (&mut *reader).take(STEP as u64).read_to_end(&mut content);
            if let Err(trouble) = self.meter.bytes(content.len() - before) {
                return (content, Some(trouble));
            }
            match step {
                Ok(0) => return (content, None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                    return (content, Some(Trouble::Memory(MOST_MEMORY)));
                }
                Err(_) => return (content, Some(Trouble::Damaged)),
            }
        }
    }
}

fn zip_trouble(error: &ZipError) -> Trouble {
    match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => Trouble::Encrypted,
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => Trouble::Method,
        _ => Trouble::Damaged,
    }
}

/// `archive.zip!/member`.
fn member_path(archive: &FilePath, member: &[u8]) -> FilePath {
    FilePath::from_bytes([archive.as_bytes(), b"!/", member].concat())
}

/// The name of what was compressed: without the last ending.
fn stem(name: &[u8]) -> &[u8] {
    memchr::memrchr(b'.', name).filter(|&at| at > 0).map_or(name, |at| &name[..at])
}

/// zstd data, frame after frame.
struct Frames<'a> {
    rest: &'a [u8],
    frame: Option<StreamingDecoder<&'a [u8], FrameDecoder>>,
}

impl Read for Frames<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(mut frame) = self.frame.take() {
                let count = frame.read(target)?;
                if count > 0 || target.is_empty() {
                    self.frame = Some(frame);
                    return Ok(count);
                }
                self.rest = frame.into_inner();
            }
            self.rest = without_skippable(self.rest);
            if self.rest.is_empty() {
                return Ok(0);
            }
            self.frame = Some(StreamingDecoder::new(self.rest).map_err(io::Error::other)?);
        }
    }
}

/// Without the frames at the front that hold something else (RFC 8878, 3.1.2).
fn without_skippable(mut bytes: &[u8]) -> &[u8] {
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, one, two, three, four, rest @ ..] = bytes {
        let length = usize::try_from(u32::from_le_bytes([*one, *two, *three, *four])).unwrap_or(usize::MAX);
        bytes = rest.get(length..).unwrap_or_default();
    }
    bytes
}
