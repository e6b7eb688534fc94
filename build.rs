//! Reads the packs under `rules/`, checks them, and writes them as Rust tables: the binary starts without parsing.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

#[allow(dead_code, reason = "the build uses only a part of what the crate does")]
#[path = "src/model"]
mod model {
    mod grade;
    pub use grade::{Role, Severity};
}

#[allow(dead_code, reason = "the build uses only a part of what the crate does")]
#[path = "src/rules"]
mod rules {
    pub mod compile;
    pub mod format;
    pub mod lookup;
    pub mod pattern;
    pub mod rule;
    pub mod sieve;
    pub mod word_list;
}

use rules::format::Pack;
use rules::lookup::{NameEntry, NameTable, WordEntry, WordTable};
use rules::rule::{Kind, Provider, Rule, RuleSet, SetRule, Shape, Text};
use rules::sieve::{self, Entry, Rows, Sieve};
use rules::word_list::{Tongue, WordTables};

fn main() {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rustc-env=KEYFENCE_SOURCE={:016x}", fingerprint());
    match tables(Path::new("rules")) {
        Ok(text) => {
            let directory = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
            std::fs::write(Path::new(&directory).join("builtin_rules.rs"), text)
                .expect("cargo's output directory can be written");
        }
        Err(message) => {
            println!("cargo::error={message}");
            std::process::exit(1);
        }
    }
}

/// Differs for every two states of the sources: what one build remembers is nothing to another that may judge otherwise.
fn fingerprint() -> u64 {
    let mut paths = Vec::new();
    for directory in ["rules", "src"] {
        // What cannot be listed or read stops the build elsewhere.
        let _ = collect(Path::new(directory), &["yaml", "rs", "txt", "bin"], &mut paths);
    }
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths.iter().map(PathBuf::as_path).chain([Path::new("build.rs"), Path::new("Cargo.lock")]) {
        hasher.write(path.as_os_str().as_encoded_bytes());
        hasher.write(&std::fs::read(path).unwrap_or_default());
    }
    hasher.finish()
}

fn tables(directory: &Path) -> Result<String, String> {
    let mut paths = Vec::new();
    collect(directory, &["yaml"], &mut paths).map_err(|error| format!("rules: {error}"))?;
    paths.sort();
    let mut packs = Vec::new();
    for path in &paths {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let pack = Pack::parse(&text).map_err(|message| format!("{name}: {message}"))?;
        if path.file_stem().and_then(|stem| stem.to_str()) != Some(pack.provider.as_str()) {
            return Err(format!("{name}: the file's name must be its provider's id"));
        }
        packs.push(pack);
    }
    let set = rules::compile::compile(RuleSet::default(), &packs)?;
    let mut out = String::new();
    list(&mut out, "pub(super) static PROVIDERS: &[Provider] = &", set.providers.iter().map(provider));
    out.push_str(";\n");
    list(&mut out, "pub(super) static RULES: &[Rule] = &", set.rules.iter().map(rule));
    out.push_str(";\n");
    list(&mut out, "pub(super) static SIEVES: [Sieve; 3] = ", sieve::sieves(&set).iter().map(sieve_table));
    out.push_str(";\n");
    let _ = writeln!(out, "pub(super) static NAMES: NameTable = {};", names(&NameTable::of(&set)));
    let _ = writeln!(out, "pub(super) static WORDS: WordTable = {};", words(&WordTable::of(&set)));
    let lists = word_lists(Path::new("src/rules/words"))?;
    let _ = writeln!(out, "pub(super) static LISTS: WordTables = {};", word_tables(&WordTables::of(&lists)?));
    Ok(out)
}

fn word_lists(directory: &Path) -> Result<Vec<(Tongue, String)>, String> {
    Tongue::LISTED
        .into_iter()
        .map(|tongue| {
            let path = directory.join(format!("{}.txt", tongue.as_str()));
            let list =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((tongue, list))
        })
        .collect()
}

fn collect(directory: &Path, endings: &[&str], paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, endings, paths)?;
        } else if path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending))
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn list(out: &mut String, head: &str, items: impl Iterator<Item = String>) {
    out.push_str(head);
    out.push('[');
    for item in items {
        out.push_str(&item);
        out.push(',');
    }
    out.push(']');
}

fn borrowed(items: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    list(&mut out, "Borrowed(&", items);
    out.push(')');
    out
}

fn text(text: &Text) -> String {
    format!("Cow::Borrowed({text:?})")
}

fn optional(found: Option<&Text>) -> String {
    found.map_or("None".to_owned(), |found| format!("Some({})", text(found)))
}

fn texts(texts: &[Text]) -> String {
    borrowed(texts.iter().map(text))
}

fn provider(provider: &Provider) -> String {
    let headers =
        borrowed(provider.headers.iter().map(|(header, part)| format!("({}, {})", text(header), text(part))));
    let revoke = optional(provider.revoke.as_ref());
    format!(
        "Provider {{ id: {}, title: {}, words: {}, weak_words: {}, headers: {headers}, power: {}, revoke: {revoke}, steps: {}, sets: {} }}\n",
        text(&provider.id),
        text(&provider.title),
        texts(&provider.words),
        texts(&provider.weak_words),
        text(&provider.power),
        texts(&provider.steps),
        borrowed(provider.sets.iter().map(set)),
    )
}

