//! The names under which rule packs ask for a check, and the one place where a name meets its function.
//!
//! Must not know how any check works. Invariant: `Check::parse(check.as_str()) == Some(check)` for all of them.

use super::private_key::{PrivateKey, private_key};
use super::{base64, identifiers, keypair, scalar, sizes, spelling, tokens, uuid_apikey};

macro_rules! checks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $function:expr;)*) => {
        /// One offline check, named in a rule pack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Check {
            $($(#[$doc])* $variant,)*
        }

        impl Check {
            /// Every check there is.
            pub const ALL: &[Check] = &[$(Check::$variant),*];

            /// The check with this name in a rule pack, or `None` for an unknown name.
            pub fn parse(name: &str) -> Option<Check> {
                match name {
                    $($name => Some(Check::$variant),)*
                    _ => None,
                }
            }

            /// The name in rule packs and reports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Check::$variant => $name,)*
                }
            }
        }

        /// Whether `value`, the bare token without quotes, passes `check`.
        pub fn run(check: Check, value: &[u8]) -> bool {
            match check {
                $(Check::$variant => $function(value),)*
            }
        }
    };
}

checks! {
    /// UUID of version 4 and the RFC 4122 variant, with or without dashes. A random UUID shape passes with 1/64.
    Uuid4 = "uuid4" => identifiers::is_uuid4;
    /// 24 hex digits that open with a Unix time of 2017-08-01 to 2034-12-31 (KuCoin). Random hex passes with 12.8 %.
    ObjectIdTime = "object-id-time" => identifiers::is_object_id;
    /// Canonical base64 of exactly 64 bytes: 88 characters with `==`, unused bits zero (1/16 of noise passes).
    Base64Of64 = "base64-64" => base64::is_64_bytes;
    /// Canonical base64 or base64url of exactly 32 bytes, padded or not (1/4 of noise passes).
    Base64Of32 = "base64-32" => base64::is_32_bytes;
    /// Canonical base64 of exactly 16 bytes: 24 characters with `==` (WOO X keys; 1/16 of noise passes).
    Base64Of16 = "base64-16" => sizes::is_base64_of_16;
    /// Base58 of exactly 32 bytes (Alpaca secrets; a third of noise passes).
    Base58Of32 = "base58-32" => sizes::is_base58_of_32;
    /// A version 4 UUID in Crockford's base32 with parities (NOWPayments; 2^-18 of noise passes).
    UuidApikey = "uuid-apikey" => uuid_apikey::is_uuid_apikey;
    /// Hexadecimal digits of both cases in one value (CoinPayments private key): no hash is printed so.
    MixedHex = "mixed-hex" => spelling::is_mixed_hex;
    /// Two halves joined by `_`, with letters and digits in each (Santiment).
    DigitHalves = "digit-halves" => spelling::has_digits_in_both_halves;
    /// Hexadecimal form of an encrypted keystore in JSON (Hummingbot).
    HexKeystore = "hex-keystore" => spelling::is_hex_keystore;
    /// Base64url of 32 bytes and the text of a version 4 UUID (Phemex secret, held on four samples of four): under 2^-100
    /// of noise passes.
    UuidTail = "uuid-tail" => identifiers::has_uuid_tail;
    /// Only characters of the Bitcoin base58 alphabet.
    Base58 = "base58" => identifiers::is_base58;
    /// `prefix_body` whose last six characters are the CRC-32 of the body in base62 (GitHub, npm, Vercel).
    Crc32Base62 = "crc32-base62" => tokens::has_base62_crc32;
    /// Base64 of an Ed25519 seed and its own public key: a certain proof.
    Ed25519Pair = "ed25519-pair" => keypair::is_ed25519_pair;
    /// 64 hex digits, `0x` optional, that are a non-trivial secp256k1 scalar.
    Secp256k1Range = "secp256k1-range" => scalar::is_secp256k1_secret;
    /// Base64 or PEM of an unencrypted private key in DER: PKCS#8, PKCS#1, SEC1 or DSA.
    DerPrivateKey = "der-private-key" => |value| matches!(private_key(value), PrivateKey::Der(_));
    /// Base64 or PEM of an unencrypted OpenSSH private key.
    OpensshPrivateKey = "openssh-private-key" => |value| private_key(value) == PrivateKey::Openssh;
    /// Any unencrypted private key, DER or OpenSSH.
    AnyPrivateKey = "private-key" =>
        |value| matches!(private_key(value), PrivateKey::Der(_) | PrivateKey::Openssh);
    /// Any private key that is stored under a passphrase.
    EncryptedPrivateKey = "encrypted-private-key" => |value| private_key(value) == PrivateKey::Encrypted;
    /// AWS access key id: known prefix, base32 body, and an account number below 10^12 in newer ids.
    AwsAccessKeyId = "aws-access-key-id" => tokens::is_aws_access_key_id;
    /// Telegram bot token: decimal bot id, colon, `AA` and 33 base64url characters.
    TelegramBot = "telegram-bot" => tokens::is_telegram_bot;
    /// Signed JSON Web Token: header and payload are base64url of JSON objects.
    Jwt = "jwt" => tokens::is_jwt;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: check, verdict (`yes`/`no`), token with seams. Sources are in the file's comments.
    const VECTORS: &str = include_str!("../../../fixtures/checks/tokens.tsv");

    #[test]
    fn every_name_leads_back_to_its_check() {
        for &check in Check::ALL {
            assert_eq!(Check::parse(check.as_str()), Some(check));
        }
        assert_eq!(Check::parse("nonsense"), None);
    }

    #[test]
    fn published_vectors_get_the_expected_verdict() {
        let mut seen = std::collections::HashSet::new();
        for (number, line) in VECTORS.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, verdict, token] = columns[..] else { panic!("line {}: three columns", number + 1) };
            let check = Check::parse(name).expect("vector names a known check");
            let token = token.replace('¦', "").replace("\\n", "\n");
            assert_eq!(run(check, token.as_bytes()), verdict == "yes", "line {} ({name})", number + 1);
            seen.insert((name, verdict));
        }
        for &check in Check::ALL {
            for verdict in ["yes", "no"] {
                assert!(
                    seen.contains(&(check.as_str(), verdict)),
                    "no {verdict} vector for {}",
                    check.as_str()
                );
            }
        }
    }

    #[test]
    fn no_input_panics() {
        let mut state = 7u64;
        for length in 0..300 {
            let value: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 56) as u8
                })
                .collect();
            for &check in Check::ALL {
                assert!(!run(check, &value), "{} of {length} random bytes", check.as_str());
            }
        }
    }

    #[test]
    fn every_prefix_of_a_vector_is_survived() {
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let token = line.rsplit('\t').next().unwrap_or_default().replace('¦', "");
            for end in 0..token.len() {
                for &check in Check::ALL {
                    run(check, &token.as_bytes()[..end]);
                }
            }
        }
    }
}
