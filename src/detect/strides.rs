//! Text as bits: one for each byte, 64 bytes at a time.
//!
//! Must not know: what the bits are asked for.
//! Invariant: bit `n` tells of byte `n`, the first one lowest.

/// Bytes that are looked at in one go; the compiler turns the loop over them into vector instructions.
pub(crate) const STRIDE: usize = 64;

/// One bit for each byte that `class` gives 1 for; it gives 0 for all others, without branches, so that it vectorises.
#[inline(always)]
pub(crate) fn bits_of<const LENGTH: usize>(bytes: &[u8; LENGTH], class: impl Fn(u8) -> u8) -> u64 {
    const { assert!(LENGTH <= STRIDE && LENGTH.is_multiple_of(8), "bits are gathered in eights") };
    let mut classes = [0_u8; LENGTH];
    for (flag, &byte) in classes.iter_mut().zip(bytes) {
        *flag = class(byte);
    }
    let (eights, _) = classes.as_chunks::<8>();
    // The product gathers the lowest bits of eight bytes in the highest byte.
    eights.iter().enumerate().fold(0, |bits, (index, eight)| {
        bits | (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index)
    })
}

/// Calls `visit` with the place of every stride of `text` and the stride itself; the last one is filled up with zeros.
#[inline(always)]
pub(crate) fn for_each_stride(text: &[u8], mut visit: impl FnMut(usize, &[u8; STRIDE])) {
    let (strides, rest) = text.as_chunks::<STRIDE>();
    strides.iter().enumerate().for_each(|(index, stride)| visit(index * STRIDE, stride));
    let mut last = [0; STRIDE];
    last[..rest.len()].copy_from_slice(rest);
    visit(strides.len() * STRIDE, &last);
}

/// 1 for a lower-case letter.
#[inline(always)]
pub(crate) fn lower(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'a') < 26)
}

/// 1 for a capital.
#[inline(always)]
pub(crate) fn upper(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'A') < 26)
}

/// 1 for a letter of either case.
#[inline(always)]
pub(crate) fn letter(byte: u8) -> u8 {
    lower(byte | 0x20)
}

/// 1 for a digit.
#[inline(always)]
pub(crate) fn digit(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'0') < 10)
}

#[cfg(test)]
mod tests {
    use super::{digit, letter, lower, upper};

    #[test]
    fn classes_are_those_of_ascii() {
        for byte in 0..=255_u8 {
            assert_eq!(lower(byte) == 1, byte.is_ascii_lowercase(), "byte {byte}");
            assert_eq!(upper(byte) == 1, byte.is_ascii_uppercase(), "byte {byte}");
            assert_eq!(letter(byte) == 1, byte.is_ascii_alphabetic(), "byte {byte}");
            assert_eq!(digit(byte) == 1, byte.is_ascii_digit(), "byte {byte}");
        }
    }
}
