//! Regular expressions on paths as patterns of a .gitignore.
//!
//! Must not know: tools. Invariant: the patterns match no path that the expression does not match, but for what stands in a
//! directory of exactly that name; what cannot be said so is not said.

/// The patterns that say the same; `None` where none do.
pub(super) fn as_patterns(expression: &str) -> Option<Vec<String>> {
    let expression = expression.trim().trim_start_matches("(?i)");
    let alternatives = split_alternatives(expression)?;
    alternatives.iter().map(|alternative| one(alternative)).collect()
}

/// `(?:a|b)` as a whole, or `a|b` without parentheses; anything deeper is not taken apart.
fn split_alternatives(expression: &str) -> Option<Vec<String>> {
    if !expression.contains('|') {
        return Some(vec![expression.to_owned()]);
    }
    let open = expression.find('(');
    let Some(open) = open else { return Some(expression.split('|').map(str::to_owned).collect()) };
    let close = expression[open..].find(')')? + open;
    let (before, after) = (&expression[..open], &expression[close + 1..]);
    let inner = expression[open + 1..close].trim_start_matches("?:");
    if before.contains('|') || after.contains(['|', '(', ')', '*', '+', '?']) || inner.contains('(') {
        return None;
    }
    Some(inner.split('|').map(|alternative| format!("{before}{alternative}{after}")).collect())
}

fn one(expression: &str) -> Option<String> {
    let anchored = expression.starts_with('^');
    let ended = expression.ends_with('$') && !expression.ends_with("\\$");
    let body = expression.trim_start_matches('^');
    let body = if ended { &body[..body.len() - 1] } else { body };
    let body = body.replace("(.*?)", ".*").replace("(.*)", ".*").replace(".*?", ".*").replace(".+", ".*");
    // `.*` in front of an expression that begins anywhere, or behind one that ends anywhere, says nothing.
    let (front, body) = stripped(&body, |text| text.strip_prefix(".*"));
    let (back, body) = stripped(body, |text| text.strip_suffix(".*"));
    let (begins_anywhere, ends_anywhere) = (!anchored || front, !ended || back);
    let glob = literal(body)?;
    if glob.is_empty() {
        return None;
    }
    let front = match glob.strip_prefix('/') {
        // Below the root every path begins without a slash, so one in front means a directory above.
        Some(_) if !begins_anywhere => return None,
        Some(rest) => format!("**/{rest}"),
        None if !begins_anywhere => format!("/{glob}"),
        None if glob.contains('/') => format!("**/{glob}"),
        // A name that ends so.
        None => format!("*{glob}"),
    };
    Some(if ends_anywhere && front.ends_with('/') { format!("{front}**") } else { front })
}

fn stripped(text: &str, strip: impl Fn(&str) -> Option<&str>) -> (bool, &str) {
    strip(text).map_or((false, text), |rest| (true, rest))
}

/// The expression without escapes, `.*` as `*`; `None` where anything else is meant.
fn literal(expression: &str) -> Option<String> {
    let mut glob = String::new();
    let mut characters = expression.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next()?;
                if escaped.is_ascii_alphanumeric() || "*?[]".contains(escaped) {
                    return None;
                }
                glob.push(escaped);
            }
            '.' if characters.peek() == Some(&'*') => {
                characters.next();
                glob.push('*');
            }
            // A dot that was meant as itself by nearly everybody; as itself it is narrower.
            '.' => glob.push('.'),
            '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '!' => return None,
            other => glob.push(other),
        }
    }
    Some(glob)
}

#[cfg(test)]
mod tests {
    use super::as_patterns;

    #[test]
    fn expressions_as_patterns() {
        for (expression, expected) in [
            (r"(.*?)\.lock$", Some(&["*.lock"][..])),
            (r"\.lock$", Some(&["*.lock"])),
            (r"^vendor/", Some(&["/vendor/**"])),
            (r"^tests/data/keys\.json$", Some(&["/tests/data/keys.json"])),
            (r"testdata/", Some(&["**/testdata/**"])),
            (r"/fixtures/", Some(&["**/fixtures/**"])),
            (r"(^|/)x", Some(&["/x", "**/x"])),
            (r"(?:go\.mod|go\.sum)$", Some(&["*go.mod", "*go.sum"])),
            (r".*\.(jpg|png)$", Some(&["*.jpg", "*.png"])),
            (r"[a-z]+\.py", None),
            (r"a{2}", None),
            (r".*", None),
            (r"", None),
        ] {
            let patterns = as_patterns(expression);
            let patterns = patterns.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(patterns.as_deref(), expected, "{expression}");
        }
    }
}
