//! Values with an inner structure that another encoding hides: user and password, macaroons, JSON, raw keys.
//!
//! Must not know severity or context. Invariant: what is decoded is wiped, and nothing is decoded before the value's
//! first bytes have been looked at.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::base64;
use crate::detect::placeholder::is_no_password;

/// The longest text that is decoded.
const LONGEST: usize = 4096;

fn decode(value: &[u8], encodings: &[&Encoding]) -> Option<Zeroizing<Vec<u8>>> {
    if value.len() > LONGEST {
        return None;
    }
    encodings.iter().find_map(|encoding| encoding.decode(value).ok()).map(Zeroizing::new)
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

/// Base64 of `user:password` (RFC 7617), both of which are there and printable, behind the scheme's name or alone.
pub(super) fn is_basic_credentials(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"Basic ").unwrap_or(value);
    // Three printable bytes at the front: of random base64 one in nineteen gets past this.
    let begins = value
        .first_chunk::<4>()
        .and_then(|front| BASE64.decode(front).ok())
        .is_some_and(|front| front.iter().all(|&byte| is_printable(byte)));
    begins
        && decode(value, &[&BASE64, &BASE64_NOPAD]).is_some_and(|text| {
            let colon = text.iter().position(|&byte| byte == b':');
            text.iter().all(|&byte| is_printable(byte))
                && colon.is_some_and(|at| {
                    let password = &text[at + 1..];
                    at >= 2 && password.len() > 3 && !password.starts_with(b"//") && !is_no_password(password)
                })
                && !text.contains(&b' ')
        })
}

/// An LND macaroon, in hex or base64, that may do more than read.
pub(super) fn is_lnd_macaroon(value: &[u8]) -> bool {
    macaroon(value).is_some_and(|body| may_write(&body))
}

/// An LND macaroon that may only read.
pub(super) fn is_lnd_read_macaroon(value: &[u8]) -> bool {
    macaroon(value).is_some_and(|body| !may_write(&body))
}

fn may_write(macaroon: &[u8]) -> bool {
    [b"write".as_slice(), b"generate"].iter().any(|action| memchr::memmem::find(macaroon, action).is_some())
}

/// Version 2 of libmacaroons: version, location `lnd`, an identifier, and a signature of 32 bytes at the end.
fn macaroon(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const HEAD: &[u8] = b"\x02\x01\x03lnd\x02";
    const SIGNATURE: &[u8] = b"\x00\x06\x20";
    let body = if value.starts_with(b"0201036c6e64") {
        decode(value, &[&HEXLOWER_PERMISSIVE])
    } else if value.starts_with(b"AgEDbG5k") {
        decode(value, &[&BASE64, &BASE64_NOPAD, &BASE64URL_NOPAD])
    } else {
        None
    }?;
    let signed = body.len().checked_sub(32).is_some_and(|at| body[..at].ends_with(SIGNATURE));
    (signed && body.starts_with(HEAD)).then_some(body)
}

/// Hex of a Lotus key: JSON with the key type and base64 of 32 bytes.
pub(super) fn is_filecoin_key(value: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Key {
        #[serde(rename = "Type")]
        _kind: String,
        private_key: String,
    }
    decode(value, &[&HEXLOWER_PERMISSIVE])
        .and_then(|text| serde_json::from_slice::<Key>(&text).ok())
        .map(|key| Zeroizing::new(key.private_key))
        .is_some_and(|key| base64::is_32_bytes(key.as_bytes()))
}

/// A secret key of Curve25519 as WireGuard stores it: the bits that RFC 7748 fixes are fixed (1/32 of noise passes).
pub(super) fn is_clamped_key(value: &[u8]) -> bool {
    base64::decode_padded::<32>(value).is_some_and(|key| key[0] & 7 == 0 && key[31] & 0xc0 == 0x40)
}

/// A line of Sui's keystore: the number of a signature scheme, then 32 bytes.
pub(super) fn is_flagged_key(value: &[u8]) -> bool {
    base64::decode_padded::<33>(value).is_some_and(|key| key[0] <= 2)
}

/// A Stark key: hex below the curve's order, at least 160 bits of it.
pub(super) fn is_stark_key(value: &[u8]) -> bool {
    const ORDER: &[u8; 64] = b"0800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2f";
    let Some(digits) = value.strip_prefix(b"0x") else { return false };
    let mut padded = Zeroizing::new([b'0'; 64]);
    let Some(start) = padded.len().checked_sub(digits.len()) else { return false };
    padded[start..].copy_from_slice(&digits.to_ascii_lowercase());
    digits.len() >= 40 && digits.iter().all(u8::is_ascii_hexdigit) && *padded < *ORDER
}

/// A secret scalar of Ed25519 as Monero writes it: 64 hex digits, lowest byte first, below the group's order.
pub(super) fn is_ed25519_scalar(value: &[u8]) -> bool {
    value.len() == 64 && value[62] == b'0' && value.iter().all(u8::is_ascii_hexdigit)
}

/// A bot token of Discord: the first of three parts is base64 of the bot's number.
pub(super) fn is_discord_token(value: &[u8]) -> bool {
    let id = value.split(|&byte| byte == b'.').next().unwrap_or_default();
    decode(id, &[&BASE64URL_NOPAD])
        .is_some_and(|number| (17..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
}

/// A web token whose payload is of Supabase and gives the role that passes all row rules.
pub(super) fn is_supabase_service_token(value: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Claims {
        role: String,
    }
    let payload = value.split(|&byte| byte == b'.').nth(1).unwrap_or_default();
    decode(payload, &[&BASE64URL_NOPAD])
        .and_then(|text| serde_json::from_slice::<Claims>(&text).ok())
        .is_some_and(|claims| claims.role == "service_role")
}

/// A prefix that ends in `_` or `-`, then base64 of a JSON object; what follows another `_` is a signature.
pub(super) fn is_json_token(value: &[u8]) -> bool {
    let Some(start) = memchr::memmem::find(value, b"eyJ") else { return false };
    let body = &value[start..];
    let unsigned = body.iter().rposition(|&byte| byte == b'_').map_or(body, |at| &body[..at]);
    let is_json = |body: &[u8]| {
        decode(body, &[&BASE64, &BASE64_NOPAD, &BASE64URL_NOPAD])
            .is_some_and(|text| serde_json::from_slice::<IgnoredAny>(&text).is_ok())
    };
    is_json(body) || is_json(unsigned)
}

/// Base64 of two texts of 20 and 22 characters with a colon between (an API key of Elastic).
pub(super) fn is_elastic_key(value: &[u8]) -> bool {
    decode(value, &[&BASE64]).is_some_and(|text| {
        text.len() == 43 && text[20] == b':' && text.iter().all(|&byte| is_printable(byte))
    })
}

/// `BBDC-` and base64 of a number, a colon and 20 bytes (Bitbucket Data Center).
pub(super) fn is_bitbucket_token(value: &[u8]) -> bool {
    let body = value.strip_prefix(b"BBDC-").unwrap_or_default();
    decode(body, &[&BASE64, &BASE64_NOPAD]).is_some_and(|bytes| {
        let number = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        number > 0 && bytes.get(number) == Some(&b':') && bytes.len() == number + 21
    })
}
