//! Which of the rules that admit a token it is, by its name and what stands around it.
//!
//! Must not know: how candidates are found, other parts than partners.
//! Invariant: of the readings of one token the nearest and best fitting one is believed, and the others are its rivals.

use crate::model::{Confidence, Role, Span};
use crate::rules::{Kind, Need, Rule, Shape};

use super::super::candidates::{Candidate, Clue};
use super::super::evidence::{
    IN_CALL, IN_FILE, IN_FILE_NAME, IN_IMPORT, IN_NAME, NEARBY, NOWHERE, SAME_LINE, STRUCTURE,
};
use super::super::naming::{Naming, Standing, callee};
use super::super::{pem, randomness};
use super::admission::Admitted;
use super::{Bench, Part, Surroundings, score_of};

/// How strongly a name alone speaks where no provider needs to be named.
const BY_NAME: u32 = 45;
/// How badly a value fits whose name says nothing.
const UNNAMED: u32 = 12;
/// What classes are called that speak with a service.
const CLIENTS: &[&[u8]] = &[b"client", b"api", b"session", b"sdk", b"connection", b"auth"];
/// From this length on a random value that is called a secret is believed without knowing whose it is.
const TELLING_SECRET: usize = 20;

/// One reading of a token.
struct Reading {
    rule: u16,
    score: u32,
    misfit: u32,
    firm: bool,
}

impl Bench<'_> {
    /// A token that one or several rules admit.
    pub(super) fn token(&self, group: &[Candidate], generic: bool) -> Option<Part> {
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
            && around.signs.iter().any(|(provider, sign)| {
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
