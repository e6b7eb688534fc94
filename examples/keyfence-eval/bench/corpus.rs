//! The maker: takes every credential in turn, plants it where somebody would have written it, and labels it.
//!
//! Must not know: how anything is detected. Of a rule it uses what the value is and whether the value tells whose it is.
//! Invariant: what cannot be made or placed is told, never left out in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use keyfence::rules::{Need, RuleSet};
use sha2::{Digest, Sha256};

use super::Error;
use super::catalogue::{self, Credential, Slot};
use super::label::{Kind, Label};
use super::mint;
use super::noise::{self, Words};
use super::random::Random;
use super::template::{self, Filling, Template};

/// What is made.
#[derive(Debug, Default)]
pub struct Corpus {
    /// Paths with `/`, and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// A row for each value.
    pub labels: Vec<Label>,
    /// Ids of rules for which no value could be made, or which fit no template.
    pub left_out: BTreeSet<String>,
}

/// What the corpus is made from.
pub struct Maker {
    rules: RuleSet,
    groups: BTreeMap<String, String>,
    hosts: Vec<Template>,
    decoys: Vec<Template>,
    words: Words,
    names: BTreeMap<String, Vec<String>>,
    affixes: BTreeMap<String, (String, String)>,
    known: Vec<(String, String)>,
}

/// A credential with its values and what its parts are called.
struct Filled<'a> {
    credential: &'a Credential,
    values: Vec<String>,
    names: BTreeMap<Slot, String>,
    number: usize,
}

/// Splits published values in fixtures.
const SEAM: char = '¦';
/// How many credentials stand in a file that takes several.
const MOST_IN_ONE: usize = 4;
const SLOTS: [Slot; 5] = ["value", "key", "secret", "passphrase", "uid"];

impl Maker {
    /// Reads the data files of the repository at `root`.
    ///
    /// # Errors
    /// Files that cannot be read or are not in their format.
    pub fn open(root: &Path, rules: RuleSet) -> Result<Self, Error> {
        let data = root.join("examples/keyfence-eval");
        let read = |name: &str| std::fs::read_to_string(data.join(name));
        let affixes = rows(&read("affixes.tsv")?)
            .filter_map(|row| Some((row.first()?.clone(), (row.get(1)?.clone(), row.get(2).cloned()?))))
            .collect();
        let names = rows(&read("names.tsv")?)
            .filter_map(|row| Some((row.first()?.clone(), row[1..].to_vec())))
            .collect();
        Ok(Self {
            groups: catalogue::groups(&root.join("rules"))?,
            hosts: templates(&data.join("hosts"))?,
            decoys: templates(&data.join("decoys"))?,
            words: Words::parse(&read("words.txt")?),
            names,
            affixes,
            known: texts(&root.join("fixtures/known"))?,
            rules,
        })
    }

    /// Every credential `rounds` times, with at least as many decoys, and every published value once.
    pub fn make(&self, seed: u64, rounds: usize) -> Corpus {
        let root = Random::new(seed);
        let mut corpus = Corpus::default();
        self.plant_all(&mut corpus, &root, rounds);
        self.add_known(&mut corpus);
        let planted = corpus.labels.len();
        let mut random = root.fork("decoys");
        let mut number = 0;
        while corpus.labels.iter().filter(|label| label.kind == Kind::Decoy).count() < planted {
            let template = &self.decoys[number % self.decoys.len()];
            self.write(&mut corpus, template, &[], &format!("d{number}"), &mut random);
            number += 1;
        }
        corpus.files.sort();
        let place = |label: &Label| (label.path.clone(), label.line, label.rule.clone());
        corpus.labels.sort_by_key(place);
        corpus
    }

