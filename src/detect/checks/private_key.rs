//! From text to private key: PEM armour or bare base64 in, the kind of key out.
//!
//! Must not know DER or OpenSSH itself. Accepts real line breaks, the two characters `\n` of one-line keys, and
//! indentation. Invariant: decoded bytes live in a buffer that is wiped.

use data_encoding::{BASE64, BASE64_NOPAD};
use zeroize::Zeroizing;

use super::{der, openssh};

/// What a text holds in the way of private keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateKey {
    /// An unencrypted key in DER; the kind is never `EncryptedPkcs8` or `NotPrivate`.
    Der(der::Kind),
    /// An unencrypted OpenSSH key.
    Openssh,
    /// A key of either format under a passphrase.
    Encrypted,
    /// No private key: public key, certificate, request, or no key at all.
    None,
}

/// The largest text read: a 16384-bit RSA key takes about 12,500 characters.
const LONGEST: usize = 24 * 1024;
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END";
const DASHES: &[u8] = b"-----";

/// Reads bare base64 or a whole PEM block.
pub fn private_key(text: &[u8]) -> PrivateKey {
    let Some(body) = body(text) else { return PrivateKey::None };
    // 0x30 opens a DER sequence and `o` OpenSSH's magic, which are `M` and `b` in base64; `P` opens `Proc-Type:`.
    match body.first() {
        Some(b'M' | b'b') => decode(body).map_or(PrivateKey::None, |blob| classify(&blob)),
        Some(b'P') if memchr::memmem::find(body, b"ENCRYPTED").is_some() => PrivateKey::Encrypted,
        _ => PrivateKey::None,
    }
}

fn classify(blob: &[u8]) -> PrivateKey {
    if let Some(protection) = openssh::protection(blob) {
        return match protection {
            openssh::Protection::Plain => PrivateKey::Openssh,
            openssh::Protection::Encrypted => PrivateKey::Encrypted,
        };
    }
    match der::classify(blob) {
        der::Kind::NotPrivate => PrivateKey::None,
        der::Kind::EncryptedPkcs8 => PrivateKey::Encrypted,
        kind => PrivateKey::Der(kind),
    }
}

/// The text between the armour lines, or all of it without armour, from its first meaningful byte on.
fn body(text: &[u8]) -> Option<&[u8]> {
    if text.len() > LONGEST {
        return None;
    }
    let mut body = text.trim_ascii();
    if let Some(label) = body.strip_prefix(BEGIN) {
        let start = memchr::memmem::find(label, DASHES)? + DASHES.len();
        body = &label[start..];
        body = &body[..memchr::memmem::find(body, END)?];
    }
    while let Some(rest) = skip_break(body) {
        body = rest;
    }
    Some(body)
}

/// Drops one blank, one line break or one escaped line break at the start.
fn skip_break(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] | [b'\\', b'n' | b'r' | b't', rest @ ..] => Some(rest),
        [b'\\', rest @ ..] => Some(rest),
        _ => None,
    }
}

fn decode(mut text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    while let Some((&symbol, rest)) = text.split_first() {
        if let Some(rest) = skip_break(text) {
            text = rest;
            continue;
        }
        symbols.push(symbol);
        text = rest;
    }
    let encoding = if symbols.ends_with(b"=") { BASE64 } else { BASE64_NOPAD };
    encoding.decode(&symbols).ok().map(Zeroizing::new)
}
