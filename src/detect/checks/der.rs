//! A minimal reader of DER (X.690) that tells private keys from the public keys, certificates and requests that look
//! alike in base64.
//!
//! Must not know PEM or base64. Invariant: definite, minimal lengths only; the outer length must equal the input's.

/// What a DER document is, as far as secrets are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PKCS#8 (RFC 5958).
    Pkcs8(Algorithm),
    /// RSA private key of PKCS#1 (RFC 8017).
    Pkcs1Rsa,
    /// EC private key of SEC 1 (RFC 5915).
    Sec1Ec,
    /// DSA private key in OpenSSL's traditional form.
    Dsa,
    /// PKCS#8 under a passphrase.
    EncryptedPkcs8,
    /// Anything else: public keys, certificates, certificate requests, damaged or foreign data.
    NotPrivate,
}

/// The algorithm named in a PKCS#8 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA or RSASSA-PSS.
    Rsa,
    /// A Weierstrass curve, such as P-256.
    Ec,
    /// Ed25519 signatures.
    Ed25519,
    /// X25519 key agreement.
    X25519,
    /// Any other algorithm (Ed448, DSA, post-quantum).
    Other,
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
const PUBLIC_KEY_OF_V2: u8 = 0x81;
const BIT_STRING: u8 = 0x03;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// Password-based encryption of PKCS#5 and PKCS#12 (`1.2.840.113549.1.5.*` and `…1.12.1.*`).
const PASSWORD_BASED: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01],
];

const P256_SCALAR: usize = 32;
/// Unused-bits byte, form byte 4, two coordinates.
const P256_POINT: usize = 1 + 1 + 2 * 32;

/// Classifies one whole DER document.
pub fn classify(document: &[u8]) -> Kind {
    let Some(mut body) = whole(SEQUENCE, document) else { return Kind::NotPrivate };
    match body.peek() {
        Some(SEQUENCE) if is_encrypted(body) => Kind::EncryptedPkcs8,
        Some(INTEGER) => versioned(&mut body).unwrap_or(Kind::NotPrivate),
        _ => Kind::NotPrivate,
    }
}

/// Everything that opens with a version number; the next element decides.
fn versioned(body: &mut Reader<'_>) -> Option<Kind> {
    let start = *body;
    let version = body.take(INTEGER)?;
    match (body.peek()?, version) {
        (SEQUENCE, [0 | 1]) => pkcs8(body).map(Kind::Pkcs8),
        (OCTETS, [1]) => is_sec1(start, None).then_some(Kind::Sec1Ec),
        (INTEGER, [0 | 1]) if is_pkcs1(start) => Some(Kind::Pkcs1Rsa),
        (INTEGER, [0]) if integers(start) == Some(6) => Some(Kind::Dsa),
        _ => None,
    }
}

/// The rest of PKCS#8 after its version: algorithm, key octets, attributes and public key if present.
fn pkcs8(body: &mut Reader<'_>) -> Option<Algorithm> {
    let mut identifier = Reader(body.take(SEQUENCE)?);
    let algorithm = identifier.take(OBJECT_ID)?;
    let key = body.take(OCTETS)?;
    body.skip(CONTEXT_0)?;
    body.skip(PUBLIC_KEY_OF_V2)?;
    if !body.is_empty() || key.is_empty() {
        return None;
    }
    match algorithm {
        RSA | RSA_PSS => inner(key).is_some_and(is_pkcs1).then_some(Algorithm::Rsa),
        EC => {
            let curve = identifier.take(OBJECT_ID);
            inner(key).is_some_and(|key| is_sec1(key, curve)).then_some(Algorithm::Ec)
        }
        ED25519 => is_32_octets(key).then_some(Algorithm::Ed25519),
        X25519 => is_32_octets(key).then_some(Algorithm::X25519),
        _ => Some(Algorithm::Other),
    }
}

fn inner(key: &[u8]) -> Option<Reader<'_>> {
    whole(SEQUENCE, key)
}

fn is_32_octets(key: &[u8]) -> bool {
    whole(OCTETS, key).is_some_and(|seed| seed.0.len() == 32)
}

/// Version, modulus, two exponents, two primes, three CRT values; version 1 has further primes behind them.
fn is_pkcs1(mut key: Reader<'_>) -> bool {
    let Some(version) = key.take(INTEGER) else { return false };
    for _ in 0..8 {
        if key.take(INTEGER).is_none_or(<[u8]>::is_empty) {
            return false;
        }
    }
    match version {
        [0] => key.is_empty(),
        [1] => key.take(SEQUENCE).is_some() && key.is_empty(),
        _ => false,
    }
}

/// Version 1, scalar, curve and point if present; on P-256 the sizes are known.
fn is_sec1(mut key: Reader<'_>, outer_curve: Option<&[u8]>) -> bool {
    sec1_parts(&mut key).is_some_and(|(scalar, curve, point)| {
        let is_p256 = curve.or(outer_curve) == Some(P256);
        let expected_sizes =
            scalar.len() == P256_SCALAR && point.is_none_or(|point| point.len() == P256_POINT);
        key.is_empty() && !scalar.is_empty() && (!is_p256 || expected_sizes)
    })
}

