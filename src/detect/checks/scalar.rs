//! Secret scalars of secp256k1 (EVM and Tron keys).
//!
//! Must not know the words around the value. The range test excludes only about 2^-128 of all values, so it does not
//! tell keys from hashes: context has to. What this check does remove are the trivial values of tests and templates.

use zeroize::Zeroizing;

use super::identifiers::hex_digit;

/// The order of secp256k1, big-endian (SEC 2, section 2.4.1).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// A real key has about 30 distinct bytes. The loss of demanding eight is below 2^-120 of real keys, since
/// C(256,7) * (7/256)^32 is about 2^-122; what goes are `000…01`, `1111…`, `deadbeef…`.
const LEAST_DISTINCT_BYTES: u32 = 8;

/// Whether 32 big-endian bytes are in 1..order.
pub(super) fn is_in_range(key: &[u8]) -> bool {
    key.len() == ORDER.len() && key < ORDER.as_slice() && key.iter().any(|&byte| byte != 0)
}

/// 64 hex digits after an optional `0x`, in 1..order, not trivial.
pub(super) fn is_secp256k1_secret(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"0x").or(value.strip_prefix(b"0X")).unwrap_or(value);
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let mut seen = [0u64; 4];
    let mut key = Zeroizing::new([0; ORDER.len()]);
    for (pair, byte) in digits.chunks_exact(2).zip(key.iter_mut()) {
        *byte = (hex_digit(pair[0]) << 4 | hex_digit(pair[1])) as u8;
        seen[usize::from(*byte >> 6)] |= 1 << (*byte & 63);
    }
    // Zero has one distinct byte, so the lower end of the range needs no test of its own.
    let distinct: u32 = seen.iter().map(|bits| bits.count_ones()).sum();
    *key < ORDER && distinct >= LEAST_DISTINCT_BYTES
}
