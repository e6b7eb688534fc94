//! Tokens of services that carry a sum or a structure.
//!
//! Must not know: key formats of wallets. Invariant: where a token has a random part, it is random here.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};

use super::super::random::Random;
use super::shape::{BASE36, BASE62, BASE64URL, HEX};

/// The value for a check of these families.
pub fn proven(
    name: &str,
    numbers: &str,
    plain: &str,
    lengths: &[usize],
    random: &mut Random,
) -> Option<String> {
    Some(match name {
        "crc32-base62" => {
            let start = plain.rfind('_')? + 1;
            let end = plain.len().checked_sub(6)?;
            format!("{}{}", &plain[..end], base62(crc32fast::hash(&plain.as_bytes()[start..end]), BASE62))
        }
        "crc32-base62-whole" => {
            const SMALL_FIRST: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
            let head = &plain[..plain.len().checked_sub(6)?];
            format!("{head}{}", base62(crc32fast::hash(head.as_bytes()), SMALL_FIRST))
        }
        "crc32-hex" => {
            let head = &plain[..plain.len().checked_sub(8)?];
            let body = &head[head.find('_').map_or(0, |at| at + 1)..];
            format!("{head}{:08x}", crc32fast::hash(body.strip_suffix('_').unwrap_or(body).as_bytes()))
        }
        "crc32-hex-whole" => {
            let head = &plain[..plain.len().checked_sub(8)?];
            format!("{head}{:08X}", crc32fast::hash(head.as_bytes()))
        }
        "crc32-hex-little" => {
            let head = &plain[..plain.len().checked_sub(9)?];
            format!("{head}_{:08x}", crc32fast::hash(head.as_bytes()).swap_bytes())
        }
        "uuid-apikey" => uuid_apikey(random),
        "hex-keystore" => {
            let (text, salt) = (random.text(HEX, 64), random.text(HEX, 32));
            let json = format!(
                "{{\"crypto\": {{\"cipher\": \"aes-128-ctr\", \"ciphertext\": \"{text}\", \"kdf\": \"scrypt\", \"mac\": \"{salt}\"}}, \"version\": 3}}"
            );
            HEXLOWER.encode(json.as_bytes())
        }
        "jwt" | "supabase-service" => web_token(plain, random),
        "json-token" => json_token(plain, random)?,
        "basic-credentials" => {
            let user = random.pick(&["trader", "ops", "ci-bot", "0xdesk"]);
            let longest = lengths.last()?.saturating_sub(8).min(96);
            let shortest = lengths.first()?.min(&longest);
            let password = random.between((shortest * 3 / 4).max(14), (longest * 3 / 4).max(16));
            let text = BASE64.encode(format!("{user}:{}", random.text(BASE62, password)).as_bytes());
            if plain.starts_with("Basic ") { format!("Basic {text}") } else { text }
        }
        "lnd-macaroon" => macaroon(plain, &["address", "read", "write", "invoices", "generate"], random),
        "lnd-macaroon-read" => macaroon(plain, &["address", "read", "info", "invoices", "peers"], random),
        "filecoin-key" => {
            let key = BASE64.encode(&random.bytes(32));
            let kind = random.pick(&["secp256k1", "bls"]);
            HEXLOWER.encode(format!("{{\"Type\":\"{kind}\",\"PrivateKey\":\"{key}\"}}").as_bytes())
        }
        "discord-token" => {
            let id = format!("1{}", random.text(b"0123456789", 17));
            format!("{}{}", BASE64URL_NOPAD.encode(id.as_bytes()), &plain[plain.find('.')?..])
        }
        "elastic-key" => {
            BASE64.encode(format!("{}:{}", random.text(BASE64URL, 20), random.text(BASE64URL, 22)).as_bytes())
        }
        "bitbucket-token" => {
            let id = random.text(b"123456789", 12);
            format!("BBDC-{}", BASE64.encode(&[id.as_bytes(), b":", &random.bytes(20)].concat()))
        }
        "azure-signed" => azure(numbers, plain, random)?,
        "entra-secret" => {
            const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";
            if plain.get(3..6) != Some("8Q~") {
                return None;
            }
            let body = &plain[..37];
            let sum = marvin32(body.as_bytes(), u64::from_be_bytes(*b"AadPwd00"));
            format!("{body}{}", &digits(sum, DIGITS)[..3])
        }
        _ => return None,
    })
}

/// A UUID of version 4.
pub fn uuid4(random: &mut Random) -> String {
    let digits = random.text(HEX, 32);
    let variant = random.pick(&['8', '9', 'a', 'b']);
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..]
    )
}

fn base62(sum: u32, alphabet: &[u8]) -> String {
    digits(sum, alphabet)
}

/// The number in six digits of this alphabet.
fn digits(number: u32, alphabet: &[u8]) -> String {
    let base = alphabet.len();
    let mut rest = number as usize;
    let mut text = [b'0'; 6];
    for digit in text.iter_mut().rev() {
        *digit = alphabet[rest % base];
        rest /= base;
    }
    text.iter().map(|&byte| char::from(byte)).collect()
}