    fn plant_all(&self, corpus: &mut Corpus, root: &Random, rounds: usize) {
        let all = catalogue::credentials(&self.rules);
        let mut used = vec![0usize; self.hosts.len()];
        for round in 0..rounds {
            let mut random = root.fork(&format!("round {round}"));
            let mut queue: Vec<(usize, &Credential)> = all.iter().enumerate().collect();
            random.shuffle(&mut queue);
            while let Some((index, credential)) = queue.pop() {
                let mut fitting: Vec<usize> =
                    (0..self.hosts.len()).filter(|&host| self.fits(&self.hosts[host], credential)).collect();
                random.shuffle(&mut fitting);
                let Some(&host) = fitting.iter().min_by_key(|&&host| used[host]) else {
                    self.leave_out(corpus, credential);
                    continue;
                };
                used[host] += 1;
                let template = &self.hosts[host];
                let mut group = vec![(index, credential)];
                let wanted =
                    if template.text.contains("«each»") { random.between(2, MOST_IN_ONE) } else { 1 };
                while group.len() < wanted {
                    let next = queue.iter().position(|(_, other)| {
                        self.fits(template, other)
                            && group.iter().all(|(_, one)| one.provider != other.provider)
                    });
                    let Some(next) = next else { break };
                    group.push(queue.remove(next));
                }
                let filled: Vec<Filled<'_>> = group
                    .into_iter()
                    .filter_map(|(index, credential)| {
                        let number = round * all.len() + index;
                        let filled = self.invent(credential, number, &mut random);
                        if filled.is_none() {
                            self.leave_out(corpus, credential);
                        }
                        filled
                    })
                    .collect();
                if !filled.is_empty() {
                    self.write(corpus, template, &filled, &format!("p{round}-{index}"), &mut random);
                }
            }
        }
    }

    fn leave_out(&self, corpus: &mut Corpus, credential: &Credential) {
        let ids = credential.parts.iter().map(|&(_, rule)| self.rules.rules[rule].id.to_string());
        corpus.left_out.extend(ids);
    }

    /// Whether somebody would write this credential into this file.
    fn fits(&self, template: &Template, credential: &Credential) -> bool {
        let provider = self.rules.providers[credential.provider].id.as_ref();
        let group = self.groups.get(provider).map_or("general", String::as_str);
        let rules = || credential.parts.iter().map(|&(_, rule)| &self.rules.rules[rule]);
        let bound = |id: &str| self.hosts.iter().any(|host| host.only.iter().any(|only| only == id));
        if !template.only.is_empty() {
            return rules().any(|rule| template.only.iter().any(|id| *id == rule.id));
        }
        let has = |what: &str| template.takes.iter().any(|word| word == what);
        let shape_fits = if credential.parts.len() > 1 {
            has("pair") && (has("lines") || !rules().any(|rule| kind_of(rule) == "lines"))
        } else {
            // What takes pairs of several lines has no place for a single one.
            let has_place = template.text.contains("«value»") || template.text.contains("«value|");
            has_place && rules().all(|rule| has(kind_of(rule)))
        };
        let told = !template.bare || rules().all(|rule| rule.need == Need::Nothing);
        let group_fits = template.groups.is_empty() || template.groups.iter().any(|word| word == group);
        shape_fits && told && group_fits && !rules().any(|rule| bound(&rule.id))
    }

