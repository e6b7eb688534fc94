//! What is recognised as a whole, by its own form: keys, phrases, pairs as numbers, URLs, and what people chose and named.
//!
//! Must not know: tokens, other candidates.
//! Invariant: what the local half of a reading refuses ([`Bench::rule_of_connection`], [`Bench::rule_of_chosen`]) becomes
//! no part, whatever stands around it.

use crate::model::{Confidence, Role, Span};
use crate::rules::word_list::Tongue;
use crate::rules::{Kind, Need, PemKind, Rule};

use super::super::candidates::{Candidate, Clue, RANDOM_ENOUGH};
use super::super::checks::phrases::Scheme;
use super::super::connection::Connection;
use super::super::evidence::{IN_FILE, IN_NAME, NEARBY};
use super::super::names::Name;
use super::super::password::Chosen;
use super::super::phrase::Phrase;
use super::super::placeholder::{is_no_password, is_published_account};
use super::super::randomness;
use super::super::tokens::is_token_byte;
use super::{Bench, Part, Surroundings, score_of};

impl Bench<'_> {
    /// Keys and phrases: what is recognised as a whole.
    pub(super) fn whole(&self, candidate: &Candidate) -> Option<Part> {
        match &candidate.clue {
            Clue::Key(kind) => self.key(candidate.span, *kind),
            Clue::Phrase(phrase) => self.phrase(phrase),
            Clue::Numbers => self.numbers(candidate.span),
            Clue::Chosen(_)
            | Clue::Connection(_)
            | Clue::Encoded(_)
            | Clue::Spelled
            | Clue::Token(_)
            | Clue::Anchored(..)
            | Clue::Random(_) => None,
        }
    }

    fn key(&self, span: Span, kind: PemKind) -> Option<Part> {
        let around = self.surroundings(span);
        self.key_of_provider(span, kind, &around).or_else(|| {
            let rule = self.key_rules(kind).find(|&rule| self.rule(rule).need == Need::Nothing)?;
            Some(self.part(rule, span, Confidence::Certain, true, NEARBY, &around))
        })
    }

    /// A private key of a provider that is named near by.
    pub(super) fn key_of_provider(&self, span: Span, kind: PemKind, around: &Surroundings) -> Option<Part> {
        let (score, rule) = self
            .key_rules(kind)
            .filter(|&rule| self.rule(rule).need != Need::Nothing)
            .map(|rule| (score_of(around, self.rule(rule)), rule))
            .filter(|&(score, _)| score < IN_FILE)
            .min()?;
        Some(self.part(rule, span, Confidence::Certain, true, score, around))
    }

    fn key_rules(&self, kind: PemKind) -> impl Iterator<Item = u16> {
        let fits = move |rule: &Rule| matches!(&rule.kind, Kind::Pem(kinds) if kinds.contains(&kind));
        let rules = &self.rules.rules;
        (0..rules.len())
            .filter(move |&index| fits(&rules[index]))
            .filter_map(|index| u16::try_from(index).ok())
    }

    fn phrase(&self, phrase: &Phrase) -> Option<Part> {
        let scheme = phrase.scheme.as_str();
        let fits = |rule: &Rule| {
            let counted = matches!(&rule.kind, Kind::Mnemonic(counts) if counts.iter().any(|&count| usize::from(count) == phrase.words.len()));
            counted && rule.checks.iter().any(|check| check == scheme)
        };
        let rule = u16::try_from(self.rules.rules.iter().position(fits)?)
            .expect("compiling rules refuses more than 65,535 of them");
        let known = self.judge.is_known(&phrase.sentence(self.document.text));
        let mut distinct = phrase.words.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if !known && phrase.scheme != Scheme::Slip39 && distinct.len() + 2 < phrase.words.len() {
            return None;
        }
        let around = self.surroundings(phrase.span);
        let mut part = self.part(rule, phrase.span, Confidence::Certain, true, IN_NAME, &around);
        if phrase.tongue != Tongue::English {
            part.told.push(format!("words of the list {}", phrase.tongue.as_str()));
        }
        Some(Part { known, ..part })
    }

    fn numbers(&self, span: Span) -> Option<Part> {
        let rule = self.rules.rules.iter().position(|rule| matches!(rule.kind, Kind::Numbers(_)))?;
        let rule = u16::try_from(rule).expect("compiling rules refuses more than 65,535 of them");
        let known = self.judge.is_known(&numbers_alone(span.of(self.document.text)));
        let part = self.part(rule, span, Confidence::Certain, true, IN_NAME, &self.surroundings(span));
        Some(Part { known, ..part })
    }

    pub(super) fn connection(&self, url: &Connection) -> Option<Part> {
        let rule = self.rule_of_connection(url)?;
        let text = self.document.text;
        let (password, host) = (url.password.of(text), url.host.of(text));
        let local = [b"localhost".as_slice(), b"127.", b"0.0.0.0", b"[::1]"]
            .iter()
            .any(|head| host.starts_with(head));
        let confidence = if local && password.len() < 16 { Confidence::Possible } else { Confidence::Likely };
        let around = self.surroundings(url.password);
        let part = self.part(rule, url.password, confidence, true, IN_NAME, &around);
        Some(Part { connection: Some(url.clone()), ..part })
    }

    /// The rule of the URL's scheme, unless its password or host say that it is none.
    pub(super) fn rule_of_connection(&self, url: &Connection) -> Option<u16> {
        let text = self.document.text;
        let scheme = url.scheme.of(text).to_ascii_lowercase();
        // `postgresql+psycopg2` is PostgreSQL by a driver.
        let base = scheme.split(|&byte| byte == b'+').next().unwrap_or_default();
        let rule = self.connection_rule(&scheme).or_else(|| self.connection_rule(base))?;
        let (user, password, host) = (url.user.of(text), url.password.of(text), url.host.of(text));
        let documented =
            [b"example.".as_slice(), b"host", b"hostname", b"your", b"foo.", b"bar."].iter().any(|word| {
                host.to_ascii_lowercase().starts_with(word)
                    || memchr::memmem::find(host, b".example").is_some()
                    || memchr::memmem::find(host, b"example.com").is_some()
            });
        // `http://localhost:8545@1599200` is a host and its port.
        let port = password.iter().all(u8::is_ascii_digit) && (user == b"localhost" || user.contains(&b'.'));
        let is_none = is_no_password(password)
            || port
            || is_published_account(user, password)
            || password.eq_ignore_ascii_case(user)
            || documented
            || password.len() < 3;
        (!is_none).then_some(rule)
    }

    /// A value that people chose, by what it is called.
    pub(super) fn chosen(&self, chosen: &Chosen) -> Option<Part> {
        let rule = self.rule_of_chosen(chosen)?;
        let around = self.surroundings(chosen.value);
        let part = self.part(rule, chosen.value, Confidence::Likely, true, IN_NAME, &around);
        let name = String::from_utf8_lossy(chosen.name.of(self.document.text)).into_owned();
        Some(Part { name: Some(name), ..part })
    }

    /// The rule that the name speaks for, unless it or the value says that it is none.
    pub(super) fn rule_of_chosen(&self, chosen: &Chosen) -> Option<u16> {
        let text = self.document.text;
        let (name, value) = (Name::new(chosen.name.of(text)), chosen.value.of(text));
        let fits = |rule: &Rule| matches!(rule.kind, Kind::Password(shortest, longest) if (shortest..=longest).contains(&u16::try_from(value.len()).unwrap_or(u16::MAX)));
        if name.vetoes() || name.is_about_passwords() || is_no_password(value) || self.lock_file {
            return None;
        }
        let best =
            self.rules.rules.iter().enumerate().filter(|(_, rule)| fits(rule)).filter_map(|(index, rule)| {
                let named =
                    rule.names.iter().filter(|phrase| name.has(phrase)).map(|phrase| phrase.len()).max();
                // A secret without marks is a token, which is judged as one.
                let marked = value.iter().any(|&byte| !is_token_byte(byte) && byte != b'=');
                let fit =
                    rule.role == Role::Passphrase || (marked && randomness::score(value) > RANDOM_ENOUGH);
                named.filter(|_| fit).map(|length| (length, std::cmp::Reverse(index)))
            });
        let (_, std::cmp::Reverse(index)) = best.max()?;
        Some(u16::try_from(index).expect("compiling rules refuses more than 65,535 of them"))
    }

    fn connection_rule(&self, scheme: &[u8]) -> Option<u16> {
        let fits = |rule: &Rule| matches!(&rule.kind, Kind::Connection(schemes) if schemes.iter().any(|known| known.as_bytes() == scheme));
        u16::try_from(self.rules.rules.iter().position(fits)?).ok()
    }
}

/// The numbers of an array with single commas between them, as packs list published ones.
fn numbers_alone(list: &[u8]) -> Vec<u8> {
    list.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}
