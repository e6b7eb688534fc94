//! Step three: what a candidate is, judged by its name, its surroundings, its file.
//!
//! Must not know: how candidates are found, how parts become credentials.
//! Invariant: each candidate becomes at most one part, and overlapping candidates at most one altogether.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::model::{Confidence, Role, Severity, Span};
use crate::rules::word_list::Tongue;
use crate::rules::{Kind, Need, PemKind, Rule, RuleSet, Shape};

use super::candidates::{Candidate, Clue, RANDOM_ENOUGH};
use super::checks::Check;
use super::checks::phrases::Scheme;
use super::connection::Connection;
use super::document::Document;
use super::evidence::{
    IN_CALL, IN_FILE, IN_FILE_NAME, IN_IMPORT, IN_NAME, NEARBY, NOWHERE, SAME_LINE, STRUCTURE, Sign, beside,
    signs,
};
use super::fingerprint::published_hash;
use super::names::{Name, PhraseIndex};
use super::naming::{Naming, Standing, callee, name_of};
use super::password::Chosen;
use super::pem;
use super::phrase::Phrase;
use super::placeholder::{is_blank, is_no_password, is_placeholder, is_published_account};
use super::randomness;
use super::structure::{Scope, scopes};
use super::tokens::is_token_byte;
use super::veto;

/// A candidate that was believed.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) rule: u16,
    pub(crate) span: Span,
    pub(crate) confidence: Confidence,
    /// Whether it stands by itself, or only with another part of the same credential.
    pub(crate) firm: bool,
    /// How near the evidence of the provider is (see `evidence`).
    pub(crate) score: u32,
    pub(crate) told: Vec<String>,
    pub(crate) name: Option<String>,
    /// What the name says apart from the part: equal for the parts of one account.
    pub(crate) stem: String,
    /// Where the innermost scope begins: equal for values written down together.
    pub(crate) scope: usize,
    /// Other rules that the value fits, with their scores.
    pub(crate) rivals: Vec<(u16, u32)>,
    pub(crate) randomness: Option<f32>,
    /// Whether the value is published.
    pub(crate) known: bool,
    pub(crate) connection: Option<Connection>,
    /// What it is if no partner turns up.
    pub(crate) fallback: Option<Box<Part>>,
}

/// Judges candidates; built once and shared.
pub(crate) struct Judge {
    /// Which rules' shapes have nothing rare: hashes and ids have them too.
    common: Vec<bool>,
    /// For a rule whose values are searched for, all rules whose values are searched for in the same way.
    alike: Vec<Vec<u16>>,
    known: Vec<u64>,
    /// What rules call their values.
    names: PhraseIndex,
    /// The names of all headers that carry a part.
    headers: HashSet<Vec<u8>>,
    longest_header: usize,
}

/// How strongly a name alone speaks where no provider needs to be named.
const BY_NAME: u32 = 45;
const SHORT_TOKEN: usize = 24;
/// How badly a value fits whose name says nothing.
const UNNAMED: u32 = 12;
/// What classes are called that speak with a service.
const CLIENTS: &[&[u8]] = &[b"client", b"api", b"session", b"sdk", b"connection", b"auth"];
/// From this length on a random value that is called a secret is believed without knowing whose it is.
const TELLING_SECRET: usize = 20;

