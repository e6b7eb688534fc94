//! Fixed-size base64 decoding on the stack, with the padding arithmetic of section 3 of the key-format research.
//!
//! Must not know what the bytes mean. Invariant: only canonical text decodes, so the unused bits of the last symbol
//! are zero; that alone rejects 15/16 of unrelated text at 64 bytes and 3/4 at 32 bytes.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding};
use zeroize::Zeroizing;

/// Decodes standard base64 with padding into exactly `N` bytes.
pub(super) fn decode_padded<const N: usize>(value: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    decode(&BASE64, value)
}

/// Decodes base64url without padding into exactly `N` bytes.
pub(super) fn decode_url<const N: usize>(value: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    decode(&BASE64URL_NOPAD, value)
}

/// Whether the value is padded base64 of 64 bytes.
pub(super) fn is_64_bytes(value: &[u8]) -> bool {
    decode_padded::<64>(value).is_some()
}

/// Whether the value is base64 or base64url of 32 bytes, padded or not.
pub(super) fn is_32_bytes(value: &[u8]) -> bool {
    [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD]
        .iter()
        .any(|encoding| decode::<32>(encoding, value).is_some())
}

fn decode<const N: usize>(encoding: &Encoding, value: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    if value.len() != encoding.encode_len(N) {
        return None;
    }
    // `decode_mut` wants room for the longest text of this length, which is up to two bytes more than N.
    let mut room = Zeroizing::new([0u8; 128]);
    let longest = encoding.decode_len(value.len()).ok()?;
    let written = encoding.decode_mut(value, room.get_mut(..longest)?).ok()?;
    let mut bytes = Zeroizing::new([0u8; N]);
    if written != N {
        return None;
    }
    bytes.copy_from_slice(&room[..N]);
    Some(bytes)
}
