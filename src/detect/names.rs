//! What a name means: its words, the role they imply, and whether they say "this is no secret".
//!
//! Must not know: documents, providers, rules.
//! Invariant: depends on nothing but the name's letters; camelCase, snake_case, kebab-case and dotted.paths are equal.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::model::Role;
use crate::rules::RuleSet;
use crate::rules::lookup::{BUCKET_LETTERS, Letters, NameEntry, NameTable, name_bucket};

/// A name as lower-case words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    words: Vec<String>,
    squashed: String,
    /// What the words mean: asked for by many rules, read once.
    role: OnceLock<Option<Role>>,
    vetoes: OnceLock<bool>,
}

/// Longer names are sentences or data.
const LONGEST_NAME: usize = 120;

/// Phrases of up to so many letters must be whole words: shorter ones occur in others by chance.
const LONGEST_WHOLE_WORD: usize = 5;

/// Whether `phrase`, without its spaces, occurs in `text`. Called for every word list and every name: no allocation.
fn contains_squashed(text: &[u8], phrase: &[u8]) -> bool {
    let starts_with = |text: &[u8]| {
        let mut rest = text.iter();
        phrase.iter().filter(|&&byte| byte != b' ').all(|byte| rest.next() == Some(byte))
    };
    memchr::memchr_iter(phrase[0], text).any(|at| starts_with(&text[at..]))
}

