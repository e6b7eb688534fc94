//! Makes a labelled corpus from a seed, scores what a scanner found in it, and prints the table of `docs/measured.md`.
//!
//!     cargo run --example keyfence-eval -- make --seed 1 --out DIR
//!     keyfence scan DIR/tree --format json > found.json
//!     cargo run --example keyfence-eval -- score --manifest DIR/manifest.jsonl --report found.json --json 1.json
//!     cargo run --example keyfence-eval -- table 1.json 2.json
//!
//! Must not know: making and measuring themselves, which are in `bench/`.
//! Invariant: no value is printed; values stand only in the tree that was asked for.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

mod bench;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use keyfence::rules::RuleSet;

use bench::Error;
use bench::corpus::{Corpus, Maker};
use bench::score::{Score, Share};

#[derive(Parser)]
#[command(about = "A labelled corpus, and the measure of any scanner on it")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write `tree/` and `manifest.jsonl` below a directory that does not exist yet.
    Make {
        /// The same seed gives the same bytes.
        #[arg(long)]
        seed: u64,
        /// Where to write.
        #[arg(long)]
        out: PathBuf,
        /// How often every credential is planted.
        #[arg(long, default_value_t = 4)]
        rounds: usize,
        /// User packs that are planted too.
        #[arg(long)]
        pack: Vec<PathBuf>,
    },
    /// Measure a report of findings.
    Score {
        /// The manifest of the corpus.
        #[arg(long)]
        manifest: PathBuf,
        /// What the tool printed.
        #[arg(long)]
        report: PathBuf,
        /// Whose form the report has.
        #[arg(long, default_value = "keyfence")]
        tool: String,
        /// The tree as the tool was given it; `tree` beside the manifest if not said.
        #[arg(long)]
        tree: Option<PathBuf>,
        /// Write the score here, for `table`.
        #[arg(long)]
        json: Option<PathBuf>,
        /// List what was missed and what is wrong.
        #[arg(long)]
        list: bool,
    },
    /// Print the Markdown of scores; the first tool is the one whose misses are listed.
    Table {
        /// Scores written by `score --json`.
        scores: Vec<PathBuf>,
    },
}

fn main() -> Result<(), Error> {
    match Arguments::parse().command {
        Command::Make { seed, out, rounds, pack } => make(seed, &out, rounds, &pack),
        Command::Score { manifest, report, tool, tree, json, list } => {
            let labels = bench::label::read(&std::fs::read_to_string(&manifest)?)?;
            let tree = tree.unwrap_or_else(|| manifest.with_file_name("tree"));
            let found =
                bench::tools::read(&tool, &std::fs::read_to_string(report)?, &tree.to_string_lossy())?;
            let score = bench::score::score(&tool, &labels, &found, &aliases()?);
            print_score(&score, list);
            if let Some(json) = json {
                std::fs::write(json, serde_json::to_string(&score)?)?;
            }
            Ok(())
        }
        Command::Table { scores } => {
            let scores: Vec<Score> = scores
                .iter()
                .map(|path| Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?))
                .collect::<Result<_, Error>>()?;
            let first = scores.first().ok_or("no score was given")?.tool.clone();
            println!("{}", bench::table::markdown(&scores));
            println!("### What is missed\n\n{}", bench::table::misses(&scores, &first));
            println!("### Providers\n\n{}", bench::table::providers(&scores, &first));
            println!("### False findings\n\n{}", bench::table::wrong(&scores, &first));
            Ok(())
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn make(seed: u64, out: &Path, rounds: usize, packs: &[PathBuf]) -> Result<(), Error> {
    let texts: Vec<(String, String)> = packs
        .iter()
        .map(|path| Ok((path.display().to_string(), std::fs::read_to_string(path)?)))
        .collect::<Result<_, Error>>()?;
    let rules = RuleSet::builtin().extended(&texts)?;
    let corpus = Maker::open(root(), rules)?.make(seed, rounds);
    std::fs::create_dir(out)?;
    for (path, bytes) in &corpus.files {
        let path = out.join("tree").join(path);
        std::fs::create_dir_all(path.parent().ok_or("a file has a directory")?)?;
        std::fs::write(path, bytes)?;
    }
    std::fs::write(out.join("manifest.jsonl"), bench::label::write(&corpus.labels)?)?;
    tell(&corpus);
    Ok(())
}

fn tell(corpus: &Corpus) {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for label in &corpus.labels {
        *kinds.entry(format!("{:?}", label.kind).to_lowercase()).or_default() += 1;
    }
    println!("{} files; labels: {kinds:?}", corpus.files.len());
    if !corpus.left_out.is_empty() {
        let ids: Vec<&str> = corpus.left_out.iter().map(String::as_str).collect();
        println!("not planted: {}", ids.join(", "));
    }
}

/// How other tools name a provider.
fn aliases() -> Result<BTreeMap<String, Vec<String>>, Error> {
    let text = std::fs::read_to_string(root().join("examples/keyfence-eval/aliases.tsv"))?;
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(rows
        .map(|row| {
            let mut fields = row.split('\t').map(str::to_owned);
            (fields.next().unwrap_or_default(), fields.collect())
        })
        .collect())
}

fn print_score(score: &Score, list: bool) {
    let print =
        |name: &str, share: Share| println!("{name:<28}{:.3} ({}/{})", share.value(), share.found, share.of);
    for (group, share) in &score.groups {
        print(&format!("recall {group}"), *share);
    }
    print("recall", score.recall());
    for (role, share) in &score.roles {
        print(&format!("role {role}"), *share);
    }
    for (wrapped, share) in &score.wrapped {
        print(&format!("written {wrapped}"), *share);
    }
    print("provider told", score.named);
    for (group, share) in &score.named_groups {
        print(&format!("provider told, {group}"), *share);
    }
    print("precision", score.precision);
    print("test keys found", score.tests);
    print("published values that block", score.known_blocking);
    if list {
        for (name, places) in [("missed", &score.missed), ("wrong", &score.wrong)] {
            places.iter().for_each(|place| {
                println!("{name} {}:{} {} ({})", place.path, place.line, place.rule, place.host);
            });
        }
    }
}
