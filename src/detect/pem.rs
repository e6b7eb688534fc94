//! Private keys in PEM armour, as files have them and as one-line strings have them.
//!
//! Must not know: names, files.
//! Invariant: reads at most [`ARMOUR_REACH`] bytes after the `-----BEGIN`; a block is a key only if its body decodes to one.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::model::Span;
use crate::rules::{ARMOUR_REACH, PemKind};

use super::checks::{cyclic, der, openssh};

/// A private key block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyBlock {
    /// From the first dash to the last.
    pub(crate) span: Span,
    pub(crate) kind: PemKind,
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const LONGEST_LABEL: usize = 40;
/// Marks before the lines of a block are short: `+`, `> `, ` * `, `//! `.
const LONGEST_MARGIN: usize = 16;
/// The object identifier of the curve P-256 (RFC 5480).
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// Shorter bodies are placeholders: the shortest private key (Ed25519 in PKCS#8) has 48 bytes.
const SHORTEST_KEY: usize = 40;

/// Reads the block whose `-----BEGIN` stands at `at`.
pub(crate) fn read(text: &[u8], at: usize) -> Option<KeyBlock> {
    let reach = &text[at..text.len().min(at + ARMOUR_REACH)];
    let label = label(reach.strip_prefix(BEGIN)?)?;
    let named = label_kind(label)?;
    let body_start = BEGIN.len() + label.len() + DASHES.len();
    let body_length = body_length(&reach[body_start..])?;
    let body = &reach[body_start..body_start + body_length];
    let after = &reach[body_start + body_length..];
    let end_length = after
        .strip_prefix(END)
        .and_then(self::label)
        .map_or(DASHES.len(), |label| END.len() + label.len() + DASHES.len());
    let kind = body_kind(named, body)?;
    Some(KeyBlock { span: Span::new(at, at + body_start + body_length + end_length), kind })
}

/// How much stands before the dashes of the last line. A patch puts a sixth dash before those of a removed line.
fn body_length(text: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(text, DASHES)?;
    let dashes = text[at..].iter().take_while(|&&byte| byte == b'-').count();
    Some(at + dashes - DASHES.len())
}

fn label(text: &[u8]) -> Option<&[u8]> {
    let length = memchr::memmem::find(&text[..text.len().min(LONGEST_LABEL + DASHES.len())], DASHES)?;
    let label = &text[..length];
    label
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ')
        .then_some(label)
}

/// What the label says, before the body is asked; `None` for what is no private key.
fn label_kind(label: &[u8]) -> Option<PemKind> {
    match label {
        b"RSA PRIVATE KEY" => Some(PemKind::Rsa),
        b"EC PRIVATE KEY" => Some(PemKind::Ec),
        b"DSA PRIVATE KEY" => Some(PemKind::Dsa),
        b"OPENSSH PRIVATE KEY" => Some(PemKind::Openssh),
        b"PGP PRIVATE KEY BLOCK" => Some(PemKind::Pgp),
        b"TENDERMINT PRIVATE KEY" => Some(PemKind::Cosmos),
        b"ENCRYPTED PRIVATE KEY" => Some(PemKind::Encrypted),
        _ => label.ends_with(b"PRIVATE KEY").then_some(PemKind::Other),
    }
}

fn body_kind(named: PemKind, body: &[u8]) -> Option<PemKind> {
    let (headers, encoded) = plain_body(body);
    if named == PemKind::Cosmos {
        return has_armour_sum(body, &encoded).then_some(PemKind::Cosmos);
    }
    if headers.iter().any(|header| memchr::memmem::find(header, b"ENCRYPTED").is_some()) {
        return (encoded.len() >= SHORTEST_KEY).then_some(PemKind::Encrypted);
    }
    if named == PemKind::Pgp {
        return (encoded.len() >= SHORTEST_KEY).then_some(PemKind::Pgp);
    }
    let decoded = Zeroizing::new(BASE64.decode(&encoded).ok()?);
    if decoded.len() < SHORTEST_KEY {
        return None;
    }
    match named {
        PemKind::Openssh => Some(match openssh::protection(&decoded)? {
            openssh::Protection::Plain => PemKind::Openssh,
            openssh::Protection::Encrypted => PemKind::Encrypted,
        }),
        PemKind::Encrypted => Some(PemKind::Encrypted),
        _ => der_kind(&decoded),
    }
}

