//! The instructions of a delta alone, without a pack around them: fast, and compared with the plainest way to follow them.
//!
//! Must not know: files, packs.

use keyfence::source::git::follow_delta;

/// No version here is larger.
const MOST: usize = 1 << 18;

/// Instructions: what is made of the base is what git's own words for the format say, or nothing is made.
pub fn instructions(data: &[u8]) {
    let (length, rest) = data.split_first().unwrap_or((&0, data));
    let (base, delta) = rest.split_at(usize::from(*length).min(rest.len()));
    let made = follow_delta(base, delta, MOST);
    assert_eq!(made.as_ref().map(|(version, _)| version), plainly(base, delta).as_ref());
    let Some((version, pieces)) = made else { return };
    let mut end = 0;
    for piece in pieces {
        assert!(end <= piece.to && piece.length > 0, "{piece:?} after {end}");
        end = piece.to + piece.length;
        assert_eq!(version[piece.to..end], base[piece.from..piece.from + piece.length], "{piece:?}");
    }
}

/// As gitformat-pack tells it, byte after byte.
fn plainly(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = delta.iter().copied();
    let mut size = || {
        let mut size = 0_u128;
        for place in 0..9 {
            let byte = bytes.next()?;
            size |= u128::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Some(size);
            }
        }
        None
    };
    let (_, size) = (size()?, size()?);
    if size > MOST as u128 {
        return None;
    }
    let mut version = Vec::new();
    while let Some(command) = bytes.next() {
        if command < 128 {
            let before = version.len();
            version.extend(bytes.by_ref().take(usize::from(command)));
            if command == 0 || version.len() - before < usize::from(command) {
                return None;
            }
        } else {
            let mut operands = [0; 7];
            for (place, operand) in operands.iter_mut().enumerate() {
                if command >> place & 1 == 1 {
                    *operand = usize::from(bytes.next()?);
                }
            }
            let [a, b, c, d, x, y, z] = operands;
            let from = a | b << 8 | c << 16 | d << 24;
            let length = x | y << 8 | z << 16;
            let length = if length == 0 { 0x10000 } else { length };
            version.extend_from_slice(base.get(from..from + length)?);
        }
        if version.len() as u128 > size {
            return None;
        }
    }
    (version.len() as u128 == size).then_some(version)
}