type Sec1Parts<'der> = (&'der [u8], Option<&'der [u8]>, Option<&'der [u8]>);

fn sec1_parts<'der>(key: &mut Reader<'der>) -> Option<Sec1Parts<'der>> {
    if key.take(INTEGER)? != [1] {
        return None;
    }
    let scalar = key.take(OCTETS)?;
    // Explicit curve parameters are a sequence here instead of an object id: then the curve has no name.
    let curve = key.skip(CONTEXT_0)?.and_then(|field| Reader(field).take(OBJECT_ID));
    let point = match key.skip(CONTEXT_1)? {
        Some(field) => Some(Reader(field).take(BIT_STRING)?),
        None => None,
    };
    Some((scalar, curve, point))
}

/// How many integers the body is made of; `None` if it holds anything else.
fn integers(mut body: Reader<'_>) -> Option<usize> {
    let mut count = 0;
    while !body.is_empty() {
        body.take(INTEGER)?;
        count += 1;
    }
    Some(count)
}

fn is_encrypted(mut body: Reader<'_>) -> bool {
    let Some(identifier) = body.take(SEQUENCE) else { return false };
    let scheme = Reader(identifier).take(OBJECT_ID);
    scheme.is_some_and(|scheme| PASSWORD_BASED.iter().any(|family| scheme.starts_with(family)))
        && body.take(OCTETS).is_some_and(|data| !data.is_empty())
        && body.is_empty()
}

/// The content of `document` if it is exactly one element with this tag.
fn whole(tag: u8, document: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader(document);
    let content = reader.take(tag)?;
    reader.is_empty().then_some(Reader(content))
}

/// Elements that are still to be read.
#[derive(Clone, Copy)]
struct Reader<'der>(&'der [u8]);

impl<'der> Reader<'der> {
    fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Takes the next element, which must have this tag, and gives its content.
    fn take(&mut self, tag: u8) -> Option<&'der [u8]> {
        let (&found, rest) = self.0.split_first()?;
        if found != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// Takes an optional element: `Some(None)` when another tag is next, `None` when it is damaged.
    fn skip(&mut self, tag: u8) -> Option<Option<&'der [u8]>> {
        if self.peek() == Some(tag) { self.take(tag).map(Some) } else { Some(None) }
    }
}

/// Reads a definite length in its shortest form, up to 64 KiB less one: no key is longer.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Some((usize::from(*long), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Some((usize::from(*high) << 8 | usize::from(*low), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    const DOCUMENTS: &str = include_str!("../../../fixtures/checks/der.tsv");

    fn documents() -> Vec<(Kind, Vec<u8>)> {
        DOCUMENTS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, text) = line.split_once('\t').expect("kind and base64");
                (kind(name), BASE64.decode(text.replace('¦', "").as_bytes()).expect("base64"))
            })
            .collect()
    }

    fn kind(name: &str) -> Kind {
        match name {
            "pkcs8-rsa" => Kind::Pkcs8(Algorithm::Rsa),
            "pkcs8-ec" => Kind::Pkcs8(Algorithm::Ec),
            "pkcs8-ed25519" => Kind::Pkcs8(Algorithm::Ed25519),
            "pkcs8-x25519" => Kind::Pkcs8(Algorithm::X25519),
            "pkcs8-other" => Kind::Pkcs8(Algorithm::Other),
            "pkcs1-rsa" => Kind::Pkcs1Rsa,
            "sec1-ec" => Kind::Sec1Ec,
            "dsa" => Kind::Dsa,
            "encrypted-pkcs8" => Kind::EncryptedPkcs8,
            "not-private" => Kind::NotPrivate,
            other => panic!("unknown kind {other}"),
        }
    }

    #[test]
    fn documents_made_by_openssl_are_told_apart() {
        for (number, (expected, document)) in documents().iter().enumerate() {
            assert_eq!(classify(document), *expected, "document {}", number + 1);
        }
    }

    #[test]
    fn the_length_must_be_exact() {
        for (_, document) in documents() {
            for end in 0..document.len() {
                assert_eq!(classify(&document[..end]), Kind::NotPrivate);
            }
            assert_eq!(classify(&[&document[..], &[0]].concat()), Kind::NotPrivate);
        }
    }

    #[test]
    fn a_p256_key_has_a_scalar_of_32_bytes() {
        let short = [
            &[SEQUENCE, 0x2e, INTEGER, 1, 1, OCTETS, 31][..],
            &[7; 31],
            &[CONTEXT_0, 10, OBJECT_ID, 8],
            P256,
        ]
        .concat();
        let mut short = short;
        short[1] = u8::try_from(short.len() - 2).expect("short form");
        assert_eq!(classify(&short), Kind::NotPrivate);
        let mut right =
            [&[SEQUENCE, 0, INTEGER, 1, 1, OCTETS, 32][..], &[7; 32], &[CONTEXT_0, 10, OBJECT_ID, 8], P256]
                .concat();
        right[1] = u8::try_from(right.len() - 2).expect("short form");
        assert_eq!(classify(&right), Kind::Sec1Ec);
    }
}