/// Whether the last line, `=` and four characters, is the sum of the body before it.
fn has_armour_sum(body: &[u8], encoded: &[u8]) -> bool {
    let body = with_real_line_ends(body);
    let sum = body.split(|&byte| byte == b'\n').map(trim).find_map(|line| line.strip_prefix(b"="));
    let decoded = BASE64.decode(encoded).map(Zeroizing::new);
    sum.is_some_and(|sum| decoded.is_ok_and(|decoded| cyclic::is_armour_sum(&decoded, sum)))
}

/// Header lines and the base64 of a body, without what one-line strings put between: white space, `\n`, quotes, `+`
/// between literals, comment marks and indentation.
fn plain_body(body: &[u8]) -> (Vec<Zeroizing<Vec<u8>>>, Zeroizing<Vec<u8>>) {
    let mut headers = Vec::new();
    let mut encoded = Zeroizing::new(Vec::with_capacity(body.len()));
    let body = with_real_line_ends(body);
    let margin = margin(&body);
    for line in body.split(|&byte| byte == b'\n') {
        let line = trim(line.strip_prefix(margin).unwrap_or(line));
        if memchr::memchr(b':', line).is_some() {
            headers.push(Zeroizing::new(line.to_vec()));
        } else if line.first() != Some(&b'=') {
            encoded.extend_from_slice(line);
        }
    }
    (headers, encoded)
}

/// What stands before every line, as before the last one: the marks of a patch, a comment or a quotation.
fn margin(body: &[u8]) -> &[u8] {
    let margin = memchr::memrchr(b'\n', body).map_or(&[][..], |end| &body[end + 1..]);
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && *byte != b'=' || matches!(byte, b' ' | b'\t');
    if margin.len() <= LONGEST_MARGIN && margin.iter().all(is_mark) { margin } else { &[] }
}

/// The body with `\r` and line ends written as `\n` or `\r` (any number of backslashes) as real ones.
fn with_real_line_ends(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut escaped = false;
    for &byte in body {
        match byte {
            b'\\' | b'\r' => plain.push(b'\n'),
            b'n' | b'r' if escaped => {}
            _ => plain.push(byte),
        }
        escaped = byte == b'\\';
    }
    plain
}

fn trim(line: &[u8]) -> &[u8] {
    let is_noise = |byte: &u8| {
        matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b',' | b'#' | b'*' | b';' | b'|' | b'.')
    };
    let start = line.iter().position(|byte| !is_noise(byte)).unwrap_or(line.len());
    let mut line = &line[start..];
    // A `+` that joins two literals stands outside the quotes; one inside is base64.
    while let Some((last, rest)) = line.split_last() {
        let joins = *last == b'+' && rest.last().is_some_and(|byte| matches!(byte, b' ' | b'"' | b'\''));
        if is_noise(last) || joins {
            line = rest;
        } else {
            break;
        }
    }
    line
}

/// The kind of the key that is written as base64 without armour.
pub(crate) fn bare_kind(encoded: &[u8]) -> Option<PemKind> {
    let decoded = Zeroizing::new(BASE64.decode(encoded).ok()?);
    der_kind(&decoded)
}

fn der_kind(document: &[u8]) -> Option<PemKind> {
    Some(match der::classify(document) {
        der::Kind::NotPrivate => return None,
        der::Kind::EncryptedPkcs8 => PemKind::Encrypted,
        der::Kind::Pkcs1Rsa | der::Kind::Pkcs8(der::Algorithm::Rsa) => PemKind::Rsa,
        der::Kind::Sec1Ec | der::Kind::Pkcs8(der::Algorithm::Ec) => {
            if memchr::memmem::find(document, P256).is_some() { PemKind::EcP256 } else { PemKind::Ec }
        }
        der::Kind::Pkcs8(der::Algorithm::Ed25519) => PemKind::Ed25519,
        der::Kind::Dsa => PemKind::Dsa,
        der::Kind::Pkcs8(_) => PemKind::Other,
    })
}