    fn invent<'a>(
        &self,
        credential: &'a Credential,
        number: usize,
        random: &mut Random,
    ) -> Option<Filled<'a>> {
        let provider = &self.rules.providers[credential.provider];
        let mut values: Vec<String> = credential
            .parts
            .iter()
            .map(|&(_, rule)| mint::value(&self.rules.rules[rule], random))
            .collect::<Option<_>>()?;
        let proven = credential.set.and_then(|set| mint::pair(&provider.sets[set], random));
        values.iter_mut().zip(proven.into_iter().flatten()).for_each(|(value, proven)| *value = proven);
        let mut names = BTreeMap::new();
        let own = self.names.get(provider.id.as_ref()).filter(|_| credential.parts.len() > 1);
        let usual = self.names.get("*").map(Vec::as_slice).unwrap_or_default();
        let vocabulary: Vec<&str> = match own {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => random.pick(usual).split('|').collect(),
        };
        for &(slot, rule) in &credential.parts {
            let place = SLOTS.iter().skip(1).position(|&known| known == slot);
            let name = match place {
                Some(place) => vocabulary.get(place).copied().unwrap_or(slot).trim().to_owned(),
                None => self.name_of(rule, random),
            };
            names.insert(slot, name);
        }
        Some(Filled { credential, values, names, number })
    }

    /// What a single value is called, in lower-case words.
    fn name_of(&self, rule: usize, random: &mut Random) -> String {
        let rule = &self.rules.rules[rule];
        let provider = &self.rules.providers[usize::from(rule.provider)];
        if let Some(names) = self.names.get(rule.id.as_ref()) {
            return random.pick(names).clone();
        }
        let part = rule.part.to_lowercase();
        let part = part.split([',', '(']).next().unwrap_or_default();
        let part =
            part.split(" or ").next().unwrap_or_default().split(" of ").next().unwrap_or_default().trim();
        format!("{} {part}", provider.id.replace('-', " "))
    }

    fn write(
        &self,
        corpus: &mut Corpus,
        template: &Template,
        filled: &[Filled<'_>],
        unique: &str,
        random: &mut Random,
    ) {
        let project = format!("{}-{unique}", self.words.pick("project", random).unwrap_or_default());
        // Decoys have tags behind those of the parts.
        let mut decoys: Vec<(String, String)> = Vec::new();
        let most_parts = SLOTS.len();
        let first_decoy = filled.len() * most_parts;
        let mut fill = |slot: &str, form: &str, turn: usize, random: &mut Random| -> Filling {
            let one = filled.get(turn.min(filled.len().saturating_sub(1)));
            if let Some(filling) = one.and_then(|one| self.filling(one, turn * most_parts, slot, form)) {
                return filling;
            }
            if let Some(text) = noise::decoy(slot, random) {
                decoys.push((slot.to_owned(), text.clone()));
                let tag = first_decoy + decoys.len() - 1;
                return Filling::Value { text, tag, wrapped: "plain" };
            }
            let plain = match slot {
                "project" => Some(project.clone()),
                _ => noise::harmless(slot, random).or_else(|| self.words.pick(slot, random)),
            };
            plain.map_or(Filling::Missing, Filling::Plain)
        };
        let path = template::fill(&template.path, 1, random, &mut fill).text.trim().to_owned();
        let made = template::fill(&template.text, filled.len(), random, &mut fill);
        // The last byte of a word may be the middle of a letter.
        let line_of =
            |at: usize| made.text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        for place in &made.planted {
            let mut label = Label {
                path: path.clone(),
                line: line_of(place.start),
                end_line: line_of(place.end.max(place.start + 1) - 1),
                kind: Kind::Decoy,
                provider: String::new(),
                rule: String::new(),
                part: String::new(),
                role: String::new(),
                group: String::new(),
                wrapped: place.wrapped.to_owned(),
                host: template.name.clone(),
                credential: 0,
                sha256: String::new(),
            };
            if place.tag >= first_decoy {
                let (kind, text) = &decoys[place.tag - first_decoy];
                label.rule = kind.clone();
                label.sha256 = hash(text);
            } else {
                let one = &filled[place.tag / most_parts];
                self.describe(&mut label, one, place.tag % most_parts);
                if template.encoding == "utf-16" && place.wrapped == "plain" {
                    label.wrapped.clone_from(&template.encoding);
                }
            }
            corpus.labels.push(label);
        }
        let bytes = if template.encoding == "utf-16" {
            [0xff, 0xfe].into_iter().chain(made.text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        } else {
            made.text.into_bytes()
        };
        corpus.files.push((path, bytes));
    }

    fn describe(&self, label: &mut Label, one: &Filled<'_>, part: usize) {
        let rule = &self.rules.rules[one.credential.parts[part].1];
        let provider = self.rules.providers[one.credential.provider].id.to_string();
        label.kind = if rule.test { Kind::Test } else { Kind::Secret };
        label.group = self.groups.get(&provider).cloned().unwrap_or_else(|| "general".to_owned());
        label.provider = provider;
        label.rule = rule.id.to_string();
        label.part = rule.part.to_string();
        label.role = rule.role.as_str().to_owned();
        label.credential = one.number;
        label.sha256 = hash(&one.values[part]);
    }

    /// What a slot of a credential gives; `None` for a slot that has nothing to do with it.
    fn filling(&self, one: &Filled<'_>, first_tag: usize, slot: &str, form: &str) -> Option<Filling> {
        let provider = &self.rules.providers[one.credential.provider];
        let spelled = self.names.get(&format!("@{}", provider.id)).and_then(|names| names.first());
        let words = spelled.map_or_else(|| provider.id.replace('-', " "), Clone::clone);
        match slot.to_lowercase().replace(['_', '-', ' '], "").as_str() {
            "title" => return Some(Filling::Plain(provider.title.to_string())),
            "ccxt" => return Some(Filling::Plain(words.replace(' ', ""))),
            "provider" => return Some(Filling::Plain(styled(&words, slot))),
            _ => {}
        }
        let bare = slot.to_lowercase().replace(['_', '-', ' '], "");
        if let Some(named) = SLOTS.iter().find(|known| bare.strip_suffix("name") == Some(known)) {
            return Some(match one.names.get(named) {
                Some(name) => Filling::Plain(styled(name, slot)),
                None => Filling::Missing,
            });
        }
        let known = SLOTS.iter().find(|known| **known == slot)?;
        let Some(part) = one.credential.parts.iter().position(|(slot, _)| slot == known) else {
            return Some(Filling::Missing);
        };
        let id = self.rules.rules[one.credential.parts[part].1].id.as_ref();
        let value = &one.values[part];
        let (before, behind) =
            self.affixes.get(id).map_or(("", ""), |(before, behind)| (before.as_str(), behind.as_str()));
        let (text, wrapped) = formed(&format!("{before}{value}{behind}"), form);
        Some(Filling::Value { text, tag: first_tag + part, wrapped })
    }

    fn add_known(&self, corpus: &mut Corpus) {
        for (path, text) in &self.known {
            let path = format!("published/{path}");
            for (line, _) in text.lines().enumerate().filter(|(_, line)| line.contains(SEAM)) {
                corpus.labels.push(Label {
                    path: path.clone(),
                    line: line + 1,
                    end_line: line + 1,
                    kind: Kind::Known,
                    provider: String::new(),
                    rule: String::new(),
                    part: String::new(),
                    role: String::new(),
                    group: String::new(),
                    wrapped: "plain".to_owned(),
                    host: "published".to_owned(),
                    credential: 0,
                    sha256: String::new(),
                });
            }
            corpus.files.push((path, text.replace(SEAM, "").into_bytes()));
        }
    }
}

/// What kind of place a rule's value needs.
fn kind_of(rule: &keyfence::rules::Rule) -> &'static str {
    match rule.kind {
        keyfence::rules::Kind::Pem(_) => "lines",
        keyfence::rules::Kind::Mnemonic(_) => "spaced",
        keyfence::rules::Kind::Numbers(_) => "numbers",
        _ => "value",
    }
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

/// The value as a form asks for it, and what that is called.
fn formed(value: &str, form: &str) -> (String, &'static str) {
    let one_line = || value.replace('\n', "\\n");
    match form {
        "raw" => (value.to_owned(), "plain"),
        "base64" => (BASE64.encode(value.as_bytes()), "base64"),
        "hex" => (HEXLOWER.encode(value.as_bytes()), "hex"),
        "percent" => {
            let text: String = value.bytes().map(percent).collect();
            let wrapped = if text == value { "plain" } else { "percent" };
            (text, wrapped)
        }
        "unicode" => {
            let escape = |letter: char| matches!(letter, '+' | '=' | '&' | '<' | '>' | '\'');
            let text: String = one_line()
                .chars()
                .map(|letter| {
                    if escape(letter) { format!("\\u{:04x}", u32::from(letter)) } else { letter.to_string() }
                })
                .collect();
            let wrapped = if text.contains("\\u") { "unicode" } else { "plain" };
            (text, wrapped)
        }
        "joined" => {
            let text = one_line();
            let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            (format!("{}\" +\n    \"{}", &text[..half], &text[half..]), "joined")
        }
        _ => (one_line(), "plain"),
    }
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// Lower-case words in the style in which the slot itself is spelled.
fn styled(words: &str, slot: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    let pieces: Vec<&str> = words.split(' ').collect();
    let capitals = || pieces.iter().map(|word| capital(word));
    if slot.chars().all(|letter| !letter.is_lowercase()) {
        words.to_uppercase().replace(' ', "_")
    } else if slot.contains('-') {
        pieces.join("-")
    } else if slot.contains(' ') {
        capitals().collect::<Vec<_>>().join(" ")
    } else if slot.starts_with(char::is_uppercase) {
        capitals().collect()
    } else if slot.chars().any(char::is_uppercase) {
        pieces[0].to_owned() + &capitals().skip(1).collect::<String>()
    } else {
        pieces.join("_")
    }
}

fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('\t').map(str::to_owned).collect())
}

fn templates(directory: &Path) -> Result<Vec<Template>, Error> {
    let mut all = Vec::new();
    for (path, text) in texts(directory)? {
        all.extend(template::parse(&text).map_err(|error| format!("{path}: {error}"))?);
    }
    Ok(all)
}

/// All files below a directory, by path.
fn texts(directory: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut all = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory)?.to_string_lossy().replace('\\', "/");
                all.push((name, std::fs::read_to_string(&path)?));
            }
        }
    }
    all.sort();
    Ok(all)
}