impl Judge {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut known: Vec<u64> = rules.rules.iter().flat_map(|rule| rule.known.iter().copied()).collect();
        known.sort_unstable();
        let headers: HashSet<Vec<u8>> = rules
            .providers
            .iter()
            .flat_map(|provider| provider.headers.iter().map(|(header, _)| header.as_bytes().to_vec()))
            .collect();
        Self {
            common: rules.rules.iter().map(has_common_shape).collect(),
            alike: alike(rules),
            names: PhraseIndex::new(rules),
            known,
            longest_header: headers.iter().map(Vec::len).max().unwrap_or(0),
            headers,
        }
    }

    /// The parts among `candidates`, sorted by place.
    pub(crate) fn judge(
        &self,
        rules: &RuleSet,
        document: &Document<'_>,
        candidates: &[Candidate],
    ) -> Vec<Part> {
        let blocks = veto::armoured_blocks(document.text);
        let lock_file = veto::is_lock_file(document.path.file_name());
        let mut bench = Bench {
            judge: self,
            rules,
            document,
            lock_file,
            called: RefCell::default(),
            partners: Vec::new(),
        };
        let mut parts: Vec<Part> = candidates.iter().filter_map(|candidate| bench.whole(candidate)).collect();
        // Two lists can hold the same words, as the Chinese ones do.
        parts.dedup_by_key(|part| (part.span, part.rule));
        let mut groups: Vec<&[Candidate]> = candidates
            .chunk_by(|one, other| one.span == other.span)
            .filter(|group| matches!(group[0].clue, Clue::Token(_) | Clue::Anchored(..) | Clue::Random(_)))
            .filter(|group| !blocks.iter().any(|block| block.contains(group[0].span)))
            .collect();
        // Longer tokens first: what is inside a believed one is a piece of it.
        groups.sort_by_key(|group| (std::cmp::Reverse(group[0].span.len()), group[0].span.start));
        let free = |parts: &[Part], span: Span| !parts.iter().any(|part| part.span.overlaps(span));
        for group in &groups {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, false));
            }
        }
        // What was believed speaks for the values beside it.
        bench.partners =
            parts.iter().map(|part| (rules.rules[usize::from(part.rule)].provider, part.span)).collect();
        for group in groups.iter().filter(|group| bench.has_partner_near(group[0].span)) {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, false));
            }
        }
        // What is called a password is one, should a reading as somebody's token not hold.
        for part in parts.iter_mut().filter(|part| !part.firm) {
            let first = candidates.partition_point(|candidate| candidate.span.start < part.span.start);
            let same = candidates[first..].iter().take_while(|other| other.span.start == part.span.start);
            let mut same = same.filter(|candidate| candidate.span == part.span);
            let named = same.find_map(|candidate| match &candidate.clue {
                Clue::Chosen(chosen) => bench.chosen(chosen),
                _ => None,
            });
            part.fallback = named.map(Box::new).or(part.fallback.take());
        }
        // A token that identifies itself says more than the URL it is the password of.
        for candidate in candidates {
            if let Clue::Connection(url) = &candidate.clue
                && free(&parts, candidate.span)
            {
                parts.extend(bench.connection(url));
            }
        }
        for candidate in candidates {
            if let Clue::Chosen(chosen) = &candidate.clue
                && free(&parts, candidate.span)
                && !blocks.iter().any(|block| block.contains(candidate.span))
            {
                parts.extend(bench.chosen(chosen));
            }
        }
        for group in &groups {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, true));
            }
        }
        parts.sort_by_key(|part| (part.span.start, part.span.end));
        parts
    }

    /// A candidate that could become a part under some path. Asks nothing that needs the whole text searched.
    pub(crate) fn could_hold(
        &self,
        rules: &RuleSet,
        document: &Document<'_>,
        candidates: &[Candidate],
    ) -> Option<Span> {
        let bench = Bench {
            judge: self,
            rules,
            document,
            lock_file: false,
            called: RefCell::default(),
            partners: Vec::new(),
        };
        candidates.chunk_by(|one, other| one.span == other.span).find_map(|group| {
            let whole = |candidate: &Candidate| match &candidate.clue {
                Clue::Key(_) | Clue::Phrase(_) | Clue::Numbers => true,
                Clue::Connection(url) => bench.rule_of_connection(url).is_some(),
                Clue::Chosen(chosen) => bench.rule_of_chosen(chosen).is_some(),
                Clue::Token(_) | Clue::Anchored(..) | Clue::Random(_) | Clue::Encoded(_) | Clue::Spelled => {
                    false
                }
            };
            let could = group.iter().any(whole)
                || bench.admit(group, false).is_some()
                || bench.admit(group, true).is_some();
            could.then_some(group[0].span)
        })
    }

    pub(crate) fn is_known(&self, value: &[u8]) -> bool {
        let listed = |value: &[u8]| self.known.binary_search(&published_hash(value)).is_ok();
        listed(value) || listed(&canonical_hex(value))
    }
}

