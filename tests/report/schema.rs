//! A small reader of `docs/report.schema.json`: as much of JSON Schema as that file uses.
//!
//! Invariant: a word of the schema that is not understood here is an error, so that nothing is taken as checked that
//! is not.

use serde_json::Value;

/// Words that say something to people only.
const SILENT: [&str; 5] = ["$schema", "$defs", "title", "description", "$comment"];

/// What in `value` breaks `schema`, each with its place.
pub fn violations(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let words = schema.as_object().unwrap_or_else(|| panic!("{at}: a schema is an object"));
    for (word, rule) in words.iter().filter(|(word, _)| !SILENT.contains(&word.as_str())) {
        let holds = match word.as_str() {
            "$ref" => {
                let pointer =
                    rule.as_str().and_then(|text| text.strip_prefix('#')).expect("a local reference");
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{at}: {pointer} is nowhere"));
                check(root, target, value, at, found);
                true
            }
            "type" => has_type(rule, value),
            "const" => value == rule,
            "enum" => listed(rule).contains(value),
            "minimum" => {
                value.as_f64().is_none_or(|number| rule.as_f64().is_some_and(|least| number >= least))
            }
            "pattern" => value.as_str().is_none_or(|text| {
                let pattern = rule.as_str().expect("a pattern is text");
                regex::Regex::new(pattern).expect("a pattern is valid").is_match(text)
            }),
            "required" => {
                !value.is_object()
                    || listed(rule).iter().all(|key| {
                        let there = value.get(key.as_str().expect("a key is text")).is_some();
                        if !there {
                            found.push(format!("{at}: {key} is missing"));
                        }
                        there
                    })
            }
            "properties" => {
                for (key, part) in rule.as_object().expect("properties are an object") {
                    if let Some(field) = value.get(key) {
                        check(root, part, field, &format!("{at}.{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false), "{at}: only false is understood");
                let known = schema["properties"].as_object().expect("properties stand beside it");
                value.as_object().is_none_or(|fields| fields.keys().all(|key| known.contains_key(key)))
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{index}]"), found);
                }
                true
            }
            other => panic!("{at}: the word {other} is not understood"),
        };
        if !holds {
            found.push(format!("{at}: {word} {rule} does not hold"));
        }
    }
}

fn listed(rule: &Value) -> &[Value] {
    rule.as_array().expect("a list")
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().expect("a type is a word") {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not understood"),
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}