impl Name {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let text = &text[..text.len().min(LONGEST_NAME)];
        for (at, &byte) in text.iter().enumerate() {
            let starts_word = byte.is_ascii_uppercase()
                && at > 0
                && (text[at - 1].is_ascii_lowercase()
                    || text[at - 1].is_ascii_digit()
                    || (text[at - 1].is_ascii_uppercase()
                        && text.get(at + 1).is_some_and(u8::is_ascii_lowercase)));
            if !byte.is_ascii_alphanumeric() || starts_word {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            if byte.is_ascii_alphanumeric() {
                word.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        let squashed = words.concat();
        Self { words, squashed, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether `phrase` (lower-case words with single spaces) occurs in the name. A long phrase may also be written
    /// without any boundary, as in `apikey`; a short one must be whole words.
    pub(crate) fn has(&self, phrase: &str) -> bool {
        let blanks = phrase.bytes().filter(|&byte| byte == b' ').count();
        if phrase.len() - blanks > LONGEST_WHOLE_WORD {
            return contains_squashed(self.squashed.as_bytes(), phrase.as_bytes());
        }
        // Asked for hundreds of phrases and every name: most are one word.
        if blanks == 0 {
            return self.words.iter().any(|word| word == phrase);
        }
        self.words.windows(blanks + 1).any(|window| window.iter().map(String::as_str).eq(phrase.split(' ')))
    }

    /// The same, but a single word must stand apart: `market` is not in `polymarket`.
    fn has_apart(&self, phrase: &str) -> bool {
        let bare =
            |word: &String| word.trim_end_matches(|character: char| character.is_ascii_digit()) == phrase;
        if phrase.contains(' ') { self.has(phrase) } else { self.words.iter().any(bare) }
    }

    fn any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    /// Whether the name is any of `phrases` by itself, apart from digits.
    fn is_only(&self, phrases: &[&str]) -> bool {
        let bare = self.squashed.trim_end_matches(|character: char| character.is_ascii_digit());
        phrases.contains(&bare)
    }

    /// The role that the name implies.
    pub(crate) fn role(&self) -> Option<Role> {
        *self.role.get_or_init(|| self.implied_role())
    }

    fn implied_role(&self) -> Option<Role> {
        if self.any(PASSPHRASE) {
            Some(Role::Passphrase)
        } else if self.any(SECRET) || self.is_only(&["secret", "sk", "pk", "seckey"]) {
            Some(Role::Secret)
        } else if self.any(IDENTIFIER) || self.is_only(&["key", "ak", "apikey"]) {
            Some(Role::Identifier)
        } else if self.any(TOKEN) {
            Some(Role::Token)
        } else {
            None
        }
    }

    /// Whether the name says that the value is public or computed.
    pub(crate) fn vetoes(&self) -> bool {
        *self.vetoes.get_or_init(|| self.says_public())
    }

    fn says_public(&self) -> bool {
        let about_asset = self.any(&[
            "token address",
            "token id",
            "token pair",
            "base token",
            "quote token",
            "token symbol",
        ]);
        about_asset
            || self.any(PUBLIC)
            || (WEAK_PUBLIC.iter().any(|phrase| self.has_apart(phrase))
                && !self.any(&["secret", "private", "api key", "apikey", "passphrase", "password"]))
    }

    /// Whether the name vetoes only as one of `names` does: some providers call a part `public key` or `token id`.
    pub(crate) fn is_public_part(&self, names: &[impl AsRef<str>]) -> bool {
        names.iter().map(AsRef::as_ref).any(|name| self.has(name) && Name::new(name.as_bytes()).vetoes())
    }

    /// Whether the name says "secret" in so many words, and not what is merely said about one.
    pub(crate) fn says_secret(&self) -> bool {
        self.any(SAYS_SECRET) && !self.is_about_passwords()
    }

    /// Whether the value is something about a password: its hash, its rules, its field in a form, one that is none.
    pub(crate) fn is_about_passwords(&self) -> bool {
        self.any(ABOUT) || self.says_invented()
    }

    /// Whether the name says that the value was made up.
    pub(crate) fn says_invented(&self) -> bool {
        self.any(INVENTED)
    }

    /// The name without the words that tell parts apart: equal for the key and the secret of one account.
    pub(crate) fn stem(&self) -> String {
        let is_part = |word: &&String| !PART_WORDS.contains(&word.as_str());
        self.words.iter().filter(is_part).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[cfg(test)]
    fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// The names of all parts, found in a name in one pass.
pub(crate) struct PhraseIndex(Cow<'static, NameTable>);

impl PhraseIndex {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        Self(rules.name_table())
    }

    /// The owners of the phrases that `name` has, in ascending order.
    pub(crate) fn owners(&self, name: &Name) -> Vec<u16> {
        let mut owners = Vec::new();
        let table = &*self.0;
        let letters_of = |(start, end): Letters| &table.letters[start as usize..end as usize];
        let text = |name: &NameEntry| std::str::from_utf8(letters_of(name.text)).unwrap_or_default();
        let squashed = name.squashed.as_bytes();
        for (at, letters) in squashed.windows(BUCKET_LETTERS).enumerate() {
            let Some(bucket) = letters.first_chunk().map(name_bucket) else { continue };
            let entries = table.buckets[bucket] as usize..table.buckets[bucket + 1] as usize;
            for entry in &table.names[entries] {
                let letters = letters_of(entry.squashed);
                let is_long = letters.len() > LONGEST_WHOLE_WORD;
                if squashed[at..].starts_with(letters) && (is_long || name.has(text(entry))) {
                    owners.push(entry.owner);
                }
            }
        }
        owners.extend(table.short.iter().filter(|entry| name.has(text(entry))).map(|entry| entry.owner));
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

const PASSPHRASE: &[&str] = &["passphrase", "password", "passwd", "pass", "pwd", "pass phrase"];
const SECRET: &[&str] = &[
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
];
const SAYS_SECRET: &[&str] = &[
    "secret",
    "private key",
    "signing key",
    "encryption key",
    "master key",
    "hmac key",
    "password",
    "passphrase",
    "passwd",
];
const ABOUT: &[&str] = &[
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
];
const INVENTED: &[&str] =
    &["wrong", "incorrect", "invalid", "fake", "dummy", "mock", "bogus", "masked", "example", "sample"];
const IDENTIFIER: &[&str] =
    &["key", "apikey", "access", "api", "client id", "clientid", "key id", "keyid", "login", "uid"];
const TOKEN: &[&str] =
    &["token", "auth", "authorization", "bearer", "credential", "credentials", "webhook", "dsn"];
/// Say so whatever else the name says.
const PUBLIC: &[&str] = &[
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
];
/// Say so unless the name also says secret.
const WEAK_PUBLIC: &[&str] = &[
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
];
const PART_WORDS: &[&str] = &[
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

#[cfg(test)]
mod tests {
    use super::{Name, PhraseIndex};
    use crate::model::Role;
    use crate::rules::RuleSet;

    #[test]
    fn phrases_are_found_in_one_pass_as_one_by_one() {
        let rules = RuleSet::builtin();
        let phrases = || {
            (0_u16..)
                .zip(rules.rules.iter())
                .flat_map(|(owner, rule)| rule.names.iter().map(move |name| (owner, name.as_ref())))
        };
        let index = PhraseIndex::new(&rules);
        let joined = |by: &str| phrases().map(|(_, phrase)| phrase.replace(' ', by)).collect::<Vec<_>>();
        let others =
            ["BINANCE_API_SECRET", "okx.secretKey", "my id", "x", "", "sk", "monkey", "API KEY Secret"];
        for text in joined("_").iter().chain(&joined("")).map(String::as_str).chain(others) {
            let name = Name::new(format!("x {text}").as_bytes());
            let mut slow: Vec<u16> =
                phrases().filter(|(_, phrase)| name.has(phrase)).map(|(owner, _)| owner).collect();
            slow.dedup();
            assert_eq!(index.owners(&name), slow, "{text}");
        }
    }

    #[test]
    fn names_are_words_however_they_are_written() {
        for (text, words) in [
            ("BINANCE_API_KEY", vec!["binance", "api", "key"]),
            ("binanceApiKey", vec!["binance", "api", "key"]),
            ("X-MBX-APIKEY", vec!["x", "mbx", "apikey"]),
            ("APIKeySecret", vec!["api", "key", "secret"]),
            ("exchange.okx.secretKey", vec!["exchange", "okx", "secret", "key"]),
            ("key2Secret", vec!["key2", "secret"]),
        ] {
            assert_eq!(Name::new(text.as_bytes()).words(), words, "{text}");
        }
    }

    #[test]
    fn names_imply_roles() {
        for (text, role) in [
            ("apiKey", Some(Role::Identifier)),
            ("key", Some(Role::Identifier)),
            ("api_secret_key", Some(Role::Secret)),
            ("secret", Some(Role::Secret)),
            ("BinanceSecretKey", Some(Role::Secret)),
            ("GDAX_B64_SECRET", Some(Role::Secret)),
            ("privateKey", Some(Role::Secret)),
            ("OKX_PASSPHRASE", Some(Role::Passphrase)),
            ("password", Some(Role::Passphrase)),
            ("client_id", Some(Role::Identifier)),
            ("access_token", Some(Role::Identifier)),
            ("bot_token", Some(Role::Token)),
            ("monkey", None),
            ("pairWhitelist", None),
        ] {
            assert_eq!(Name::new(text.as_bytes()).role(), role, "{text}");
        }
    }

    #[test]
    fn names_veto() {
        for (text, veto) in [
            ("tx_hash", true),
            ("sha256", true),
            ("signature", true),
            ("publicKey", true),
            ("token_address", true),
            ("apiKey", false),
            ("secret_key", false),
            ("API_SECRET", false),
            ("clientOid", true),
            ("api_key_id", false),
            ("IDEMPOTENCY_KEY", true),
            ("nextPageToken", true),
            ("POLYMARKET_KEY", false),
            ("market2", true),
            ("design_key", false),
        ] {
            assert_eq!(Name::new(text.as_bytes()).vetoes(), veto, "{text}");
        }
    }
}
