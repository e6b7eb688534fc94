//! Reads any stream into chunks: whole when it is small, in overlapping pieces when it is not.
//!
//! Must not know: where the stream comes from, what a receiver looks for.
//! Invariant: every run of at most `overlap` bytes stands wholly in at least one chunk, and memory never grows with
//! the length of the stream.

use std::io::{self, Read};

use crate::model::{Chunk, Coverage, Focus, Provenance};

use super::Worker;

/// How far back from a cut a line end is looked for at most.
const LINE_SEARCH: usize = 64 * 1024;
/// What a buffer starts with when nothing is known about the stream.
const FIRST_FILL: usize = 64 * 1024;
/// How much of a stream is looked at to call it binary.
const BINARY_PROBE: usize = 8 * 1024;

/// How a stream is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Streams up to this length are one chunk.
    pub(crate) whole: usize,
    /// The length of a piece of a longer stream.
    pub(crate) piece: usize,
    /// How many bytes neighbouring pieces share at least.
    pub(crate) overlap: usize,
}

impl Sizes {
    /// The sizes that are used for real: 16 MiB whole, else 8 MiB pieces. `overlap` is at most a quarter of a piece.
    pub(crate) fn with_overlap(overlap: usize) -> Self {
        let piece = 8 << 20;
        Self { whole: 16 << 20, piece, overlap: overlap.min(piece / 4) }
    }

    /// How far back from a cut a line end is looked for.
    fn line_search(&self) -> usize {
        LINE_SEARCH.min(self.piece / 4)
    }

    /// The most bytes of a stream of `length` that are held at once.
    pub(crate) fn window(&self, length: Option<u64>) -> usize {
        match length {
            Some(length) if length > self.whole as u64 => self.piece,
            Some(length) => usize::try_from(length).unwrap_or(self.whole),
            None => self.whole,
        }
    }
}

/// A buffer that is reused from stream to stream. It is zeroed once, when it grows, and never again.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// Gives memory above `keep` bytes back to the system.
    #[cfg(feature = "files")]
    pub(crate) fn shrink(&mut self, keep: usize) {
        if self.bytes.len() > keep {
            self.bytes.truncate(keep);
            self.bytes.shrink_to_fit();
        }
    }

    /// Reads until `wanted` bytes are there or the stream has ended.
    fn fill(&mut self, stream: &mut Stream<'_>, wanted: usize) -> io::Result<()> {
        while self.filled < wanted && !stream.ended {
            if self.filled == self.bytes.len() {
                let larger = (self.bytes.len() * 2).max(stream.first_fill()).min(wanted);
                self.bytes.resize(larger, 0);
            }
            let end = self.bytes.len().min(wanted);
            self.filled += stream.read(&mut self.bytes[self.filled..end])?;
        }
        Ok(())
    }

    /// What was read and not yet discarded.
    pub(crate) fn content(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    fn discard(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
    }
}

/// A stream and how much of it was read.
struct Stream<'a> {
    reader: &'a mut dyn Read,
    /// The length as far as it is known beforehand; reading stops there, so that a growing file comes to an end.
    length: Option<u64>,
    read: u64,
    ended: bool,
}

impl Stream<'_> {
    /// One byte more than is expected, so that a single read shows a whole file and its end.
    fn first_fill(&self) -> usize {
        match self.length {
            Some(length) => usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1),
            None => FIRST_FILL,
        }
    }

    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(target) {
                Ok(count) => {
                    self.read += count as u64;
                    self.ended = count == 0 || self.length.is_some_and(|length| self.read >= length);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was handed out to its end.
    Covered(Coverage),
    /// The scan was interrupted.
    Interrupted,
    /// Its beginning, which the buffer holds, was refused; nothing was handed out, and the rest was not read.
    Refused,
}

/// Reads `reader` to its end and hands it to `worker`. `length` is its length when that is known (a plain file).
///
/// Returns what was covered, or `None` when the scan was interrupted.
#[cfg(any(test, not(feature = "archives")))]
pub(crate) fn hand_out(
    reader: &mut dyn Read,
    length: Option<u64>,
    sizes: Sizes,
    provenance: &Provenance,
    target: (&mut Buffer, &mut dyn Worker),
) -> io::Result<Option<Coverage>> {
    match hand_out_unless(|_| false, reader, length, sizes, provenance, target)? {
        Outcome::Covered(covered) => Ok(Some(covered)),
        Outcome::Interrupted | Outcome::Refused => Ok(None),
    }
}

/// The same unless `refuses` says so of its beginning.
pub(crate) fn hand_out_unless(
    refuses: impl Fn(&[u8]) -> bool,
    reader: &mut dyn Read,
    length: Option<u64>,
    sizes: Sizes,
    provenance: &Provenance,
    (buffer, worker): (&mut Buffer, &mut dyn Worker),
) -> io::Result<Outcome> {
    let mut stream = Stream { reader, length, read: 0, ended: false };
    let window = sizes.window(length);
    buffer.filled = 0;
    // One byte more than the window tells a stream that just fits from one that goes on.
    buffer.fill(&mut stream, window + 1)?;
    if refuses(buffer.content()) {
        return Ok(Outcome::Refused);
    }
    let encoding = Encoding::of(buffer.content());
    let binary = encoding == Encoding::Bytes && looks_binary(buffer.content());
    let mut offset = 0;
    let mut lines_before: u32 = 0;
    loop {
        if worker.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        let content = buffer.content();
        let cut = if stream.ended {
            content.len()
        } else {
            encoding.cut(content, content.len() - 1, sizes.line_search())
        };
        let bytes = &content[..cut];
        worker.chunk(&Chunk { bytes, provenance, focus: &Focus::Whole, offset, lines_before });
        if stream.ended {
            break;
        }
        let next = encoding.cut(content, cut.saturating_sub(sizes.overlap), sizes.line_search());
        lines_before = lines_before.saturating_add(encoding.line_ends(&content[..next]));
        offset += next as u64;
        buffer.discard(next);
        buffer.fill(&mut stream, sizes.piece + 1)?;
    }
    let covered = Coverage { files: 1, bytes: stream.read, binary: u64::from(binary), ..Coverage::default() };
    Ok(Outcome::Covered(covered))
}

fn looks_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE)]).is_some()
}

