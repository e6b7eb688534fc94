//! Step five: parts that belong together become one credential.
//!
//! Must not know: how parts are found, how they are shown.
//! Invariant: every part ends in at most one credential; an identifier alone, and a part that needs a partner and has
//! none, in no credential at all.

use crate::model::{Confidence, CredentialState, Role, Severity, Span};
use crate::rules::{Classes, Kind, Need, Rule, RuleSet, SetRule};

use super::checks::pairs;
use super::document::Document;
use super::evidence::{IN_FILE, STRUCTURE};
use super::judgement::Part;
use super::naming::{Standing, name_of};
use super::neighbours::{self, FARTHEST_LINES, Places, Taken};
use super::placeholder::is_no_password;
use super::structure::scopes;

/// Parts of one provider that belong together.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) provider: u16,
    pub(crate) parts: Vec<Part>,
    pub(crate) state: CredentialState,
    pub(crate) severity: Severity,
    /// Other providers that all its parts fit as well.
    pub(crate) alternatives: Vec<u16>,
}

/// What another scope, or another stem, costs: like so many lines.
const OTHER_SCOPE: usize = 8;
const OTHER_STEM: usize = 8;
/// How many lines around a set chosen values are searched.
const CHOSEN_LINES: usize = 12;
/// Providers whose evidence differs by no more than this are told together.
const EQUAL_EVIDENCE: u32 = 4;

/// Puts `parts` (sorted by place) together.
pub(crate) fn assemble(rules: &RuleSet, document: &Document<'_>, parts: Vec<Part>) -> Vec<Set> {
    let table = Table { rules, document };
    let parts = table.settle(parts);
    let (named, parts): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| matches!(table.rule(part).kind, Kind::Password(..)));
    let (seconds, firsts): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| table.rule(part).role == Role::Identifier);
    let mut shelf = Shelf::default();
    for part in firsts {
        table.place(&mut shelf, part);
    }
    let unwanted = table.join_identifiers(&mut shelf, seconds);
    let (sets, alone): (Vec<Set>, Vec<Set>) =
        shelf.sets.into_iter().partition(|set| set.parts.iter().any(|part| part.firm) || set.parts.len() > 1);
    let fallbacks =
        alone.into_iter().flat_map(|set| set.parts).chain(unwanted).filter_map(|part| part.fallback);
    let mut shelf = Shelf::of(sets);
    fallbacks.for_each(|part| table.place(&mut shelf, *part));
    shelf.sets.iter_mut().for_each(|set| table.add_chosen(set));
    // A passphrase that belongs to a set is not told again for its name.
    let mut told = Taken::default();
    shelf.sets.iter().flat_map(|set| &set.parts).for_each(|part| told.take(part.span));
    for part in named {
        if !told.overlaps(part.span) {
            told.take(part.span);
            table.place(&mut shelf, part);
        }
    }
    let mut sets = shelf.sets;
    sets.iter_mut().for_each(|set| table.grade(set));
    sets.sort_by_key(|set| set.parts.iter().map(|part| part.span.start).min());
    sets
}

/// Sets under way, and where their parts stand.
#[derive(Default)]
struct Shelf {
    sets: Vec<Set>,
    places: Places,
}

impl Shelf {
    fn of(sets: Vec<Set>) -> Self {
        let mut places = Places::default();
        for (index, set) in sets.iter().enumerate() {
            set.parts.iter().for_each(|part| places.put(part.span.start, index));
        }
        Self { sets, places }
    }

    fn add(&mut self, index: usize, part: Part) {
        self.places.put(part.span.start, index);
        self.sets[index].parts.push(part);
    }

    fn begin(&mut self, provider: u16, part: Part) {
        self.sets.push(Set {
            provider,
            parts: Vec::new(),
            state: CredentialState::Half,
            severity: Severity::Low,
            alternatives: Vec::new(),
        });
        self.add(self.sets.len() - 1, part);
    }
}

