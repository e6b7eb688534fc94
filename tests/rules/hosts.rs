//! The ways people write a credential down, with the provider's name at hand.
//!
//! Must not know single providers. Invariant: every host is text that its language accepts.

use keyfence::rules::format::Pack;

use super::desk::{Named, Spot};

/// A host's name, the path of the file, and the text.
pub type Embedded = (&'static str, &'static str, String);

/// `spot` in every host that can hold it.
pub fn embed(pack: &Pack, spot: &Spot) -> Vec<Embedded> {
    let word = word_of(pack);
    let host = Host { domain: domain_of(pack, &word), word, spot };
    let mut all = host.files();
    all.extend(host.code());
    all.extend(host.operations());
    all.extend(host.other_languages());
    all.extend(host.records());
    if spot.parts.len() > 1 {
        all.extend(host.exchange(pack));
    }
    all
}

/// The provider as an identifier would hold it.
fn word_of(pack: &Pack) -> String {
    let is_identifier =
        |word: &&String| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let words = pack.words.iter().chain(&pack.weak_words);
    words.clone().find(is_identifier).cloned().unwrap_or_else(|| "service".to_owned())
}

/// A host of the provider: one that its pack names, or one made of its name.
fn domain_of(pack: &Pack, word: &str) -> String {
    let named = pack.words.iter().find(|word| word.matches('.').count() == 2);
    named.cloned().unwrap_or_else(|| format!("api.{word}.com"))
}

struct Host<'a> {
    word: String,
    domain: String,
    spot: &'a Spot,
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn snake(part: &Named) -> String {
    part.words.join("_")
}

fn pascal(part: &Named) -> String {
    part.words.iter().map(|word| title(word)).collect()
}

fn camel(part: &Named) -> String {
    part.words[0].clone() + &part.words[1..].iter().map(|word| title(word)).collect::<String>()
}

