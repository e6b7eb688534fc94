//! A page in Chromium, driven over the two pipes of its debugging protocol: keys as a person presses them, and what a
//! screen reader is told.
//!
//! Must not know: what the pages are about.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// One open page.
pub struct Tab {
    browser: Child,
    commands: File,
    answers: BufReader<File>,
    session: Option<String>,
    sent: u64,
    directory: TempDir,
}

impl Tab {
    /// Opens a page with that content.
    pub fn open(program: &Path, html: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = |name: &str| directory.path().join(name);
        for pipe in ["commands", "answers"] {
            let made = Command::new("mkfifo").arg(path(pipe)).status().expect("mkfifo can be started");
            assert!(made.success(), "a pipe can be made in a temporary directory");
        }
        fs::write(path("report.html"), html).expect("the directory is writable");
        // Whatever hangs ends by itself.
        let script = "exec timeout 120 \"$@\" 3<commands 4>answers";
        let browser = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", path("profile").display()))
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell can be started");
        let commands = File::options().write(true).open(path("commands")).expect("the browser reads it");
        let answers = BufReader::new(File::open(path("answers")).expect("the browser writes it"));
        let mut tab = Self { browser, commands, answers, session: None, sent: 0, directory };
        let target = tab.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            tab.ask("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        tab.size(1200, 1000);
        tab.load("");
        tab
    }

    /// Loads the page, with what stands after its address.
    pub fn load(&mut self, fragment: &str) {
        let page = self.directory.path().join("report.html");
        self.ask("Page.enable", json!({}));
        self.ask("Page.navigate", json!({"url": format!("file://{}{fragment}", page.display())}));
        while self.message()["method"] != "Page.loadEventFired" {}
    }

    /// How large the window is.
    pub fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// `light` or `dark`.
    pub fn scheme(&mut self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", features);
    }

    /// What an expression is worth in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let arguments = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.ask("Runtime.evaluate", arguments);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Lets the page do what it put off.
    pub fn settle(&mut self) {
        self.value("new Promise((done) => setTimeout(done, 100))");
    }

    /// Presses a key and lets it go.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "ArrowDown" => (40, ""),
            _ => panic!("the table has no {key}"),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
            });
            self.ask("Input.dispatchKeyEvent", event);
        }
    }

    /// Types words where the focus is.
    pub fn type_words(&mut self, words: &str) {
        self.ask("Input.insertText", json!({"text": words}));
    }

    /// What a screen reader is told: role and name of everything that is not hidden from it.
    pub fn spoken(&mut self) -> Vec<Value> {
        let tree = self.ask("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        nodes.into_iter().filter(|node| node["ignored"] == false).collect()
    }

    /// The answer to a command; what the browser says in between is passed over.
    fn ask(&mut self, method: &str, arguments: Value) -> Value {
        self.sent += 1;
        let mut command = json!({"id": self.sent, "method": method, "params": arguments});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let written = self.commands.write_all(format!("{command}\0").as_bytes());
        written.unwrap_or_else(|error| panic!("{method}: the browser is gone: {error}"));
        loop {
            let message = self.message();
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.answers.read_until(0, &mut bytes).expect("the pipe can be read");
        assert_eq!(bytes.pop(), Some(0), "the browser ended");
        serde_json::from_slice(&bytes).expect("the browser speaks JSON")
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.browser.wait();
    }
}