fn set(set: &SetRule) -> String {
    let proof = optional(set.proof.as_ref());
    format!(
        "SetRule {{ parts: {}, severity: Severity::{:?}, proof: {proof} }}",
        texts(&set.parts),
        set.severity
    )
}

fn rule(rule: &Rule) -> String {
    format!(
        "Rule {{ id: {}, provider: {}, part: {}, role: Role::{:?}, severity: Severity::{:?}, need: Need::{:?}, kind: {}, require: {:?}, checks: {}, names: {}, test: {}, address: {}, known: {}, like: {} }}\n",
        text(&rule.id),
        rule.provider,
        text(&rule.part),
        rule.role,
        rule.severity,
        rule.need,
        kind(&rule.kind),
        rule.require,
        texts(&rule.checks),
        texts(&rule.names),
        rule.test,
        rule.address.map_or("None".to_owned(), |address| format!("Some(AddressKind::{address:?})")),
        borrowed(rule.known.iter().map(|hash| format!("{hash:#x}"))),
        rule.like,
    )
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Shape(shapes) => format!("Kind::Shape({})", borrowed(shapes.iter().map(shape))),
        Kind::Anchored(anchors, shapes) => {
            format!("Kind::Anchored({}, {})", texts(anchors), borrowed(shapes.iter().map(shape)))
        }
        Kind::Pem(kinds) => {
            format!("Kind::Pem({})", borrowed(kinds.iter().map(|kind| format!("PemKind::{kind:?}"))))
        }
        Kind::Mnemonic(counts) => format!("Kind::Mnemonic({})", borrowed(counts.iter().map(u8::to_string))),
        Kind::Numbers(count) => format!("Kind::Numbers({count})"),
        Kind::Connection(schemes) => format!("Kind::Connection({})", texts(schemes)),
        Kind::Chosen(shortest, longest) => format!("Kind::Chosen({shortest}, {longest})"),
        Kind::Password(shortest, longest) => format!("Kind::Password({shortest}, {longest})"),
        Kind::Random(shortest, longest) => format!("Kind::Random({shortest}, {longest})"),
    }
}

fn shape(shape: &Shape) -> String {
    let mut items = String::new();
    for item in shape.items.iter() {
        let _ = write!(items, "Item {{ set: {:#x}, min: {}, max: {} }},", item.set, item.min, item.max);
    }
    format!(
        "Shape {{ items: Borrowed(&[{items}]), core_start: {}, core_end: {}, alphabet: Alphabet::{:?}, prefix: {} }}",
        shape.core_start, shape.core_end, shape.alphabet, shape.prefix
    )
}

fn sieve_table(sieve: &Sieve) -> String {
    let mut front = String::new();
    list(&mut front, "", sieve.front.iter().map(rows));
    let mut before = String::new();
    list(&mut before, "", sieve.before.iter().map(rows));
    format!(
        "Sieve {{ entries: {}, proving: {}, possible: {}, lengths: {}, kinds: {}, front: {front}, before: {before}, after: {} }}\n",
        borrowed(sieve.entries.iter().map(|entry: &Entry| format!("{entry:?}"))),
        borrowed(sieve.proving.iter().map(u64::to_string)),
        borrowed(sieve.possible.iter().map(|words| format!("{words:?}"))),
        rows(&sieve.lengths),
        rows(&sieve.kinds),
        rows(&sieve.after),
    )
}

fn rows(rows: &Rows) -> String {
    let bits = borrowed(rows.bits.iter().map(|bits| format!("{bits:#x}")));
    format!("Rows {{ width: {}, bits: {bits} }}", rows.width)
}

fn names(table: &NameTable) -> String {
    let entries = |entries: &[NameEntry]| borrowed(entries.iter().map(|entry| format!("{entry:?}")));
    format!(
        "NameTable {{ names: {}, buckets: {}, short: {}, letters: {} }}",
        entries(&table.names),
        borrowed(table.buckets.iter().map(u32::to_string)),
        entries(&table.short),
        letters(&table.letters),
    )
}

fn words(table: &WordTable) -> String {
    let entries = |entries: &[WordEntry]| borrowed(entries.iter().map(|entry| format!("{entry:?}")));
    format!(
        "WordTable {{ words: {}, buckets: {}, pairs: {}, letters: {}, longest: {} }}",
        entries(&table.words),
        borrowed(table.buckets.iter().map(u32::to_string)),
        entries(&table.pairs),
        letters(&table.letters),
        table.longest,
    )
}

fn word_tables(tables: &WordTables) -> String {
    format!(
        "WordTables {{ hashes: {}, meanings: {}, starts: {}, triples: {} }}",
        borrowed(tables.hashes.iter().map(u32::to_string)),
        borrowed(tables.meanings.iter().map(u16::to_string)),
        borrowed(tables.starts.iter().map(u16::to_string)),
        borrowed(tables.triples.iter().map(u64::to_string)),
    )
}

fn letters(letters: &[u8]) -> String {
    format!("Borrowed(b\"{}\")", letters.escape_ascii())
}