struct Table<'a> {
    rules: &'a RuleSet,
    document: &'a Document<'a>,
}

impl Table<'_> {
    fn rule(&self, part: &Part) -> &Rule {
        &self.rules.rules[usize::from(part.rule)]
    }

    fn provider(&self, part: &Part) -> u16 {
        self.rule(part).provider
    }

    fn distance(&self, one: &Part, other: &Part) -> Option<usize> {
        let lines = self.document.line_of(one.span.start).abs_diff(self.document.line_of(other.span.start));
        let cost = lines
            + if one.scope == other.scope { 0 } else { OTHER_SCOPE }
            + if one.stem == other.stem { 0 } else { OTHER_STEM };
        (lines <= FARTHEST_LINES).then_some(cost)
    }

    /// Where several readings are about as good, a partner of the same provider decides.
    fn settle(&self, mut parts: Vec<Part>) -> Vec<Part> {
        for index in 0..parts.len() {
            let rivals: Vec<(u16, u32)> = parts[index].rivals.clone();
            if rivals.is_empty() || (parts[index].score < STRUCTURE && parts[index].firm) {
                continue;
            }
            let own = (parts[index].rule, parts[index].score);
            let best = std::iter::once(own)
                .chain(rivals)
                .min_by_key(|&(rule, score)| (!self.has_partner(&parts, index, rule), score));
            if let Some((rule, score)) =
                best.filter(|&(rule, _)| rule != parts[index].rule && self.has_partner(&parts, index, rule))
            {
                parts[index].rivals.push(own);
                parts[index].rivals.retain(|&(rival, _)| rival != rule);
                parts[index].rule = rule;
                parts[index].score = score;
            }
        }
        parts
    }

    /// Whether another part near by could belong to the provider of `rule` in another role.
    fn has_partner(&self, parts: &[Part], index: usize, rule: u16) -> bool {
        let rule = &self.rules.rules[usize::from(rule)];
        let fits = |other: u16| {
            let other = &self.rules.rules[usize::from(other)];
            other.provider == rule.provider && other.part != rule.part
        };
        let place = |number: usize| parts[number].span.start;
        neighbours::near(self.document, parts.len(), place, index).any(|number| {
            let other = &parts[number];
            number != index
                && self.distance(&parts[index], other).is_some()
                && std::iter::once(other.rule).chain(other.rivals.iter().map(|&(rival, _)| rival)).any(fits)
        })
    }

    /// Puts a part that is worth something alone into the nearest set that lacks it, or into one of its own.
    fn place(&self, shelf: &mut Shelf, part: Part) {
        let near = self.near(shelf, &part);
        match near.into_iter().min() {
            Some((_, index)) => shelf.add(index, part),
            None => shelf.begin(self.provider(&part), part),
        }
    }

    /// The sets near by that lack this part, with how far they are.
    fn near(&self, shelf: &Shelf, part: &Part) -> Vec<(usize, usize)> {
        let provider = self.provider(part);
        let mut near = shelf.places.near(self.document, part.span.start);
        near.retain(|&index| shelf.sets[index].provider == provider && self.lacks(&shelf.sets[index], part));
        let distance = |index: usize| {
            let parts = shelf.sets[index].parts.iter();
            Some((parts.filter_map(|other| self.distance(other, part)).min()?, index))
        };
        near.into_iter().filter_map(distance).collect()
    }

    /// Whether a set of the same provider lacks this part.
    fn lacks(&self, set: &Set, part: &Part) -> bool {
        self.together(set.provider, set.parts.iter().map(|other| self.rule(other)), self.rule(part))
    }

    /// Whether one of the provider's sets has all these parts, each once.
    fn together<'r>(&self, provider: u16, present: impl Iterator<Item = &'r Rule>, added: &Rule) -> bool {
        let present: Vec<&str> = present.map(|rule| rule.part.as_ref()).collect();
        if present.contains(&added.part.as_ref()) {
            return false;
        }
        self.rules.providers[usize::from(provider)].sets.iter().any(|set| {
            present
                .iter()
                .chain([&added.part.as_ref()])
                .all(|part| set.parts.iter().any(|needed| needed == part))
        })
    }

    /// Gives each identifier to the set that wants it and is nearest; the rest is nobody's and comes back.
    fn join_identifiers(&self, shelf: &mut Shelf, identifiers: Vec<Part>) -> Vec<Part> {
        let mut offers: Vec<(usize, usize, usize)> = Vec::new();
        for (number, part) in identifiers.iter().enumerate() {
            let near = self.near(shelf, part).into_iter();
            offers.extend(near.map(|(distance, index)| (distance, number, index)));
        }
        offers.sort_unstable();
        let mut given = vec![false; identifiers.len()];
        for (_, number, index) in offers {
            let part = &identifiers[number];
            if !given[number] && self.lacks(&shelf.sets[index], part) {
                given[number] = true;
                shelf.add(index, part.clone());
            }
        }
        identifiers.into_iter().zip(given).filter(|(_, given)| !given).map(|(part, _)| part).collect()
    }

    /// Adds the values that people chose: passphrases and the like, found by their names beside the set.
    fn add_chosen(&self, set: &mut Set) {
        let chosen: Vec<u16> = (0..self.rules.rules.len())
            .filter(|&index| {
                let rule = &self.rules.rules[index];
                rule.provider == set.provider && matches!(rule.kind, Kind::Chosen(..))
            })
            .filter_map(|index| u16::try_from(index).ok())
            .collect();
        for index in chosen {
            let rule = &self.rules.rules[usize::from(index)];
            if self.together(set.provider, set.parts.iter().map(|part| self.rule(part)), rule) {
                let found = self.find_chosen(set, index);
                set.parts.extend(found);
            }
        }
    }

    fn find_chosen(&self, set: &Set, index: u16) -> Option<Part> {
        let lines = set.parts.iter().map(|part| self.document.line_of(part.span.start));
        let (first, last) =
            lines.fold((usize::MAX, 0), |(first, last), line| (first.min(line), last.max(line)));
        let last = (last + CHOSEN_LINES).min(self.document.line_count() - 1);
        let mut found: Vec<(usize, Part)> = (first.saturating_sub(CHOSEN_LINES)..=last)
            .flat_map(|number| literals(self.document, number))
            .filter(|literal| !set.parts.iter().any(|part| part.span.overlaps(*literal)))
            .filter_map(|literal| {
                let part = self.chosen_part(set, index, literal)?;
                let distance = set.parts.iter().filter_map(|other| self.distance(other, &part)).min()?;
                Some((distance, part))
            })
            .collect();
        found.sort_by_key(|(distance, part)| (*distance, part.span.start));
        found.into_iter().next().map(|(_, part)| part)
    }

    fn chosen_part(&self, set: &Set, index: u16, literal: Span) -> Option<Part> {
        let rule = &self.rules.rules[usize::from(index)];
        let Kind::Chosen(shortest, longest) = rule.kind else { return None };
        let value = literal.of(self.document.text);
        if !(usize::from(shortest)..=usize::from(longest)).contains(&value.len())
            || !Classes::of(value).contains(rule.require)
            || is_no_password(value)
        {
            return None;
        }
        let around = scopes(self.document, literal);
        let naming = name_of(self.document, literal);
        let scope = around.first().map_or(0, |scope| scope.body.start);
        let role_fits = naming.name.role() == Some(rule.role) && rule.role == Role::Passphrase;
        let by_name = naming.standing == Standing::Named
            && (role_fits || rule.names.iter().any(|name| naming.name.has(name)));
        let by_position = self.follows_its_partners(set, rule, naming.standing, scope);
        let code = !naming.quoted && value.iter().any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<'));
        let vetoed = naming.name.vetoes() && !naming.name.is_public_part(&rule.names);
        ((by_name || by_position) && !code && !vetoed).then(|| Part {
            rule: index,
            span: literal,
            confidence: Confidence::Likely,
            firm: false,
            score: IN_FILE,
            told: vec!["beside its key and secret".to_owned()],
            name: naming
                .span
                .map(|span| String::from_utf8_lossy(span.of(self.document.text)).trim().to_owned()),
            stem: naming.name.stem(),
            scope,
            rivals: Vec::new(),
            randomness: None,
            known: false,
            connection: None,
            fallback: None,
        })
    }

    /// Whether a value stands where a call takes it: an identifier first, a passphrase third, its partners beside it.
    fn follows_its_partners(&self, set: &Set, rule: &Rule, standing: Standing, scope: usize) -> bool {
        let expected = match rule.role {
            Role::Identifier => 0,
            Role::Passphrase => 2,
            _ => return false,
        };
        let is_argument = |part: &Part| {
            part.scope == scope
                && matches!(name_of(self.document, part.span).standing, Standing::Positional(index) if index != expected)
        };
        standing == Standing::Positional(expected) && set.parts.iter().all(is_argument)
    }

    fn grade(&self, set: &mut Set) {
        let provider = &self.rules.providers[usize::from(set.provider)];
        let present: Vec<&str> = set.parts.iter().map(|part| self.rule(part).part.as_ref()).collect();
        let whole = provider
            .sets
            .iter()
            .filter(|wanted| wanted.parts.iter().all(|part| present.contains(&part.as_ref())))
            .map(|set| set.severity)
            .max();
        let alone = set.parts.iter().map(|part| self.rule(part).severity).max().unwrap_or(Severity::Low);
        let in_a_set = provider
            .sets
            .iter()
            .any(|wanted| wanted.parts.iter().any(|part| present.contains(&part.as_ref())));
        set.state =
            if whole.is_some() || !in_a_set { CredentialState::Complete } else { CredentialState::Half };
        set.severity = whole.unwrap_or(alone).max(if in_a_set { Severity::Low } else { alone });
        if set.parts.len() > 1 {
            set.parts.iter_mut().for_each(|part| part.confidence = part.confidence.max(Confidence::Likely));
        }
        if provider.sets.iter().any(|wanted| self.is_proved(set, wanted)) {
            set.parts.iter_mut().for_each(|part| part.confidence = Confidence::Certain);
        }
        set.alternatives = self.alternatives(set);
        set.parts.sort_by_key(|part| part.span.start);
    }

    /// Whether the proof that belongs to `wanted` holds between the parts of `set`.
    fn is_proved(&self, set: &Set, wanted: &SetRule) -> bool {
        let value = |name: &str| {
            let part = set.parts.iter().find(|part| self.rule(part).part == name)?;
            Some(part.span.of(self.document.text))
        };
        let (Some(proof), [public, secret, ..]) = (&wanted.proof, wanted.parts.as_ref()) else {
            return false;
        };
        matches!((value(public), value(secret)), (Some(public), Some(secret)) if pairs::holds(proof, public, secret))
    }

    /// Providers that every part fits about as well.
    fn alternatives(&self, set: &Set) -> Vec<u16> {
        let rival_providers = |part: &Part| -> Vec<u16> {
            let reach = if part.score >= IN_FILE { u32::MAX } else { part.score + EQUAL_EVIDENCE };
            part.rivals
                .iter()
                .filter(|&&(_, score)| score <= reach)
                .map(|&(rule, _)| self.rules.rules[usize::from(rule)].provider)
                .collect()
        };
        let strong = |part: &&Part| {
            self.rule(part).need != Need::Nothing && !matches!(self.rule(part).kind, Kind::Chosen(..))
        };
        let mut parts = set.parts.iter().filter(strong);
        let Some(first) = parts.next() else { return Vec::new() };
        let mut common = rival_providers(first);
        for part in parts {
            let others = rival_providers(part);
            common.retain(|provider| others.contains(provider));
        }
        common.retain(|&provider| provider != set.provider);
        common.sort_unstable();
        common.dedup();
        common
    }
}

