//! The instructions that make one version from another.
//!
//! Must not know: packs, objects, what is in a version.
//! Invariants: whatever the instructions say, nothing outside base and instructions is read and nothing beyond the
//! declared size is written; the pieces are as long as can be, so that no seam is seen where there is none.

use crate::model::CopiedPiece;

/// The instructions cannot be followed. Says nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its delta is damaged")]
pub(super) struct BadDelta;

/// The size of the base and of the version, and the instructions behind them.
pub(super) fn sizes(delta: &[u8]) -> Result<(u64, u64, &[u8]), BadDelta> {
    let (base, rest) = size(delta)?;
    let (version, rest) = size(rest)?;
    Ok((base, version, rest))
}

fn size(bytes: &[u8]) -> Result<(u64, &[u8]), BadDelta> {
    let mut size = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(9) {
        size |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((size, &bytes[index + 1..]));
        }
    }
    Err(BadDelta)
}

/// Makes the version of `size` bytes in `version` (which is cleared first) and notes what was copied.
pub(super) fn apply(
    base: &[u8],
    instructions: &[u8],
    size: usize,
    (version, pieces): (&mut Vec<u8>, &mut Vec<CopiedPiece>),
) -> Result<(), BadDelta> {
    version.clear();
    pieces.clear();
    version.reserve_exact(size);
    let mut rest = instructions;
    while let Some((&command, after)) = rest.split_first() {
        let bytes = if command & 0x80 == 0 {
            let (inserted, after) = after.split_at_checked(usize::from(command)).ok_or(BadDelta)?;
            // A command of zero is reserved.
            if inserted.is_empty() {
                return Err(BadDelta);
            }
            rest = after;
            inserted
        } else {
            let (from, length, after) = copy(command, after)?;
            let copied = base.get(from..from + length).ok_or(BadDelta)?;
            note(pieces, CopiedPiece { from, to: version.len(), length });
            rest = after;
            copied
        };
        if version.len() + bytes.len() > size {
            return Err(BadDelta);
        }
        version.extend_from_slice(bytes);
    }
    if version.len() == size { Ok(()) } else { Err(BadDelta) }
}

/// What `delta` makes of `base`, if it can be followed and makes no more than `most` bytes; for the contracts' tests.
pub(super) fn followed(base: &[u8], delta: &[u8], most: usize) -> Option<(Vec<u8>, Vec<CopiedPiece>)> {
    let (_, size, instructions) = sizes(delta).ok()?;
    let size = usize::try_from(size).ok().filter(|&size| size <= most)?;
    let (mut version, mut pieces) = (Vec::new(), Vec::new());
    apply(base, instructions, size, (&mut version, &mut pieces)).ok()?;
    Some((version, pieces))
}

/// Where the copied bytes start in the base, how many they are, and what comes after the command. At most 2^32 and 2^24.
fn copy(command: u8, operands: &[u8]) -> Result<(usize, usize, &[u8]), BadDelta> {
    let mut rest = operands;
    let mut number = |bits: u8, width: u8| {
        let mut value = 0_usize;
        for index in 0..width {
            if bits >> index & 1 == 1 {
                let (&byte, after) = rest.split_first().ok_or(BadDelta)?;
                value |= usize::from(byte) << (8 * index);
                rest = after;
            }
        }
        Ok(value)
    };
    let from = number(command, 4)?;
    let length = number(command >> 4 & 0x07, 3)?;
    Ok((from, if length == 0 { 0x10000 } else { length }, rest))
}

/// git splits long copies; two that join in both versions are one.
fn note(pieces: &mut Vec<CopiedPiece>, piece: CopiedPiece) {
    match pieces.last_mut() {
        Some(last) if last.end() == piece.to && last.from + last.length == piece.from => {
            last.length += piece.length;
        }
        _ => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadDelta, apply, sizes};
    use crate::model::CopiedPiece;

    type Made = Result<(Vec<u8>, Vec<CopiedPiece>), BadDelta>;

    fn made(base: &[u8], delta: &[u8]) -> Made {
        let (_, size, instructions) = sizes(delta)?;
        let (mut version, mut pieces) = (b"old".to_vec(), Vec::new());
        let size = usize::try_from(size.min(1 << 20)).expect("it is small");
        apply(base, instructions, size, (&mut version, &mut pieces))?;
        Ok((version, pieces))
    }

    fn piece(from: usize, to: usize, length: usize) -> CopiedPiece {
        CopiedPiece { from, to, length }
    }

    #[test]
    fn instructions_are_followed() {
        let base = b"0123456789";
        let cases: [(&[u8], Made); 8] = [
            (b"\x0a\x05\x90\x03\x02ab", Ok((b"012ab".to_vec(), vec![piece(0, 0, 3)]))),
            // Two copies that join are one piece, two that do not are two.
            (b"\x0a\x06\x90\x03\x91\x03\x03", Ok((b"012345".to_vec(), vec![piece(0, 0, 6)]))),
            (b"\x0a\x06\x91\x03\x03\x90\x03", Ok((b"345012".to_vec(), vec![piece(3, 0, 3), piece(0, 3, 3)]))),
            (b"\x0a\x00", Ok((Vec::new(), Vec::new()))),
            (b"\x0a\x05\x91\x08\x05", Err(BadDelta)),
            (b"\x0a\x02\x90\x03", Err(BadDelta)),
            (b"\x0a\x05\x90\x03", Err(BadDelta)),
            (b"\x0a\x01\x00", Err(BadDelta)),
        ];
        for (delta, expected) in cases {
            assert_eq!(made(base, delta), expected, "{delta:x?}");
        }
    }

    #[test]
    fn a_copy_without_a_length_takes_64_kibibytes() {
        let base = vec![b'x'; 0x10000];
        let delta = [b"\x80\x80\x04\x80\x80\x04".as_slice(), b"\x80"].concat();
        assert_eq!(made(&base, &delta).map(|(version, _)| version.len()), Ok(0x10000));
    }

    proptest! {
        #[test]
        fn whatever_is_said_stays_in_bounds(base in proptest::collection::vec(any::<u8>(), 0..50), delta in proptest::collection::vec(any::<u8>(), 0..50)) {
            if let Ok((version, pieces)) = made(&base, &delta) {
                for piece in pieces {
                    prop_assert_eq!(&version[piece.to..piece.end()], &base[piece.from..piece.from + piece.length]);
                }
            }
        }
    }
}
