//! What is written in another form is found where it stands: every form by example, and what holds for all of them.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use keyfence::detect::{Detection, Detector, Scratch};
use keyfence::model::{Chunk, FilePath, Provenance};
use proptest::prelude::*;

/// An invented pair, in pieces so that no scanner takes this file for a leak.
fn key() -> String {
    ["iK2ZWeqhFWCEPyYn", "gFb51yBMWXaSCrUZ", "oL8g5ubbbPIa84yR", "nBUbHoWC8FJowoRo"].concat()
}

fn secret() -> String {
    ["WD8s7bA16J7PglOU", "3shVv5UTG79BG16Q", "mtsL4F28GzL2cEpV", "ZzAQlxJ4SXRVxfCQ"].concat()
}

/// An access key id: its shape says what it is.
fn access_key() -> String {
    ["AKIA", "QYLPMN5HFIQR", "7XYA"].concat()
}

fn env() -> String {
    format!("# live account\nBINANCE_API_KEY={}\nBINANCE_API_SECRET={}\nDEBUG=false\n", key(), secret())
}

fn base64(text: &str) -> String {
    BASE64.encode(text.as_bytes())
}

/// `text` in lines of `width` characters, each after `indentation`.
fn wrapped(text: &str, width: usize, indentation: &str) -> String {
    let lines: Vec<&str> =
        text.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.iter().map(|line| format!("{indentation}{line}\n")).collect()
}

fn escaped(text: &str, escape: impl Fn(u8) -> String) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { escape(byte) }).collect()
}

/// gzip in base64, by the program that every system has.
fn packed(text: &str) -> String {
    use std::io::Write;
    let mut gzip = std::process::Command::new("gzip")
        .arg("-nc")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip can be started");
    let mut input = gzip.stdin.take().expect("it was asked for");
    input.write_all(text.as_bytes()).expect("gzip reads");
    drop(input);
    BASE64.encode(&gzip.wait_with_output().expect("gzip ends").stdout)
}

/// The text in two-byte characters, as PowerShell wants its commands.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn detect(path: &str, text: &[u8]) -> Detection {
    let provenance = Provenance::file(FilePath::from(path));
    Detector::builtin().detect(&Chunk::whole(text, &provenance), &mut Scratch::default())
}

/// What was found: rule and line.
fn found(path: &str, text: &[u8]) -> Vec<(String, u32)> {
    detect(path, text).findings.iter().map(|finding| (finding.rule.clone(), finding.place.line)).collect()
}

/// Both halves of the pair, on these lines.
fn pair(key_line: u32, secret_line: u32) -> Vec<(String, u32)> {
    vec![("binance-api-key".to_owned(), key_line), ("binance-api-secret".to_owned(), secret_line)]
}

/// A name, a path, a text, and what is found in it on which line.
type Case<'a> = (&'a str, &'a str, String, Vec<(String, u32)>);

