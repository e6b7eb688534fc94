//! Telling the same secret again without keeping it.
//!
//! Must not know: where a finding stands; a fingerprint is the same in every file, commit and mode.
//! Invariant: whoever holds a fingerprint can test guesses only of values that cannot be guessed: what people choose
//! (passphrases, passwords) enters with 16 bits at most, or under the key of its unguessable partner.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::model::Fingerprint;

const DOMAIN: &[u8] = b"keyfence fingerprint 1";

/// Of a value that cannot be guessed.
pub(crate) fn of_secret(rule: &str, value: &[u8]) -> Fingerprint {
    keyed(DOMAIN, &[rule.as_bytes(), value])
}

/// Of a value that people chose, beside a partner that nobody can guess.
pub(crate) fn of_chosen(rule: &str, value: &[u8], partner: &[u8]) -> Fingerprint {
    keyed(partner, &[DOMAIN, rule.as_bytes(), value])
}

/// Of a password in a URL: what is public of the URL, and 16 bits of the password, so that another one is noticed.
pub(crate) fn of_connection(rule: &str, public: &[u8], password: &[u8]) -> Fingerprint {
    let digest = Sha256::digest(password);
    keyed(DOMAIN, &[rule.as_bytes(), public, &digest[..2]])
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Fingerprint {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    Fingerprint(hex(&mac.finalize().into_bytes()[..16]))
}

/// A short stable id of anything, 16 hex digits.
pub(crate) fn short_id(parts: &[&[u8]]) -> String {
    keyed(b"keyfence credential 1", parts).0[..16].to_owned()
}

/// The first 8 bytes of the SHA-256 of `value`, as packs list published values.
pub(crate) fn published_hash(value: &[u8]) -> u64 {
    let digest = Sha256::digest(value);
    digest[..8].iter().fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{of_chosen, of_connection, of_secret, published_hash};

    #[test]
    fn equal_for_equal_and_different_for_different() {
        assert_eq!(of_secret("rule", b"value"), of_secret("rule", b"value"));
        assert_ne!(of_secret("rule", b"value"), of_secret("rule", b"other"));
        assert_ne!(of_secret("rule", b"value"), of_secret("other", b"value"));
        assert_ne!(of_chosen("rule", b"value", b"one"), of_chosen("rule", b"value", b"two"));
        assert_ne!(of_connection("rule", b"host", b"one"), of_connection("rule", b"host", b"two"));
        assert_eq!(of_secret("rule", b"value").0.len(), 32);
    }

    #[test]
    fn published_values_are_known_by_the_front_of_their_hash() {
        // SHA-256 of "abc" (FIPS 180-4, B.1).
        assert_eq!(published_hash(b"abc"), 0xba78_16bf_8f01_cfea);
    }
}