impl Host<'_> {
    fn lines(&self, line: impl Fn(&Named) -> String) -> String {
        self.spot.parts.iter().map(|part| line(part) + "\n").collect()
    }

    fn upper(&self, part: &Named) -> String {
        format!("{}_{}", self.word, snake(part)).to_ascii_uppercase()
    }

    fn class(&self) -> String {
        self.word.split('_').map(title).collect()
    }

    fn files(&self) -> Vec<Embedded> {
        let word = &self.word;
        let mut all = vec![
            ("environment file", ".env", self.lines(|part| format!("{}={}", self.upper(part), part.value))),
            ("shell", "run.sh", self.lines(|part| format!("export {}='{}'", self.upper(part), part.value))),
            (
                "YAML block",
                "settings.yml",
                format!("{word}:\n") + &self.lines(|part| format!("  {}: {}", snake(part), part.value)),
            ),
            (
                "YAML block, quoted",
                "settings.yml",
                format!("accounts:\n  {word}:\n")
                    + &self.lines(|part| format!("    {}: \"{}\"", camel(part), part.value)),
            ),
            (
                "compose file",
                "compose.yaml",
                "services:\n  bot:\n    environment:\n".to_owned()
                    + &self.lines(|part| format!("      - {}={}", self.upper(part), part.value)),
            ),
            (
                "deployment",
                "deployment.yaml",
                "        env:\n".to_owned()
                    + &self.lines(|part| {
                        format!("        - name: {}\n          value: \"{}\"", self.upper(part), part.value)
                    }),
            ),
            (
                "JSON",
                "settings.json",
                format!(
                    "{{\n  \"{word}\": {{\n{}    \"enabled\": true\n  }}\n}}\n",
                    self.lines(|part| format!("    \"{}\": \"{}\",", camel(part), part.value))
                ),
            ),
            (
                "TOML table",
                "settings.toml",
                format!("[{word}]\n") + &self.lines(|part| format!("{} = \"{}\"", snake(part), part.value)),
            ),
            (
                "INI section",
                "settings.ini",
                format!("[{word}]\n") + &self.lines(|part| format!("{} = {}", snake(part), part.value)),
            ),
        ];
        if self
            .spot
            .parts
            .iter()
            .all(|part| part.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
        {
            let query: Vec<String> =
                self.spot.parts.iter().map(|part| format!("{}={}", snake(part), part.value)).collect();
            let url = format!("url = \"https://{}/v1/account?{}\"\n", self.domain, query.join("&"));
            all.push(("URL query", "notes.py", url));
        }
        all
    }

    fn code(&self) -> Vec<Embedded> {
        let word = &self.word;
        let class = self.class();
        vec![
            (
                "Python constants",
                "bot.py",
                self.lines(|part| format!("{word}_{} = \"{}\"", snake(part), part.value)),
            ),
            (
                "Python dictionary",
                "bot.py",
                format!(
                    "CONFIG = {{\n    '{word}': {{\n{}    }},\n}}\n",
                    self.lines(|part| format!("        '{}': '{}',", snake(part), part.value))
                ),
            ),
            (
                "default of getenv",
                "bot.py",
                "import os\n\n".to_owned()
                    + &self.lines(|part| {
                        format!("{} = os.getenv(\"{}\", \"{}\")", snake(part), self.upper(part), part.value)
                    }),
            ),
            (
                "JavaScript fallback",
                "bot.js",
                self.lines(|part| {
                    format!("const {} = process.env.{} || '{}';", camel(part), self.upper(part), part.value)
                }),
            ),
            (
                "TypeScript object",
                "bot.ts",
                format!(
                    "const client = new {class}Client({{\n{}}});\n",
                    self.lines(|part| format!("  {}: '{}',", camel(part), part.value))
                ),
            ),
            (
                "Go struct",
                "bot.go",
                format!(
                    "client := {word}.NewClient(&{word}.Config{{\n{}}})\n",
                    self.lines(|part| format!("\t{}: \"{}\",", pascal(part), part.value))
                ),
            ),
            (
                "Rust constants",
                "bot.rs",
                self.lines(|part| format!("const {}: &str = \"{}\";", self.upper(part), part.value)),
            ),
            (
                "C++ constants",
                "bot.cpp",
                self.lines(|part| format!("const std::string {} = \"{}\";", self.upper(part), part.value)),
            ),
            (
                "Rust struct",
                "bot.rs",
                format!(
                    "let client = {class}Client::new(Credentials {{\n{}}});\n",
                    self.lines(|part| format!("    {}: \"{}\".to_string(),", snake(part), part.value))
                ),
            ),
            (
                "Java setter",
                "Bot.java",
                format!("ExchangeSpecification {word} = new {class}Exchange().getDefault();\n")
                    + &self.lines(|part| format!("{word}.set{}(\"{}\");", pascal(part), part.value)),
            ),
        ]
    }

    /// What starts programs: containers, workflows, services, shells.
    fn operations(&self) -> Vec<Embedded> {
        vec![
            (
                "container file",
                "Dockerfile",
                self.lines(|part| format!("ENV {}={}", self.upper(part), part.value)),
            ),
            (
                "workflow",
                ".github/workflows/run.yml",
                "jobs:\n  run:\n    steps:\n      - run: python bot.py\n        env:\n".to_owned()
                    + &self.lines(|part| format!("          {}: {}", self.upper(part), part.value)),
            ),
            (
                "service unit",
                "bot.service",
                "[Service]\n".to_owned()
                    + &self.lines(|part| format!("Environment=\"{}={}\"", self.upper(part), part.value)),
            ),
            (
                "PowerShell",
                "run.ps1",
                self.lines(|part| format!("$env:{} = '{}'", self.upper(part), part.value)),
            ),
            ("batch file", "run.bat", self.lines(|part| format!("set {}={}", self.upper(part), part.value))),
            (
                "fish",
                "config.fish",
                self.lines(|part| format!("set -gx {} \"{}\"", self.upper(part), part.value)),
            ),
            (
                "Terraform",
                "prod.tfvars",
                self.lines(|part| format!("{}_{} = \"{}\"", self.word, snake(part), part.value)),
            ),
            (
                "properties",
                "application.properties",
                self.lines(|part| format!("{}.{}={}", self.word, part.words.join("-"), part.value)),
            ),
            (
                "XML",
                "settings.xml",
                format!("<{word}>\n", word = self.word)
                    + &self.lines(|part| format!("  <{name}>{}</{name}>", part.value, name = camel(part)))
                    + &format!("</{}>\n", self.word),
            ),
        ]
    }

    fn other_languages(&self) -> Vec<Embedded> {
        let class = self.class();
        let word = &self.word;
        let arguments =
            |line: &dyn Fn(&Named) -> String| self.spot.parts.iter().map(line).collect::<Vec<_>>().join(", ");
        vec![
            (
                "Python keyword arguments",
                "bot.py",
                format!(
                    "client = {class}Client({})\n",
                    arguments(&|part| format!("{}=\"{}\"", snake(part), part.value))
                ),
            ),
            (
                "attributes",
                "bot.py",
                format!("{word} = {class}Client()\n")
                    + &self.lines(|part| format!("{word}.{} = \"{}\"", snake(part), part.value)),
            ),
            (
                "Ruby hash",
                "bot.rb",
                format!(
                    "client = {class}::Client.new(\n{})\n",
                    self.lines(|part| format!("  {}: '{}',", snake(part), part.value))
                ),
            ),
            (
                "PHP array",
                "config.php",
                format!(
                    "<?php\nreturn [\n  '{word}' => [\n{}  ],\n];\n",
                    self.lines(|part| format!("    '{}' => '{}',", snake(part), part.value))
                ),
            ),
            (
                "C# initializer",
                "Bot.cs",
                format!(
                    "var options = new {class}Options {{\n{}}};\n",
                    self.lines(|part| format!("    {} = \"{}\",", pascal(part), part.value))
                ),
            ),
            (
                "Kotlin",
                "Bot.kt",
                format!(
                    "object {class}Keys {{\n{}}}\n",
                    self.lines(|part| format!("    const val {} = \"{}\"", camel(part), part.value))
                ),
            ),
            (
                "Swift",
                "Bot.swift",
                format!(
                    "struct {class}Keys {{\n{}}}\n",
                    self.lines(|part| format!("    static let {}: String = \"{}\"", camel(part), part.value))
                ),
            ),
            (
                "Elixir",
                "config.exs",
                format!(
                    "config :bot, :{word},\n{}  timeout: 5\n",
                    self.lines(|part| format!("  {}: \"{}\",", snake(part), part.value))
                ),
            ),
        ]
    }

    /// One record among others, each with its provider's name as a member.
    fn records(&self) -> Vec<Embedded> {
        let word = &self.word;
        let other = "kucoinfutures";
        vec![
            (
                "JSON record",
                "accounts.json",
                format!(
                    "[\n  {{\n    \"exchange\": \"{word}\",\n{}    \"active\": true\n  }}\n]\n",
                    self.lines(|part| format!("    \"{}\": \"{}\",", snake(part), part.value))
                ),
            ),
            (
                "YAML record",
                "accounts.yml",
                format!(
                    "accounts:\n  - name: {word}\n{}    active: true\n  - name: {other}\n    active: false\n",
                    self.lines(|part| format!("    {}: {}", snake(part), part.value))
                ),
            ),
            (
                "TOML record",
                "accounts.toml",
                format!("[[accounts]]\nname = \"{word}\"\n")
                    + &self.lines(|part| format!("{} = \"{}\"", snake(part), part.value)),
            ),
        ]
    }

    fn exchange(&self, pack: &Pack) -> Vec<Embedded> {
        let word = &self.word;
        let positional: Vec<String> =
            self.spot.parts.iter().map(|part| format!("\"{}\"", part.value)).collect();
        let positional = positional.join(", ");
        const CCXT: [&str; 3] = ["apiKey", "secret", "password"];
        const FREQTRADE: [&str; 3] = ["key", "secret", "password"];
        let pairs = |names: [&str; 3], quote: &str| -> String {
            names
                .iter()
                .zip(&self.spot.parts)
                .map(|(name, part)| format!("    {quote}{name}{quote}: {quote}{}{quote},\n", part.value))
                .collect()
        };
        let mut all = vec![
            (
                "ccxt constructor",
                "bot.py",
                format!("exchange = ccxt.{word}({{\n{}    'enableRateLimit': True,\n}})\n", pairs(CCXT, "'")),
            ),
            (
                "ccxt constructor in TypeScript",
                "bot.ts",
                format!("const exchange = new ccxt.{word}({{\n{}}});\n", pairs(CCXT, "\"")),
            ),
            (
                "freqtrade",
                "config.json",
                format!(
                    "{{\n\"exchange\": {{\n    \"name\": \"{word}\",\n{}    \"pair_whitelist\": []\n}}\n}}\n",
                    pairs(FREQTRADE, "\"")
                ),
            ),
            ("positional call", "bot.py", format!("client = {}Client({positional})\n", self.class())),
        ];
        if pack.words.contains(word) {
            let call = format!("from {word}.client import Client\n\nclient = Client({positional})\n");
            all.push(("positional call after an import", "bot.py", call));
        }
        if self.spot.parts.iter().any(|part| part.header.is_some()) {
            all.push(("header of curl", "call.sh", self.curl()));
        }
        all
    }

    /// Headers for the parts that have one, variables before the call for the others.
    fn curl(&self) -> String {
        let bare = self.spot.parts.iter().filter(|part| part.header.is_none());
        let variables: String = bare.map(|part| format!("{}='{}'\n", self.upper(part), part.value)).collect();
        let headers: String = self
            .spot
            .parts
            .iter()
            .filter_map(|part| part.header.as_ref().map(|header| format!(" -H '{header}: {}'", part.value)))
            .collect();
        format!("{variables}curl -s{headers} \"https://{}/v1/account\"\n", self.domain)
    }
}
