//! Tokens with an inner structure: AWS key ids, Telegram bots, JSON Web Tokens.
//!
//! Must not know severity or context. Invariant: nothing is allocated unless the value has the token's outline.

use data_encoding::BASE64URL_NOPAD;
use serde::de::IgnoredAny;

/// Long-term key, temporary key, STS bearer token, context-specific credential. From memory of the table of unique
/// identifiers in the IAM user guide: sure of the first two, fairly sure of the others.
const AWS_PREFIXES: [&[u8]; 4] = [b"AKIA", b"ASIA", b"ABIA", b"ACCA"];

/// 20 characters: a key prefix, then base32 that holds an account number if the id is of the newer kind.
pub(super) fn is_aws_access_key_id(value: &[u8]) -> bool {
    aws_bits(value).is_some() && (is_legacy_aws(value) || aws_account(value).is_some())
}

/// The AWS account number inside an access key id, `None` for other text and for ids from before 2019, which carry
/// none. Shape: the first 48 bits of the base32 body, masked with `0x7fff_ffff_ff80`, shifted right by 7.
/// AWS does not document this; it is common knowledge among researchers, and medium confidence holds for future ids.
pub fn aws_account(value: &[u8]) -> Option<u64> {
    let account = (aws_bits(value)? & 0x7fff_ffff_ff80) >> 7;
    (!is_legacy_aws(value) && account < 1_000_000_000_000).then_some(account)
}

/// Older ids have `I` or `J` after the prefix and random bits behind it.
fn is_legacy_aws(value: &[u8]) -> bool {
    matches!(value.get(4), Some(b'I' | b'J'))
}

/// The first 48 bits of the base32 body.
fn aws_bits(value: &[u8]) -> Option<u64> {
    if value.len() != 20 || !AWS_PREFIXES.contains(&&value[..4]) {
        return None;
    }
    let body = value[4..].iter().try_fold(0u128, |bits, &symbol| {
        let five = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'2'..=b'7' => symbol - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u128::from(five))
    })?;
    // 16 symbols are 80 bits.
    u64::try_from(body >> 32).ok()
}

/// `<8 to 10 digits>:AA<33 base64url characters>`.
pub(super) fn is_telegram_bot(value: &[u8]) -> bool {
    let Some(colon) = value.iter().position(|&byte| byte == b':') else { return false };
    let (id, secret) = (&value[..colon], &value[colon + 1..]);
    (8..=10).contains(&id.len())
        && id.iter().all(u8::is_ascii_digit)
        && id[0] != b'0'
        && secret.len() == 35
        && secret.starts_with(b"AA")
        && secret.iter().all(|&byte| is_base64url(byte))
}

/// Three base64url segments; the first two are JSON objects, the third is a signature.
pub(super) fn is_jwt(value: &[u8]) -> bool {
    if !value.starts_with(b"ey") {
        return false;
    }
    let mut segments = value.split(|&byte| byte == b'.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return false;
    };
    !signature.is_empty()
        && signature.iter().all(|&byte| is_base64url(byte))
        && is_json_object(header)
        && is_json_object(payload)
}

fn is_json_object(segment: &[u8]) -> bool {
    BASE64URL_NOPAD
        .decode(segment)
        .is_ok_and(|text| text.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(&text).is_ok())
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_number_is_read_from_newer_ids_only() {
        assert_eq!(aws_account(concat!("AKIA", "SP2TPHJSQH3FJRUX").as_bytes()), Some(171_436_882_533));
        assert_eq!(aws_account(concat!("AKIA", "IOSFODNN7EXAMPLE").as_bytes()), None);
        assert_eq!(aws_account(b"AKIA"), None);
    }
}
