//! Microsoft's keys that name themselves: a mark at a fixed place, and a Marvin32 sum of what stands before the end.
//!
//! Must not know which service a mark belongs to: shapes say that. Invariant: pure arithmetic over decoded bytes.
//! The computation is the one Microsoft publishes with its library of such keys.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, Encoding};
use zeroize::Zeroizing;

/// The digits of Entra's checksum.
const BASE66: &[u8; 66] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";
const ENTRA_SEED: u64 = u64::from_be_bytes(*b"AadPwd00");

/// The decoded key ends in the sum of what stands before, for one of the seeds: labels of eight ASCII characters, as
/// numbers with the first character highest.
pub(super) fn is_signed_key(value: &[u8], seeds: &[u64]) -> bool {
    let encodings: [&Encoding; 3] = [&BASE64, &BASE64_NOPAD, &BASE64URL];
    encodings.iter().filter_map(|encoding| encoding.decode(value).ok()).map(Zeroizing::new).any(|key| {
        let Some((body, sum)) = key.split_last_chunk::<4>() else { return false };
        seeds.iter().any(|&seed| marvin32(body, seed).to_le_bytes() == *sum)
    })
}

/// A client secret of Entra: the last three characters are the first three digits of the sum of the 37 before them.
/// Secrets with another mark are older and carry no sum.
pub(super) fn is_entra_secret(value: &[u8]) -> bool {
    if value.get(3..6) != Some(b"8Q~") {
        return value.get(4..6) == Some(b"Q~");
    }
    let Some((body, digits)) = value.split_last_chunk::<3>() else { return false };
    let mut sum = [b'a'; 6];
    let mut rest = marvin32(body, ENTRA_SEED) as usize;
    for digit in sum.iter_mut().rev() {
        *digit = BASE66[rest % BASE66.len()];
        rest /= BASE66.len();
    }
    value.len() == 40 && sum[..3] == *digits
}

/// The hash of .NET's strings, seeded.
fn marvin32(data: &[u8], seed: u64) -> u32 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        low = low.wrapping_add(u32::from_le_bytes(*word.first_chunk().expect("chunks have four bytes")));
        mix(&mut low, &mut high);
    }
    let mut last = [0; 4];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    low = low.wrapping_add(u32::from_le_bytes(last));
    mix(&mut low, &mut high);
    mix(&mut low, &mut high);
    low ^ high
}

fn mix(low: &mut u32, high: &mut u32) {
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}