/// Four numbers of a UUID in Crockford's base32, each behind its parity.
fn uuid_apikey(random: &mut Random) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let uuid = uuid4(random).replace('-', "");
    let groups = (0..4).map(|group| {
        let number = u32::from_str_radix(&uuid[group * 8..group * 8 + 8], 16).expect("a UUID has hex digits");
        let folded = (0..32).step_by(3).fold(0, |folded, shift| folded ^ (number >> shift & 7));
        let whole = u64::from((folded << 1 | folded >> 2) & 7) << 32 | u64::from(number);
        let symbols = (0..7).rev().map(|place| char::from(ALPHABET[(whole >> (5 * place) & 31) as usize]));
        symbols.collect::<String>()
    });
    groups.collect::<Vec<_>>().join("-")
}

/// A signed web token with the claims that its kind has.
fn web_token(plain: &str, random: &mut Random) -> String {
    let id = uuid4(random);
    let filler = random.between(0, 60);
    let filler = random.text(BASE36, filler);
    let claims = [
        format!(
            "{{\"nonce\":\"{id}\",\"orgId\":\"4{}\",\"userId\":\"{filler}\"}}",
            random.text(b"0123456789", 5)
        ),
        format!(
            "{{\"iss\":\"supabase\",\"ref\":\"{}\",\"role\":\"service_role\",\"iat\":1714232400,\"exp\":2029808400}}",
            random.text(b"abcdefghijklmnopqrstuvwxyz", 20)
        ),
        format!(
            "{{\"userInformation\":{{\"id\":\"{id}\",\"email\":\"dev@candlehouse.io\",\"email_verified\":true}},\"scopedKeyKey\":\"{filler}\"}}"
        ),
        format!(
            "{{\"sub\":\"did:ethr:0x{}\",\"iss\":\"web3-storage\",\"iat\":1667304932,\"name\":\"{filler}\"}}",
            random.text(HEX, 40)
        ),
        format!("{{\"sub\":\"{id}\",\"name\":\"{filler}\",\"iat\":1700000000}}"),
    ];
    let header = random.pick(&["{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"alg\":\"HS512\",\"typ\":\"JWT\"}"]);
    let header = if plain.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9") {
        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
    } else {
        header
    };
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signature = random.bytes(32);
    format!(
        "{}.{}.{}",
        encode(header),
        encode(random.pick::<String>(&claims)),
        BASE64URL_NOPAD.encode(&signature)
    )
}

/// The prefix of `plain` and base64 of a JSON object, with a signature where the shape has one.
fn json_token(plain: &str, random: &mut Random) -> Option<String> {
    let prefix = &plain[..plain.find("eyJ")?];
    let filler = random.between(20, 260);
    let json = format!("{{\"k\":\"{}\",\"n\":\"deploy\",\"id\":1}}", random.text(BASE62, filler));
    let encodings = [BASE64, BASE64_NOPAD, BASE64URL_NOPAD];
    let encoding = random.pick(&encodings);
    let signature = if random.one_in(2) { format!("_{}", random.text(BASE62, 43)) } else { String::new() };
    Some(format!("{prefix}{}{signature}", encoding.encode(json.as_bytes())))
}

/// Version 2 of libmacaroons, in hex or base64 as `plain` is.
fn macaroon(plain: &str, actions: &[&str], random: &mut Random) -> String {
    let mut identifier = [&[3, 10, 16][..], &random.bytes(16), &[18, 1, 48]].concat();
    for action in actions {
        identifier.extend([26, action.len() as u8]);
        identifier.extend(action.bytes());
    }
    let head: [&[u8]; 3] = [b"\x02\x01\x03lnd\x02", &[identifier.len() as u8], &identifier];
    let bytes = [&head.concat()[..], b"\x00\x00\x06\x20", &random.bytes(32)].concat();
    if plain.starts_with("0201") { HEXLOWER.encode(&bytes) } else { BASE64.encode(&bytes) }
}

/// The bytes that `plain` stands for, their last four replaced by the sum under one of the labels.
fn azure(labels: &str, plain: &str, random: &mut Random) -> Option<String> {
    let labels: Vec<&str> = labels.split(',').map(|label| label.trim_start_matches('\'')).collect();
    let seed = u64::from_be_bytes(random.pick(&labels).as_bytes().try_into().ok()?);
    let encoding = if plain.ends_with('=') { BASE64 } else { BASE64_NOPAD };
    let mut bytes = encoding.decode(plain.as_bytes()).ok()?;
    let body = bytes.len().checked_sub(4)?;
    let sum = marvin32(&bytes[..body], seed).to_le_bytes();
    bytes[body..].copy_from_slice(&sum);
    Some(encoding.encode(&bytes))
}

/// The hash of .NET's strings, seeded.
fn marvin32(data: &[u8], seed: u64) -> u32 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut mix = |low: &mut u32| {
        high ^= *low;
        *low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ *low;
        *low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    for word in [data, &[0x80]].concat().chunks(4) {
        let mut bytes = [0; 4];
        bytes[..word.len()].copy_from_slice(word);
        low = low.wrapping_add(u32::from_le_bytes(bytes));
        mix(&mut low);
    }
    mix(&mut low);
    low ^ high
}