fn alike(rules: &RuleSet) -> Vec<Vec<u16>> {
    let mut alike = vec![Vec::new(); rules.rules.len()];
    for (index, rule) in (0_u16..).zip(rules.rules.iter()) {
        alike[usize::from(rule.like)].push(index);
    }
    alike
}

fn has_common_shape(rule: &Rule) -> bool {
    let Kind::Shape(shapes) = &rule.kind else { return false };
    let lacks = |shape: &Shape, byte: u8| shape.core_set() & (1 << byte) == 0;
    let prefixed = shapes.iter().all(|shape| shape.prefix >= 2);
    let short = shapes.iter().any(|shape| shape.longest() < SHORT_TOKEN);
    let hexadecimal = shapes.iter().all(Shape::is_hexadecimal);
    // Hashes are written in lower case: 32 capital digits are rare.
    let capital = shapes.iter().all(|shape| lacks(shape, b'a') && lacks(shape, b'-'));
    !prefixed && ((hexadecimal && !capital) || short)
}

/// One document under judgement.
struct Bench<'a> {
    judge: &'a Judge,
    rules: &'a RuleSet,
    document: &'a Document<'a>,
    lock_file: bool,
    /// The last name that was asked about.
    called: RefCell<Option<Called>>,
    /// Providers of parts that were believed already, and where those stand.
    partners: Vec<(u16, Span)>,
}

/// The rules that a name speaks for.
struct Called {
    /// Where the name and the call stand.
    name: (Option<Span>, Option<Span>),
    /// In ascending order.
    rules: Vec<u16>,
}

/// What stands around one value.
struct Surroundings {
    naming: Naming,
    scopes: Vec<Scope>,
    signs: std::collections::BTreeMap<u16, Sign>,
}

/// What a token is taken for.
enum Admitted {
    /// It identifies or proves itself, under one of these rules.
    Proved(Vec<u16>),
    /// Its name and surroundings decide between these rules.
    Named(Vec<u16>, Naming),
}

/// One reading of a token.
struct Reading {
    rule: u16,
    score: u32,
    misfit: u32,
    firm: bool,
}