/// The literals of a line: what stands in quotes, in an element, or after the first `=` or `: `.
fn literals(document: &Document<'_>, number: usize) -> Vec<Span> {
    let text = document.text;
    let line = document.line(number);
    if line.len() > 4096 {
        return Vec::new();
    }
    let quoted = quoted(text, line, true).into_iter().chain(quoted(text, line, false));
    let found: Vec<Span> = quoted
        .filter(|literal| !is_key(text, *literal))
        .flat_map(|literal| values_in(text, literal))
        .collect();
    if found.is_empty() {
        element(text, line).or_else(|| unquoted(text, line)).into_iter().collect()
    } else {
        found
    }
}

/// The values within a literal: those of a URL's query, what `NAME=` or `Header: ` names in it, or all of it.
fn values_in(text: &[u8], literal: Span) -> Vec<Span> {
    let bytes = literal.of(text);
    let is_name = |name: &[u8]| {
        !name.is_empty()
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if memchr::memmem::find(bytes, b"://").is_some()
        && let Some(query) = memchr::memchr(b'?', bytes)
    {
        let mut start = literal.start + query + 1;
        let mut values = Vec::new();
        for pair in bytes[query + 1..].split(|&byte| byte == b'&') {
            let end = start + pair.len();
            values.extend(memchr::memchr(b'=', pair).map(|at| Span::new(start + at + 1, end)));
            start = end + 1;
        }
        return values;
    }
    let named = |separator: &[u8]| {
        let at = memchr::memmem::find(bytes, separator).filter(|&at| is_name(&bytes[..at]))?;
        Some(Span::new(literal.start + at + separator.len(), literal.end))
    };
    vec![named(b"=").or_else(|| named(b": ")).unwrap_or(literal)]
}

/// The content of an element without others in it: `<password>…</password>`.
fn element(text: &[u8], line: Span) -> Option<Span> {
    let bytes = line.of(text);
    let close = memchr::memmem::find(bytes, b"</")?;
    let open = memchr::memrchr(b'>', &bytes[..close])? + 1;
    (open < close).then(|| Span::new(line.start + open, line.start + close))
}

/// Whether a quoted literal is the key of a member: `"memo": …`, `'memo' => …`.
fn is_key(text: &[u8], literal: Span) -> bool {
    let closing = |byte: &&u8| matches!(byte, b'\\' | b'"' | b'\'' | b'`' | b' ');
    let rest = &text[literal.end..];
    let rest = &rest[rest.iter().take_while(closing).count()..];
    rest.starts_with(b":") || rest.starts_with(b"=>")
}

/// What stands between quotes, or between quotes with a backslash (code inside a string, as in notebooks).
fn quoted(text: &[u8], line: Span, escaped: bool) -> Vec<Span> {
    let is_escaped = |at: usize| at > line.start && text[at - 1] == b'\\';
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    for at in (line.start..line.end)
        .filter(|&at| matches!(text[at], b'"' | b'\'' | b'`') && is_escaped(at) == escaped)
    {
        match open {
            Some(start) if text[start] == text[at] => {
                found.push(Span::new(start + 1, (at - usize::from(escaped)).max(start + 1)));
                open = None;
            }
            Some(_) => {}
            None => open = Some(at),
        }
    }
    found
}

fn unquoted(text: &[u8], line: Span) -> Option<Span> {
    let bytes = line.of(text);
    let separator =
        bytes.iter().position(|&byte| byte == b'=').or_else(|| memchr::memmem::find(bytes, b": "))?;
    let rest = &bytes[separator + 1..];
    let start = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'='))?;
    let length = rest[start..].iter().take_while(|byte| !matches!(byte, b' ' | b'\t' | b';' | b',')).count();
    let start = line.start + separator + 1 + start;
    (length > 0).then(|| Span::new(start, start + length))
}
