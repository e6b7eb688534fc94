//! What a name means: its words, the role they imply, and whether they say "this is no secret".
//!
//! Must not know: documents, providers, rules.
//! Invariant: depends on nothing but the name's letters; camelCase, snake_case, kebab-case and dotted.paths are equal.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::model::Role;
use crate::rules::RuleSet;
use crate::rules::lookup::{BUCKET_LETTERS, Letters, NameEntry, NameTable, name_bucket};

use super::vocabulary::{
    ABOUT, ASSET, Characters, IDENTIFIER, INVENTED, PART_WORDS, PASSPHRASE, PUBLIC, Phrase, SAYS_SECRET,
    SECRET, STRONG, TOKEN, WEAK_PUBLIC, characters_of,
};

/// A name as lower-case words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    /// Its words, without what stands between them.
    squashed: String,
    /// Where each word ends.
    ends: Vec<u8>,
    /// Which characters occur in it: most phrases are ruled out by them.
    characters: Characters,
    /// What the words mean: asked for by many rules, read once.
    role: OnceLock<Option<Role>>,
    vetoes: OnceLock<bool>,
}

/// Longer names are sentences or data.
const LONGEST_NAME: usize = 120;
const _: () = assert!(LONGEST_NAME <= u8::MAX as usize, "words end at a byte that eight bits tell");

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
        let text = &text[..text.len().min(LONGEST_NAME)];
        let mut squashed = String::with_capacity(text.len());
        let mut ends = Vec::new();
        let mut end_word = |squashed: &String| {
            let end = u8::try_from(squashed.len()).expect("a name is shorter than eight bits tell");
            if end > ends.last().copied().unwrap_or(0) {
                ends.push(end);
            }
        };
        for (at, &byte) in text.iter().enumerate() {
            let starts_word = byte.is_ascii_uppercase()
                && at > 0
                && (text[at - 1].is_ascii_lowercase()
                    || text[at - 1].is_ascii_digit()
                    || (text[at - 1].is_ascii_uppercase()
                        && text.get(at + 1).is_some_and(u8::is_ascii_lowercase)));
            if !byte.is_ascii_alphanumeric() || starts_word {
                end_word(&squashed);
            }
            if byte.is_ascii_alphanumeric() {
                squashed.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        end_word(&squashed);
        let characters = characters_of(squashed.as_bytes());
        Self { squashed, ends, characters, ..Self::default() }
    }

    /// Its words, in order.
    fn words(&self) -> impl Iterator<Item = &str> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.squashed[usize::from(start)..usize::from(end)])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
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
            return self.words().any(|word| word == phrase);
        }
        (0..self.ends.len()).any(|first| self.words().skip(first).take(blanks + 1).eq(phrase.split(' ')))
    }

    fn could_have(&self, phrase: &Phrase) -> bool {
        phrase.characters & !self.characters == 0
    }

    /// The same, but a single word must stand apart: `market` is not in `polymarket`.
    fn has_apart(&self, phrase: &str) -> bool {
        let bare = |word: &str| word.trim_end_matches(|character: char| character.is_ascii_digit()) == phrase;
        if phrase.contains(' ') { self.has(phrase) } else { self.words().any(bare) }
    }

    fn any(&self, phrases: &[Phrase]) -> bool {
        phrases.iter().any(|phrase| self.could_have(phrase) && self.has(phrase.text))
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
        self.any(ASSET)
            || self.any(PUBLIC)
            || (WEAK_PUBLIC.iter().any(|phrase| self.could_have(phrase) && self.has_apart(phrase.text))
                && !self.any(STRONG))
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
        self.words().filter(|word| !PART_WORDS.contains(word)).collect::<Vec<_>>().join(" ")
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
            assert_eq!(Name::new(text.as_bytes()).words().collect::<Vec<_>>(), words, "{text}");
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