/// How characters are stored, as far as cutting needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Bytes,
    Utf16Little,
    Utf16Big,
}

impl Encoding {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, ..] => Self::Utf16Little,
            [0xfe, 0xff, ..] => Self::Utf16Big,
            _ => Self::Bytes,
        }
    }

    /// The best place to cut at or before `limit`: behind a near line end, else at a whole character unit.
    ///
    /// Pieces begin at places that this chose, so even places in a piece are even places in the file.
    fn cut(self, bytes: &[u8], limit: usize, search: usize) -> usize {
        let unit = if self == Self::Bytes { 1 } else { 2 };
        let limit = limit - limit % unit;
        let start = limit.saturating_sub(search).next_multiple_of(unit);
        let near = &bytes[start..limit];
        let found = match self.newline() {
            None => memchr::memrchr(b'\n', near).map(|at| at + 1),
            Some(newline) => near.chunks_exact(2).rposition(|unit| unit == newline).map(|at| at * 2 + 2),
        };
        found.map_or(limit, |behind| start + behind)
    }

    fn line_ends(self, bytes: &[u8]) -> u32 {
        let count = match self.newline() {
            None => memchr::memchr_iter(b'\n', bytes).count(),
            Some(newline) => bytes.chunks_exact(2).filter(|unit| *unit == newline).count(),
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The line end as a unit of two bytes.
    fn newline(self) -> Option<[u8; 2]> {
        match self {
            Self::Bytes => None,
            Self::Utf16Little => Some([b'\n', 0]),
            Self::Utf16Big => Some([0, b'\n']),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{FilePath, Problem};

    const SIZES: Sizes = Sizes { whole: 64, piece: 32, overlap: 8 };

    /// A piece as it was handed out.
    #[derive(Debug)]
    struct Piece {
        offset: usize,
        lines_before: u32,
        bytes: Vec<u8>,
    }

    impl Piece {
        fn end(&self) -> usize {
            self.offset + self.bytes.len()
        }
    }

    #[derive(Default)]
    struct Collector {
        pieces: Vec<Piece>,
    }

    impl Worker for Collector {
        fn chunk(&mut self, chunk: &Chunk<'_>) {
            let offset = usize::try_from(chunk.offset).expect("tests are small");
            self.pieces.push(Piece { offset, lines_before: chunk.lines_before, bytes: chunk.bytes.to_vec() });
        }

        fn covered(&mut self, _: &Coverage) {}

        fn problem(&mut self, problem: Problem) {
            panic!("{problem:?}");
        }

        fn interrupted(&self) -> bool {
            false
        }
    }

    /// Gives few bytes at a time, as pipes do.
    struct Dribble<R>(R, usize);

    impl<R: Read> Read for Dribble<R> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let most = target.len().min(self.1);
            self.0.read(&mut target[..most])
        }
    }

    fn cut_up(content: &[u8], length_known: bool, step: usize) -> (Vec<Piece>, Coverage) {
        let provenance = Provenance::file(FilePath::from("stream"));
        let length = length_known.then_some(content.len() as u64);
        // What an earlier stream left in the buffer must never show.
        let mut buffer = Buffer { bytes: vec![b'?'; 48], filled: 48 };
        let mut collector = Collector::default();
        let mut stream = Dribble(Cursor::new(content), step);
        let covered = hand_out(&mut stream, length, SIZES, &provenance, (&mut buffer, &mut collector))
            .expect("memory can be read")
            .expect("nothing interrupts");
        (collector.pieces, covered)
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    fn assert_covers(content: &[u8], pieces: &[Piece]) {
        assert_eq!(pieces[0].offset, 0);
        assert_eq!(pieces.last().map(Piece::end), Some(content.len()));
        for piece in pieces {
            assert_eq!(piece.bytes, content[piece.offset..piece.end()], "the bytes that stand there");
        }
        for pair in pieces.windows(2) {
            assert!(pair[0].offset < pair[1].offset, "every piece goes on");
            assert!(pair[1].offset + SIZES.overlap <= pair[0].end(), "neighbours share the overlap");
        }
    }

    /// Some lines, some long lines, in the ways that a stream can come.
    fn contents() -> impl Strategy<Value = Vec<u8>> {
        let text = prop_oneof!["[ab\n]{0,300}", "[abcd]{0,300}", "([a-z]{0,20}\n){0,20}", "\n{0,200}"];
        (text, 0..4).prop_map(|(text, form)| match form {
            0 => utf16(&text, true),
            1 => utf16(&text, false),
            _ => text.into_bytes(),
        })
    }

    proptest! {
        #[test]
        fn pieces_join_up_and_share_the_overlap(
            content in contents(), known: bool, step in 1usize..100,
        ) {
            let (pieces, covered) = cut_up(&content, known, step);
            assert_covers(&content, &pieces);
            prop_assert_eq!((covered.files, covered.bytes), (1, content.len() as u64));
            for length in 1..=SIZES.overlap.min(content.len()) {
                for start in 0..=content.len() - length {
                    let whole = |piece: &Piece| piece.offset <= start && start + length <= piece.end();
                    prop_assert!(pieces.iter().any(whole), "{} bytes at {}", length, start);
                }
            }
        }

        #[test]
        fn lines_are_counted_from_the_start_of_the_file(
            text in "[ab\n]{0,300}", form in 0..3, step in 1usize..100,
        ) {
            let (content, unit) = match form {
                0 => (utf16(&text, true), 2),
                1 => (utf16(&text, false), 2),
                _ => (text.clone().into_bytes(), 1),
            };
            // The mark at the start of UTF-16 is one unit more than the text has.
            let mark = usize::from(unit == 2);
            for piece in cut_up(&content, false, step).0 {
                prop_assert_eq!(piece.offset % unit, 0);
                prop_assert!(piece.bytes.len().is_multiple_of(unit));
                let before = &text[..(piece.offset / unit).saturating_sub(mark)];
                prop_assert_eq!(piece.lines_before as usize, before.matches('\n').count());
            }
        }
    }

    #[test]
    fn what_fits_is_one_piece() {
        for (length, known, expected) in
            [(0, true, 1), (1, false, 1), (64, true, 1), (64, false, 1), (65, true, 3), (65, false, 2)]
        {
            let (pieces, _) = cut_up(&vec![b'x'; length], known, 7);
            assert_eq!(pieces.len(), expected, "{length} bytes, length known: {known}");
        }
    }

    #[test]
    fn pieces_end_behind_lines_where_they_can() {
        let content = b"0123\n".repeat(40);
        let (pieces, _) = cut_up(&content, true, 100);
        assert!(pieces.len() > 2);
        assert!(pieces.iter().all(|piece| piece.bytes.ends_with(b"\n") && piece.offset % 5 == 0));
    }

    #[test]
    fn a_long_line_is_cut_in_pieces_of_the_same_length() {
        let content: Vec<u8> = (0..1000u32).map(|at| b'a' + (at % 23) as u8).collect();
        let (pieces, _) = cut_up(&content, true, 100);
        assert_covers(&content, &pieces);
        let (last, rest) = pieces.split_last().expect("there are pieces");
        assert!(rest.iter().all(|piece| piece.bytes.len() == SIZES.piece));
        assert!(last.bytes.len() <= SIZES.piece + 1 && pieces.iter().all(|piece| piece.lines_before == 0));
    }

    /// The sizes that are used for real hold the window and not the stream.
    #[test]
    fn memory_does_not_grow_with_the_stream() {
        let sizes = Sizes::with_overlap(64 * 1024);
        let provenance = Provenance::file(FilePath::from("stream"));
        let (mut buffer, mut worker) = (Buffer::default(), Largest::default());
        let mut stream = io::repeat(b'x').take(100 << 20);
        hand_out(&mut stream, None, sizes, &provenance, (&mut buffer, &mut worker)).expect("it can be read");
        assert_eq!(worker.end, 100 << 20);
        assert!(worker.largest <= sizes.whole && buffer.bytes.len() <= sizes.whole + 1);
        buffer.shrink(1 << 20);
        assert!(buffer.bytes.capacity() <= 2 << 20);
    }

    #[derive(Default)]
    struct Largest {
        largest: usize,
        end: u64,
    }

    impl Worker for Largest {
        fn chunk(&mut self, chunk: &Chunk<'_>) {
            self.largest = self.largest.max(chunk.bytes.len());
            self.end = chunk.offset + chunk.bytes.len() as u64;
        }

        fn covered(&mut self, _: &Coverage) {}

        fn problem(&mut self, problem: Problem) {
            panic!("{problem:?}");
        }

        fn interrupted(&self) -> bool {
            false
        }
    }
}