impl Bench<'_> {
    fn rule(&self, index: u16) -> &Rule {
        &self.rules.rules[usize::from(index)]
    }

    fn has_partner_near(&self, span: Span) -> bool {
        self.partners.iter().any(|&(_, partner)| beside(self.document, span, partner).is_some())
    }

    fn surroundings(&self, span: Span) -> Surroundings {
        self.around(span, name_of(self.document, span))
    }

    fn around(&self, span: Span, mut naming: Naming) -> Surroundings {
        let scopes = scopes(self.document, span);
        naming.callee = naming.callee.or_else(|| callee(self.document, span));
        let mut signs = signs(self.document, span, &naming, &scopes);
        for &(provider, partner) in &self.partners {
            if let Some(score) = beside(self.document, span, partner) {
                let sign = Sign { score, told: "beside another part of it".to_owned() };
                let entry = signs.entry(provider).or_insert_with(|| sign.clone());
                if score < entry.score {
                    *entry = sign;
                }
            }
        }
        Surroundings { naming, scopes, signs }
    }

    /// Keys and phrases: what is recognised as a whole.
    fn whole(&self, candidate: &Candidate) -> Option<Part> {
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
    fn key_of_provider(&self, span: Span, kind: PemKind, around: &Surroundings) -> Option<Part> {
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

    fn connection(&self, url: &Connection) -> Option<Part> {
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
    fn rule_of_connection(&self, url: &Connection) -> Option<u16> {
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
    fn chosen(&self, chosen: &Chosen) -> Option<Part> {
        let rule = self.rule_of_chosen(chosen)?;
        let around = self.surroundings(chosen.value);
        let part = self.part(rule, chosen.value, Confidence::Likely, true, IN_NAME, &around);
        let name = String::from_utf8_lossy(chosen.name.of(self.document.text)).into_owned();
        Some(Part { name: Some(name), ..part })
    }

    /// The rule that the name speaks for, unless it or the value says that it is none.
    fn rule_of_chosen(&self, chosen: &Chosen) -> Option<u16> {
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

    /// A token that one or several rules admit.
    fn token(&self, group: &[Candidate], generic: bool) -> Option<Part> {
        let span = group[0].span;
        let (rules, mut naming) = match self.admit(group, generic)? {
            Admitted::Proved(rules) => {
                return self.claimed(group, &rules).or_else(|| self.proved(&rules, span));
            }
            Admitted::Named(rules, naming) => (rules, naming),
        };
        if matches!(naming.standing, Standing::Positional(_)) {
            naming.callee = naming.callee.or_else(|| callee(self.document, span));
        }
        let could_be =
            |&rule: &u16| self.can_speak(rule) && (generic || self.could_be_read(rule, &naming, span));
        let rules: Vec<u16> = rules.into_iter().filter(could_be).collect();
        if rules.is_empty() {
            return None;
        }
        let around = self.around(span, naming);
        let part =
            if generic { self.generic(rules[0], span, &around) } else { self.read(&rules, span, &around) };
        part.map(|part| {
            let random = if part.firm { None } else { random_rule(group) };
            let fallback = random.and_then(|rule| self.generic(rule, span, &around)).map(Box::new);
            Part { fallback, ..part }
        })
    }

    /// What a token could be by itself and by what stands near it, before anybody is asked who is named where.
    fn admit(&self, group: &[Candidate], generic: bool) -> Option<Admitted> {
        let span = group[0].span;
        let value = span.of(self.document.text);
        let mut rules: Vec<u16> = Vec::new();
        for candidate in group {
            match candidate.clue {
                Clue::Token(rule) if !generic => {
                    rules.extend_from_slice(&self.judge.alike[usize::from(rule)])
                }
                Clue::Anchored(rule, _) if !generic => rules.push(rule),
                Clue::Random(rule) if generic => rules.push(rule),
                _ => {}
            }
        }
        if rules.is_empty() {
            return None;
        }
        rules.sort_unstable();
        let proved: Vec<u16> =
            rules.iter().copied().filter(|&rule| self.rule(rule).need == Need::Nothing).collect();
        if !proved.is_empty() {
            let has_sum = proved.iter().any(|&rule| has_sum(self.rule(rule)));
            return (!is_blank(value, has_sum)).then_some(Admitted::Proved(proved));
        }
        // A lock file is full of checksums; what a provider's own name stands before is none.
        if self.lock_file && !rules.iter().any(|&rule| self.document.names(self.rule(rule).provider)) {
            return None;
        }
        let naming = name_of(self.document, span);
        if self.lock_file && !rules.iter().any(|&rule| self.is_called_by_provider(rule, &naming)) {
            return None;
        }
        if self.says_nothing(&rules, &naming) {
            return None;
        }
        let vetoed = naming.name.vetoes() && !self.is_header(&naming);
        let rules: Vec<u16> = rules
            .into_iter()
            .filter(|&rule| !vetoed || naming.name.is_public_part(&self.rule(rule).names))
            .filter(|&rule| !self.is_invented(rule, &naming))
            .collect();
        if rules.is_empty() {
            return None;
        }
        let is_whole_jwt =
            rules.iter().all(|&rule| self.rule(rule).checks.iter().any(|check| check == "jwt"));
        if (!is_whole_jwt && veto::is_vetoed(self.document, span)) || is_placeholder(value) {
            return None;
        }
        Some(Admitted::Named(rules, naming))
    }

    /// Whether the name says that the value was made up, where nothing but the name speaks for it. Of what empties a wallet
    /// not even that is believed.
    fn is_invented(&self, rule: u16, naming: &Naming) -> bool {
        let rule = self.rule(rule);
        rule.need == Need::Name && rule.severity <= Severity::Medium && naming.name.says_invented()
    }

    /// Whether the rule can be believed at all here: its provider is named somewhere, or its shape is rare.
    fn can_speak(&self, rule: u16) -> bool {
        let common = self.judge.common[usize::from(rule)];
        let rule = self.rule(rule);
        // The provider's words are searched in the whole text, so they are asked for last.
        rule.need == Need::Name
            || matches!(rule.kind, Kind::Random(..))
            || !common
            || self.partners.iter().any(|&(provider, _)| provider == rule.provider)
            || self.document.names(rule.provider)
    }

    /// Whether the value's name, or the call it is handed to, is one of the rule's own names.
    fn names_match(&self, index: u16, naming: &Naming) -> bool {
        let rule = self.rule(index);
        self.is_called(index, naming)
            || (!naming.name.is_empty()
                && naming.name.role() == Some(rule.role)
                && !matches!(rule.need, Need::Name | Need::Both)
                && !matches!(rule.kind, Kind::Random(..)))
    }

    /// Whether the name has one of the rule's phrases. Many rules ask for one value after the other, so all rules that its
    /// name speaks for are found at once and kept.
    fn is_called(&self, rule: u16, naming: &Naming) -> bool {
        let positional = matches!(naming.standing, Standing::Positional(_));
        let name = (naming.span, naming.callee.filter(|_| positional));
        let mut called = self.called.borrow_mut();
        if called.as_ref().is_none_or(|called| called.name != name) {
            let mut rules = self.judge.names.owners(&naming.name);
            if let (_, Some(callee)) = name {
                rules.extend(self.judge.names.owners(&Name::new(callee.of(self.document.text))));
                rules.sort_unstable();
            }
            *called = Some(Called { name, rules });
        }
        called.as_ref().is_some_and(|called| called.rules.binary_search(&rule).is_ok())
    }

    /// Whether there is any place of the provider's words at which the rule would be believed: what is around the value is
    /// looked at only then.
    fn could_be_read(&self, index: u16, naming: &Naming, span: Span) -> bool {
        let rule = self.rule(index);
        let common = self.judge.common[usize::from(index)];
        let named = self.names_match(index, naming);
        if matches!(rule.need, Need::Name | Need::Both) {
            return named;
        }
        let misfit = self.misfit(rule, named, naming, span);
        let fits = match naming.standing {
            Standing::Named if !common && misfit <= 2 => return true,
            Standing::Named => !common || misfit < UNNAMED,
            Standing::Positional(_) | Standing::Bare => true,
            Standing::Loose => !common && (misfit <= 10 || naming.name.role().is_some()),
        };
        fits && (self.partners.iter().any(|&(provider, _)| provider == rule.provider)
            || self.document.names(rule.provider))
    }

    /// Whether the value's name holds a word of the provider and says what it is, as `BINANCE_API_SECRET` does.
    fn is_called_by_provider(&self, rule: u16, naming: &Naming) -> bool {
        let provider = &self.rules.providers[usize::from(self.rule(rule).provider)];
        naming.standing == Standing::Named
            && naming.name.role().is_some()
            && provider.words.iter().any(|word| naming.name.has(word))
    }

    /// Whether a value of a common shape has a name that means no credential. Asked early: such values are many.
    fn says_nothing(&self, rules: &[u16], naming: &Naming) -> bool {
        let unnamed = naming.standing == Standing::Named
            && naming.name.role().is_none()
            && !self.is_header(naming)
            && !rules.iter().any(|&rule| self.names_match(rule, naming));
        let plain = rules.iter().all(|&rule| {
            self.judge.common[usize::from(rule)] || matches!(self.rule(rule).kind, Kind::Random(..))
        });
        (unnamed || naming.standing == Standing::Loose) && plain
    }

    /// A token that identifies or proves itself; where two rules share it, its name decides.
    fn proved(&self, rules: &[u16], span: Span) -> Option<Part> {
        let around = self.surroundings(span);
        let misfit = |rule: u16| {
            self.misfit(self.rule(rule), self.names_match(rule, &around.naming), &around.naming, span)
        };
        let rule = rules
            .iter()
            .copied()
            .min_by_key(|&rule| (score_of(&around, self.rule(rule)), misfit(rule), rule))?;
        // A bare key that nobody is named for may still be one of a provider's.
        let unclaimed = score_of(&around, self.rule(rule)) == NOWHERE
            && self.rule(rule).checks.iter().any(|check| check == "der-private-key");
        let kind = unclaimed.then(|| pem::bare_kind(span.of(self.document.text))).flatten();
        if let Some(part) = kind.and_then(|kind| self.key_of_provider(span, kind, &around)) {
            return Some(part);
        }
        Some(self.part(rule, span, Confidence::Certain, true, IN_NAME, &around))
    }

    /// A token whose prefix several providers use: one that is named near by knows it better than one that is not.
    fn claimed(&self, group: &[Candidate], proved: &[u16]) -> Option<Part> {
        let admitted = group.iter().filter_map(|candidate| match candidate.clue {
            Clue::Token(rule) => Some(&self.judge.alike[usize::from(rule)]),
            _ => None,
        });
        let mut others: Vec<u16> =
            admitted.flatten().copied().filter(|rule| !proved.contains(rule)).collect();
        others.sort_unstable();
        if others.is_empty() {
            return None;
        }
        let around = self.surroundings(group[0].span);
        if proved.iter().any(|&rule| score_of(&around, self.rule(rule)) < NEARBY) {
            return None;
        }
        self.read(&others, group[0].span, &around).filter(|part| part.firm && part.score < NEARBY)
    }

    fn is_header(&self, naming: &Naming) -> bool {
        naming.span.is_some_and(|span| {
            let name = span.of(self.document.text);
            name.len() <= self.judge.longest_header && self.judge.headers.contains(&name.to_ascii_lowercase())
        })
    }

    /// The best reading of a token that needs context.
    fn read(&self, rules: &[u16], span: Span, around: &Surroundings) -> Option<Part> {
        let value = span.of(self.document.text);
        let z = randomness::score(value);
        let mut readings: Vec<Reading> =
            rules.iter().filter_map(|&rule| self.reading(rule, around, span)).collect();
        readings.sort_by_key(|reading| (reading.score + reading.misfit, !reading.firm, reading.rule));
        let best = readings.first()?;
        if self.belongs_elsewhere(best, &readings, around) {
            return None;
        }
        let confidence = if best.score < IN_FILE { Confidence::Likely } else { Confidence::Possible };
        let mut part = self.part(best.rule, span, confidence, best.firm, best.score, around);
        part.rivals =
            readings[1..].iter().map(|reading| (reading.rule, reading.score + reading.misfit)).collect();
        part.randomness = Some(z);
        Some(part)
    }

    /// Whether the structure names a provider whose values look different.
    fn belongs_elsewhere(&self, best: &Reading, readings: &[Reading], around: &Surroundings) -> bool {
        let readable =
            |provider: u16| readings.iter().any(|reading| self.rule(reading.rule).provider == provider);
        best.score >= STRUCTURE
            && !matches!(self.rule(best.rule).need, Need::Name | Need::Both)
            && around.signs.iter().any(|(&provider, sign)| {
                sign.score < STRUCTURE && sign.score < best.score && !readable(provider)
            })
    }

    fn reading(&self, index: u16, around: &Surroundings, span: Span) -> Option<Reading> {
        let rule = self.rule(index);
        let common = self.judge.common[usize::from(index)];
        let named = self.names_match(index, &around.naming);
        if rule.need == Need::Name {
            return named.then_some(Reading {
                rule: index,
                score: score_of(around, rule).min(BY_NAME),
                misfit: 0,
                firm: true,
            });
        }
        let score = score_of(around, rule);
        if rule.need == Need::Both {
            let reading = Reading { rule: index, score, misfit: 0, firm: true };
            return (named && score < IN_FILE).then_some(reading);
        }
        // A password is no account.
        if rule.role == Role::Identifier && !named && around.naming.name.role() == Some(Role::Passphrase) {
            return None;
        }
        let misfit = self.misfit(rule, named, &around.naming, span);
        // A value that passes a check stands alone in a file that is named for its provider: a file of keys.
        let filed = !rule.checks.is_empty()
            && score <= IN_FILE_NAME
            && matches!(around.naming.standing, Standing::Positional(_) | Standing::Bare);
        let firm = rule.need != Need::Partner
            && (filed
                || firmness(around.naming.standing, common, score, misfit)
                || (rule.role == Role::Token && self.is_constructed(&around.naming, score)));
        let possible = match around.naming.standing {
            Standing::Named => {
                (score < NOWHERE && (misfit < UNNAMED || !common))
                    || (misfit <= 2 && !common && !self.is_hexadecimal(index))
            }
            Standing::Positional(_) => score < if common { IN_FILE } else { NOWHERE },
            Standing::Bare => score < IN_FILE,
            Standing::Loose => !common && score < NEARBY && around.naming.name.role().is_some(),
        };
        (firm || possible).then_some(Reading { rule: index, score, misfit, firm })
    }

    /// Whether its values are hexadecimal digits alone, which anything has: without a word of the provider they say nothing.
    fn is_hexadecimal(&self, rule: u16) -> bool {
        matches!(&self.rule(rule).kind, Kind::Shape(shapes) if shapes.iter().all(Shape::is_hexadecimal))
    }

    /// Whether the value is the first argument of a constructor that is called for the provider, `DuneClient("…")`,
    /// `new MoonPay('…')`, or of a client that comes from its package.
    fn is_constructed(&self, naming: &Naming, score: u32) -> bool {
        let class = |span: Span| {
            let name = span.of(self.document.text);
            name.rsplit(|&byte| byte == b'.' || byte == b':').next().unwrap_or_default()
        };
        let is_client = |class: &[u8]| {
            let lower = class.to_ascii_lowercase();
            CLIENTS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
        };
        let fits = |class: &[u8]| {
            class.first().is_some_and(u8::is_ascii_uppercase)
                && (score <= IN_CALL || (score <= IN_IMPORT && is_client(class)))
        };
        naming.standing == Standing::Positional(0) && naming.callee.map(class).is_some_and(fits)
    }

    /// How badly the value's name or position fits the part, 0 for well.
    fn misfit(&self, rule: &Rule, named: bool, naming: &Naming, span: Span) -> u32 {
        if let Some(part) = self.header_part(rule, naming) {
            return if part { 0 } else { 8 };
        }
        let role = naming.name.role().or_else(|| self.expected_role(naming, span));
        match role {
            Some(role) if role == rule.role => 0,
            Some(Role::Secret) if rule.role == Role::Identifier => 10,
            _ if named => 1,
            Some(Role::Token) => 2,
            Some(Role::Identifier) if rule.role == Role::Token => 2,
            Some(Role::Identifier) => 6,
            Some(_) => 8,
            None => UNNAMED,
        }
    }

    /// Whether the name is a header of the rule's provider, and if so whether it carries this part.
    fn header_part(&self, rule: &Rule, naming: &Naming) -> Option<bool> {
        let name = naming.span?.of(self.document.text).to_ascii_lowercase();
        let provider = &self.rules.providers[usize::from(rule.provider)];
        provider
            .headers
            .iter()
            .find(|(header, _)| header.as_bytes() == name)
            .map(|(_, part)| *part == rule.part)
    }

    /// The role that a position implies: key first, then secret, then passphrase.
    fn expected_role(&self, naming: &Naming, span: Span) -> Option<Role> {
        match naming.standing {
            Standing::Positional(0) => Some(Role::Identifier),
            Standing::Positional(1) => Some(Role::Secret),
            Standing::Positional(2) => Some(Role::Passphrase),
            Standing::Bare => {
                let number = self.document.line_of(span.start);
                let after_token = number > 0
                    && self.document.line(number - 1).of(self.document.text).trim_ascii().len() >= 16;
                Some(if after_token { Role::Secret } else { Role::Identifier })
            }
            _ => None,
        }
    }

    fn generic(&self, index: u16, span: Span, around: &Surroundings) -> Option<Part> {
        let value = span.of(self.document.text);
        let hex = value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
        let plausible = !hex || [16, 20, 24, 32, 36, 40, 48, 56, 64, 96, 128].contains(&value.len());
        let named = matches!(around.naming.standing, Standing::Named | Standing::Positional(_))
            && self.names_match(index, &around.naming);
        if !named || !plausible {
            return None;
        }
        // Half of what is called a token or a key is none; what is called a secret and looks random is one.
        let text = self.document.text;
        // `checksum/secret` is no secret.
        let below = around.naming.span.is_some_and(|name| name.start > 0 && text[name.start - 1] == b'/');
        let telling =
            !below && around.naming.name.says_secret() && value.len() >= TELLING_SECRET && !is_slug(value);
        let confidence = if telling { Confidence::Likely } else { Confidence::Possible };
        let mut part = self.part(index, span, confidence, true, NOWHERE, around);
        part.randomness = Some(randomness::score(value));
        Some(part)
    }

    fn part(
        &self,
        rule: u16,
        span: Span,
        confidence: Confidence,
        firm: bool,
        score: u32,
        around: &Surroundings,
    ) -> Part {
        let provider = self.rule(rule).provider;
        let name = around
            .naming
            .span
            .or(around.naming.callee)
            .map(|name| String::from_utf8_lossy(name.of(self.document.text)).trim().to_owned());
        Part {
            rule,
            span,
            confidence,
            firm,
            score,
            told: around.signs.get(&provider).map(|sign| sign.told.clone()).into_iter().collect(),
            name: name.filter(|name| !name.is_empty()),
            stem: around.naming.name.stem(),
            scope: around.scopes.first().map_or(0, |scope| scope.body.start),
            rivals: Vec::new(),
            randomness: None,
            known: false,
            connection: None,
            fallback: None,
        }
    }
}

/// `my-app-secret-2`: words with dashes between them, as the names of secrets are. Random text has letters of both cases.
fn is_slug(value: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    value.contains(&b'-')
        && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit))
}

fn random_rule(group: &[Candidate]) -> Option<u16> {
    group.iter().find_map(|candidate| match candidate.clue {
        Clue::Random(rule) => Some(rule),
        _ => None,
    })
}

/// Whether what fits the rule has a sum of its own.
fn has_sum(rule: &Rule) -> bool {
    rule.checks.iter().any(|check| Check::parse(check).is_some_and(Check::is_sum))
}

fn score_of(around: &Surroundings, rule: &Rule) -> u32 {
    around.signs.get(&rule.provider).map_or(NOWHERE, |sign| sign.score)
}

/// Whether a reading is believed without a partner.
fn firmness(standing: Standing, common: bool, score: u32, misfit: u32) -> bool {
    match (standing, common) {
        (Standing::Named, false) if misfit <= 2 => score < NOWHERE,
        (Standing::Named, true) if misfit <= 2 => score < NEARBY,
        (Standing::Named, false) if misfit <= 10 => score < IN_FILE,
        (Standing::Named, true) if misfit <= 10 => score < STRUCTURE,
        (Standing::Named, false) => score < SAME_LINE,
        (Standing::Positional(_), false) => score < STRUCTURE,
        (Standing::Bare, false) => (NEARBY..IN_FILE).contains(&score) || score < STRUCTURE,
        (Standing::Loose, false) => score < NEARBY && misfit <= 10,
        _ => false,
    }
}

/// The numbers of an array with single commas between them, as packs list published ones.
fn numbers_alone(list: &[u8]) -> Vec<u8> {
    list.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Hexadecimal keys are published in many spellings; packs list 64 lower-case digits.
fn canonical_hex(value: &[u8]) -> Vec<u8> {
    let lower = value.to_ascii_lowercase();
    lower.strip_prefix(b"0x").map_or(lower.clone(), <[u8]>::to_vec)
}