#[test]
fn every_form_is_read() {
    let (key, secret, env) = (key(), secret(), env());
    let json = format!("{{\"exchange\": \"binance\", \"apiKey\": \"{key}\", \"secret\": \"{secret}\"}}");
    let line = format!("binance_api_key={key}\nbinance_api_secret={secret}\n");
    let release = format!(
        "{{\"name\": \"bot\", \"manifest\": \"kind: Secret\\ndata:\\n  binance-api-key: {}\\n  binance-api-secret: {}\\n\"}}",
        base64(&key),
        base64(&secret)
    );
    let spelled: String = env.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let halves =
        |value: &str| format!("\"{}\" + \"{}\"", &value[..value.len() / 2], &value[value.len() / 2..]);
    let key_id = access_key();
    let of_key_id: String = "3vY8tQkWm2LpZr7XcB9d".repeat(2);
    let cases: Vec<Case<'_>> = vec![
        (
            "a release of Helm, with a secret of Kubernetes in it",
            "release.yaml",
            format!("type: helm.sh/release.v1\ndata:\n  release: {}\n", base64(&packed(&release))),
            pair(3, 3),
        ),
        ("every character an escape", "config.json", format!("{{\"config\": \"{spelled}\"}}\n"), pair(1, 1)),
        (
            "an id in halves too short to be noticed, beside its secret",
            "split.py",
            format!(
                "AWS_ACCESS_KEY_ID = {}\nAWS_SECRET_ACCESS_KEY = {}\n",
                halves(&key_id),
                halves(&of_key_id)
            ),
            vec![("aws-access-key-id".to_owned(), 1), ("aws-secret-access-key".to_owned(), 2)],
        ),
        (
            "values of a Kubernetes secret",
            "secret.yaml",
            format!(
                "kind: Secret\ndata:\n  binance-api-key: {}\n  binance-api-secret: {}\n",
                base64(&key),
                base64(&secret)
            ),
            pair(3, 4),
        ),
        (
            "values with the line end that echo adds",
            "secret.yaml",
            format!(
                "kind: Secret\ndata:\n  BINANCE_API_KEY: {}\n  BINANCE_API_SECRET: {}\n",
                base64(&format!("{key}\n")),
                base64(&format!("{secret}\n"))
            ),
            pair(3, 4),
        ),
        (
            "the provider is named in the file around",
            "secret.yaml",
            format!(
                "kind: Secret\nmetadata:\n  name: binance-credentials\ndata:\n  api-key: {}\n  api-secret: {}\n",
                base64(&key),
                base64(&secret)
            ),
            pair(5, 6),
        ),
        (
            "a whole file on one line of a manifest",
            "secret.yaml",
            format!("data:\n  .env: {}\n", base64(&env)),
            pair(2, 2),
        ),
        ("a whole wrapped file", "env.b64", wrapped(&base64(&env), 76, ""), pair(1, 3)),
        (
            "a wrapped block with an indentation",
            "values.yaml",
            format!("config: |\n{}other: 1\n", wrapped(&base64(&env), 64, "    ")),
            pair(2, 4),
        ),
        (
            "wrapped with escaped line ends",
            "mail.json",
            format!("{{\"body\": \"{}\"}}\n", wrapped(&base64(&env), 76, "").replace('\n', "\\n")),
            pair(1, 1),
        ),
        (
            "the alphabet of URLs without padding",
            "a.txt",
            format!("state={}\n", BASE64URL_NOPAD.encode(json.as_bytes())),
            pair(1, 1),
        ),
        ("base64 of base64", "a.txt", format!("release: {}\n", base64(&base64(&env))), pair(1, 1)),
        (
            "a command for PowerShell",
            "run.ps1",
            format!("powershell -EncodedCommand {}\n", BASE64.encode(&wide(&line))),
            pair(1, 1),
        ),
        (
            "JSON in hexadecimal",
            "a.txt",
            format!("payload = 0x{}\n", HEXLOWER.encode(json.as_bytes())),
            pair(1, 1),
        ),
        (
            "JSON in a URL",
            "a.txt",
            format!("GET /callback?config={} 200\n", escaped(&json, |byte| format!("%{byte:02X}"))),
            pair(1, 1),
        ),
        (
            "markup in an attribute",
            "a.html",
            format!("<div data-config=\"{}\">\n", json.replace('"', "&quot;")),
            pair(1, 1),
        ),
        (
            "markup in numbers",
            "a.html",
            format!("<div data-config=\"{}\">\n", escaped(&json, |byte| format!("&#{byte};"))),
            pair(1, 1),
        ),
        (
            "literals joined by a sign",
            "Bot.java",
            format!(
                "String binanceApiKey = \"{}\" +\n        \"{}\";\nString binanceApiSecret = \"{}\"\n    + \"{}\";\n",
                &key[..32],
                &key[32..],
                &secret[..32],
                &secret[32..]
            ),
            pair(1, 3),
        ),
        (
            "literals that stand one below the other",
            "bot.py",
            format!(
                "BINANCE_API_KEY = (\n    \"{}\"\n    \"{}\"\n)\nBINANCE_API_SECRET = (\n    '{}'\n    '{}'\n)\n",
                &key[..40],
                &key[40..],
                &secret[..20],
                &secret[20..]
            ),
            pair(2, 6),
        ),
        (
            "lines that go on behind a backslash",
            "run.sh",
            format!(
                "BINANCE_API_KEY={}\\\n{}\nBINANCE_API_SECRET={}\\\n{}\n",
                &key[..30],
                &key[30..],
                &secret[..30],
                &secret[30..]
            ),
            pair(1, 3),
        ),
        (
            "base64 in pieces",
            "bot.js",
            format!("const config = atob(\"{}\" +\n  \"{}\");\n", &base64(&env)[..100], &base64(&env)[100..]),
            pair(1, 2),
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .map(|(title, path, text, expected)| (title, found(path, text.as_bytes()), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(title, found, _)| format!("{title}: {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Formats that hold values in strings need no codec, only names that are found.
#[test]
fn formats_that_hold_strings_are_read() {
    let (key, secret) = (key(), secret());
    let cases = [
        (
            "a notebook's cell",
            "a.ipynb",
            format!(
                "{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [\n    \"import ccxt\\n\",\n    \"binance = ccxt.binance({{'apiKey': '{key}',\\n\",\n    \"  'secret': '{secret}'}})\\n\"\n]}}]}}\n"
            ),
            pair(3, 4),
        ),
        (
            "a notebook's output",
            "a.ipynb",
            format!(
                "{{\"cells\": [{{\"outputs\": [{{\"name\": \"stdout\", \"text\": [\n    \"BINANCE_API_KEY={key}\\n\",\n    \"BINANCE_API_SECRET={secret}\\n\"\n]}}]}}]}}\n"
            ),
            pair(2, 3),
        ),
        (
            "a recorded request",
            "a.har",
            format!(
                "{{\"request\": {{\"url\": \"https://api.binance.com/api/v3/account\", \"headers\": [\n  {{\"name\": \"X-MBX-APIKEY\", \"value\": \"{key}\"}}\n]}}}}\n"
            ),
            vec![],
        ),
        (
            "a Postman environment",
            "a.postman_environment.json",
            format!(
                "{{\"name\": \"binance\", \"values\": [\n  {{\"key\": \"api_key\", \"value\": \"{key}\", \"enabled\": true}},\n  {{\"key\": \"api_secret\", \"value\": \"{secret}\", \"enabled\": true}}\n]}}\n"
            ),
            pair(2, 3),
        ),
    ];
    for (title, path, text, expected) in cases {
        let found = found(path, text.as_bytes());
        if title == "a recorded request" {
            // A key alone is half a credential; that it is seen at all is told by its secret beside it.
            assert!(found.is_empty(), "{title}: {found:?}");
        } else {
            assert_eq!(found, expected, "{title}");
        }
    }
}

#[test]
fn a_short_passphrase_is_read_with_its_set() {
    let text = format!(
        "metadata:\n  name: kucoin-credentials\ndata:\n  api-key: {}\n  api-secret: {}\n  api-passphrase: {}\n",
        base64(&["63f1c4d5", "a8e94b00", "01b2c7d8"].concat()),
        base64(&["4b8f1c2d-9a3e", "-4f7b-8c6d-", "1e2f3a4b5c6d"].concat()),
        base64("Tr4ding!desk"),
    );
    let detection = detect("secret.yaml", text.as_bytes());
    let parts: Vec<&str> = detection.findings.iter().map(|finding| finding.part.as_str()).collect();
    let lines: Vec<u32> = detection.findings.iter().map(|finding| finding.place.line).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert_eq!(lines, [4, 5, 6]);
    assert_eq!(detection.findings[2].secret.expose(), "Tr4ding!desk".as_bytes());
}

#[test]
fn what_is_found_says_how_it_was_written_and_where() {
    let encoded = base64(&secret());
    let text = format!("data:\n  binance-api-key: {}\n  binance-api-secret: {encoded}\n", base64(&key()));
    let detection = detect("secret.yaml", text.as_bytes());
    let finding = &detection.findings[1];
    assert_eq!(finding.span.of(text.as_bytes()), encoded.as_bytes());
    assert!(
        finding.evidence.context.iter().any(|told| told == "base64-encoded"),
        "{:?}",
        finding.evidence.context
    );
    assert_eq!(detection.credentials.len(), 1, "both parts are one credential");
}

#[test]
fn what_holds_nothing_stays_as_it_is() {
    let random: String = (0..80_u32)
        .map(|at| {
            char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    [(at * at * 7919 % 64) as usize],
            )
        })
        .collect();
    for text in [
        format!("cursor: {}\n", base64("{\"id\": 12, \"time\": 1700000000000}")),
        format!("image: data:image/png;base64,{random}\n"),
        format!("note: {}\n", base64("This is a sentence that nobody would take for a credential.")),
        format!("note: {}\n", HEXLOWER.encode(b"This is a sentence that nobody would take for one.")),
        "url: https://example.org/a%20b%2Fc?title=Some%20words%20that%20are%20long\n".to_owned(),
        "path = \"C:\\\\new_folder\\\\something_that_is_long\\\\table\"\n".to_owned(),
        "a = \"some_long_word_here\" +\n  \"another_long_word_here\"\n".to_owned(),
    ] {
        assert_eq!(found("a.yaml", text.as_bytes()), [], "{text}");
    }
}

#[test]
fn what_is_too_deep_is_left() {
    let mut text = env();
    for depth in 1..=5 {
        text = format!("inner: {}\n", base64(&text));
        assert_eq!(found("a.yaml", text.as_bytes()).len(), if depth <= 4 { 2 } else { 0 }, "depth {depth}");
    }
}

/// A way to write a text in another form, by number.
fn written(text: &str, form: usize) -> String {
    match form {
        0 => base64(text),
        1 => BASE64URL_NOPAD.encode(text.as_bytes()),
        2 => HEXLOWER.encode(text.as_bytes()),
        3 => escaped(text, |byte| format!("%{byte:02x}")),
        4 => wrapped(&base64(text), 76, "  "),
        _ => escaped(text, |byte| format!("\\u00{byte:02x}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_plain_text_holds_is_found_in_every_form(
        form in 0_usize..6, before in "[a-z ,.]{0,40}", after in "[a-z ,.]{0,40}",
    ) {
        let plain = format!("# {before}\nbinance_api_key={}\nbinance_api_secret={}\n# {after}\n", key(), secret());
        let text = format!("{{\n  \"content\": \"{}\"\n}}\n", written(&plain, form));
        let rules = |text: &str| found("a.json", text.as_bytes()).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
        prop_assert_eq!(rules(&text), rules(&plain), "{}", text);
    }

    #[test]
    fn nothing_panics_and_spans_stay_inside(
        pieces in proptest::collection::vec((0_usize..8, "[ -~\n]{0,30}"), 1..8), cut in 0_usize..400,
    ) {
        let secrets = format!("\"{}\" \"{}\" {}\n", key(), secret(), access_key());
        let mut bytes: Vec<u8> = pieces
            .iter()
            .flat_map(|(form, noise)| format!("{noise}{}", written(&format!("{noise}{secrets}"), *form)).into_bytes())
            .collect();
        bytes.truncate(bytes.len().saturating_sub(cut));
        let detection = detect("a.txt", &bytes);
        for finding in &detection.findings {
            prop_assert!(finding.span.start < finding.span.end && finding.span.end <= bytes.len(), "{:?}", finding.span);
            prop_assert!(finding.place.line <= finding.place.end_line);
        }
        let detector = Detector::builtin();
        let could = detector.could_hold(&bytes, &detector.trace(&bytes, None));
        prop_assert!(could || detection.findings.is_empty(), "what is found could be held");
    }
}
