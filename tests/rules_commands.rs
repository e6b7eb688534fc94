//! The commands about rules, with the real program: reading, trying and making packs.

#[path = "cli/support.rs"]
mod support;

use std::path::Path;
use std::process::Output;

use support::{Sandbox, leaking_env, secret_value, words};

fn assert_told(output: &Output, code: i32, parts: &[&str]) {
    let told = words(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for part in parts {
        assert!(told.contains(part), "the output lacks {part:?}:\n{told}");
    }
    assert!(!told.contains(&secret_value()), "the secret was printed");
}

#[test]
fn rules_are_listed_shown_and_explained() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    assert_told(&repository.keyfence(&["rules", "list", "BINANCE"]), 0, &["binance-api-secret", "Binance: "]);
    assert_told(&repository.keyfence(&["rules", "list", "no such word"]), 2, &["no rule has"]);
    let shown = [
        "binance-api-secret",
        "How it is known",
        "64 characters",
        "https://",
        "keyfence:allow[binance-api-secret]",
    ];
    assert_told(&repository.keyfence(&["rules", "show", "binance-api-secret"]), 0, &shown);
    assert_told(
        &repository.keyfence(&["rules", "show", "binance-api-secrt"]),
        2,
        &["did you mean `binance-api-secret`?"],
    );
    let meaning = ["Whoever has it can", "Revoke it: https://", "complete with"];
    assert_told(&repository.keyfence(&["explain", "binance-api-secret"]), 0, &meaning);

    repository.write(".env", &leaking_env());
    let report = repository.keyfence(&["scan", "-f", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("it is JSON");
    let fingerprint = report["findings"][1]["fingerprint"].as_str().expect("it has one");
    let places = ["Whoever has it can", ".env:2:20  likely: it counts", "named BINANCE_API_SECRET"];
    assert_told(&repository.keyfence(&["explain", fingerprint]), 0, &places);
    assert_told(&repository.keyfence(&["explain", &fingerprint[..12]]), 0, &places);
    assert_told(&repository.keyfence(&["explain", "0123456789abcdef"]), 3, &["no finding"]);
}

#[test]
fn a_new_pack_is_sound_as_it_is() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    for provider in ["acme-bank", "zeta9"] {
        let new = repository.keyfence(&["rules", "new", provider]);
        assert_told(&new, 0, &[&format!("provider: {provider}")]);
        let file = format!("packs/{provider}.yaml");
        repository.write(&file, &String::from_utf8(new.stdout).expect("it is text"));
        assert_told(&repository.keyfence(&["rules", "lint", &file]), 0, &["1 rules looked at, 0 complaints"]);
        assert_told(&repository.keyfence(&["rules", "test", &file]), 0, &["6 examples tried, 0 wrong"]);
    }
    repository.write(".keyfence.yaml", "packs: packs\n");
    assert_told(&repository.keyfence(&["rules", "test"]), 0, &["12 examples tried, 0 wrong"]);
    assert_told(&repository.keyfence(&["rules", "list", "zeta9"]), 0, &["zeta9-token"]);
    assert_told(&repository.keyfence(&["rules", "new", "../x"]), 2, &["cannot be a provider's id"]);
}

#[test]
fn what_is_wrong_with_a_pack_is_told() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let new = repository.keyfence(&["rules", "new", "acme"]);
    let sound = String::from_utf8(new.stdout).expect("it is text");
    for (from, to, complaint) in [
        ("provider: acme", "provider: other", "must be `<provider>-<part>`"),
        ("need: context", "need: nothing", "this shape alone stands everywhere"),
        ("words: [acme, api.acme.example]", "words: [ac]", "move it to `weak_words`"),
        ("words: [acme, api.acme.example]", "", "so it never fires"),
        ("    require: [", "    check: [luck]\n    require: [", "there is no check `luck`"),
        ("revoke: '", "sources_of_revoke: '", "unknown field"),
        ("      - 'ACME_TOKEN=your-token-here'\n", "", "`silent` has fewer than 3"),
    ] {
        assert!(sound.contains(from), "{from}");
        repository.write("acme.yaml", &sound.replacen(from, to, 1));
        assert_told(&repository.keyfence(&["rules", "lint", "acme.yaml"]), 1, &[complaint]);
    }
    let live = sound.replacen("ACME_TOKEN=${ACME_TOKEN}", "x", 1);
    let live = live.replacen(
        "'ACME_TOKEN=",
        &format!("'{} ACME_TOKEN=", leaking_env().trim().replace('\n', " ")),
        1,
    );
    repository.write("acme.yaml", &live);
    assert_told(
        &repository.keyfence(&["rules", "lint", "acme.yaml"]),
        1,
        &["`match` 1 holds a value that looks live"],
    );
    let silent = sound.replacen(
        "ACME_TOKEN=your-token-here",
        "ACME_TOKEN=Hd6Jf1Gs0TqXuEaPiNkV¦3nR8tQ2xLw7Yp5Zc9Mb4",
        1,
    );
    repository.write("acme.yaml", &silent);
    assert_told(
        &repository.keyfence(&["rules", "test", "acme.yaml"]),
        1,
        &["acme-token: `silent` 2 is found", "1 wrong"],
    );
    repository.write("acme.yaml", &sound.replacen("shape: '[A-Za-z0-9]{40}'", "shape: '[A-Za-z0-9]{41}'", 1));
    assert_told(
        &repository.keyfence(&["rules", "test", "acme.yaml"]),
        1,
        &["acme-token: `match` 1 is not found", "3 wrong"],
    );
}

#[test]
fn the_packs_that_ship_pass_their_own_commands() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for group in ["exchanges", "platforms", "wallets", "generic"] {
        let directory = rules.join(group);
        let directory = directory.to_str().expect("the path is UTF-8");
        assert_told(&repository.keyfence(&["rules", "test", directory]), 0, &[" 0 wrong"]);
    }
}
