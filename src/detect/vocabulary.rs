//! What the words in names say: lists of phrases, each with what rules it out at once.
//!
//! Must not know: names in texts, providers, rules.
//! Invariant: phrases are lower-case words with single spaces, and whatever has one has all its characters.

/// Characters as bits: no two lower-case letters share one.
pub(super) type Characters = u64;

/// A phrase that names are searched for.
pub(super) struct Phrase {
    pub(super) text: &'static str,
    pub(super) characters: Characters,
}

/// The characters that occur in `text`, but for blanks.
pub(super) const fn characters_of(text: &[u8]) -> Characters {
    let (mut characters, mut at) = (0, 0);
    while at < text.len() {
        if text[at] != b' ' {
            characters |= 1 << (text[at] & 63);
        }
        at += 1;
    }
    characters
}

const fn phrases<const COUNT: usize>(texts: [&'static str; COUNT]) -> [Phrase; COUNT] {
    let mut phrases = [const { Phrase { text: "", characters: 0 } }; COUNT];
    let mut number = 0;
    while number < COUNT {
        phrases[number] = Phrase { text: texts[number], characters: characters_of(texts[number].as_bytes()) };
        number += 1;
    }
    phrases
}

/// Something about an asset of a market.
pub(super) const ASSET: &[Phrase] =
    &phrases(["token address", "token id", "token pair", "base token", "quote token", "token symbol"]);
/// Say more than [`WEAK_PUBLIC`].
pub(super) const STRONG: &[Phrase] =
    &phrases(["secret", "private", "api key", "apikey", "passphrase", "password"]);
pub(super) const PASSPHRASE: &[Phrase] =
    &phrases(["passphrase", "password", "passwd", "pass", "pwd", "pass phrase"]);
pub(super) const SECRET: &[Phrase] = &phrases([
    "secret",
    "private",
    "priv",
    "b64secret",
    "apisecret",
    "secretkey",
    "seckey",
    "sk",
    "seed",
    "mnemonic",
    "signing key",
    "privkey",
]);
pub(super) const SAYS_SECRET: &[Phrase] = &phrases([
    "secret",
    "private key",
    "signing key",
    "encryption key",
    "master key",
    "hmac key",
    "password",
    "passphrase",
    "passwd",
]);
pub(super) const ABOUT: &[Phrase] = &phrases([
    "hash",
    "hashed",
    "encrypted",
    // What EC2 calls a password that it encrypted.
    "password data",
    "policy",
    "regex",
    "pattern",
    "hint",
    "reset",
    "label",
    "field",
    "input",
    "length",
    "strength",
    "error",
    "message",
    "validator",
    "validation",
    "confirm",
    "type",
    "encoder",
    "arn",
    "ref",
    "reference",
    "version",
    "mount",
    "selector",
    "placeholder",
    "manager",
    "store",
    "name",
    "file",
    "path",
]);
pub(super) const INVENTED: &[Phrase] = &phrases([
    "wrong",
    "incorrect",
    "invalid",
    "fake",
    "dummy",
    "mock",
    "bogus",
    "masked",
    "example",
    "sample",
]);
pub(super) const IDENTIFIER: &[Phrase] =
    &phrases(["key", "apikey", "access", "api", "client id", "clientid", "key id", "keyid", "login", "uid"]);
pub(super) const TOKEN: &[Phrase] =
    &phrases(["token", "auth", "authorization", "bearer", "credential", "credentials", "webhook", "dsn"]);
/// Say so whatever else the name says.
pub(super) const PUBLIC: &[Phrase] = &phrases([
    "hash",
    "digest",
    "checksum",
    "signature",
    "sha1",
    "sha256",
    "sha512",
    "sha",
    "md5",
    "integrity",
    "txid",
    "tx",
    "transaction",
    "address",
    "addr",
    // Of a service account of Google: which of its keys it is.
    "private key id",
    "public key",
    "publickey",
    "pubkey",
    "pub",
    "fingerprint",
    "thumbprint",
    "topic",
    "topics",
    "etag",
    "resolved",
    "commit",
    "revision",
    "blockhash",
    "bytecode",
    "typehash",
    "merkle",
    "condition id",
    "order id",
    "client oid",
    "clientoid",
    "orderid",
    "request id",
    "trace id",
    "session id",
    "correlation id",
    "message id",
    "nonce",
    "idempotency",
    "partition key",
    "cache key",
    "sort key",
    "primary key",
    "foreign key",
    "object key",
    "page token",
    "signatures",
    "sign",
    "sig",
]);
/// Say so unless the name also says secret.
pub(super) const WEAK_PUBLIC: &[Phrase] = &phrases([
    "salt",
    "iv",
    "uuid",
    "guid",
    "root",
    "slot",
    "block",
    "version",
    "color",
    "colour",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "image",
    "icon",
    "font",
    "test id",
    "build",
    "node id",
    "user id",
    "account id",
    "project id",
    "index",
    "cid",
    "public",
    "name",
    "keyword",
    "field",
    "column",
    "selector",
    "class",
    "style",
    "label",
    "title",
    "description",
    "comment",
    "symbol",
    "pair",
    "market",
    "issue",
    "peer",
    "pool",
    "feed",
    "program",
    "contract",
    "mint",
    "owner",
    "authority",
    "cursor",
    "offset",
    "page",
    "listen key",
    "instrumentation key",
    "checksum",
]);
/// The words that tell parts of one credential apart.
pub(super) const PART_WORDS: &[&str] = &[
    "api",
    "key",
    "apikey",
    "secret",
    "apisecret",
    "secretkey",
    "access",
    "private",
    "public",
    "passphrase",
    "password",
    "pass",
    "pwd",
    "id",
    "client",
    "b64secret",
    "token",
    "phrase",
    "name",
    "priv",
];
