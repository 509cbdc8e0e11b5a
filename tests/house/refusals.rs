//! The refusal of a builder is an outcome: it is handled where the builder is called, and never swallowed.

use crate::source::{Source, sources};

/// The methods that write a message and may refuse to, and whether a call of each takes arguments: without them some are
/// namesakes of other methods.
const BUILDERS: [(&str, bool); 7] = [
    ("finish", false),
    ("fragment", true),
    ("octets", false),
    ("octets_for", true),
    ("octets_without_top_via", true),
    ("request", false),
    ("response", false),
];

/// The methods of a result that forget why it is none.
const SWALLOWING: [&str; 9] =
    ["ok", "is_ok", "is_err", "is_ok_and", "unwrap_or", "unwrap_or_default", "unwrap_or_else", "map_or", "map_or_else"];

/// The position behind the bracket that closes the one at `at`.
fn behind(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    tokens.len()
}

/// Where the statement or arm that `at` stands in begins.
fn beginning(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for place in (0..at).rev() {
        match tokens[place].as_str() {
            ")" | "]" => depth += 1,
            "(" | "[" if depth == 0 => return place + 1,
            "(" | "[" => depth -= 1,
            ";" | "{" | "}" if depth == 0 => return place + 1,
            _ => {}
        }
    }
    0
}

fn text(tokens: &[String]) -> String {
    tokens.join(" ")
}

/// The calls of builders in this file whose refusal is forgotten.
fn swallowed(source: &Source) -> Vec<String> {
    let tokens = source.tokens();
    let mut found = Vec::new();
    for at in 1..tokens.len() {
        let Some((name, arguments)) = BUILDERS.iter().find(|(name, _)| tokens[at] == *name) else { continue };
        if tokens[at - 1] != "." || tokens.get(at + 1).is_none_or(|next| next != "(") {
            continue;
        }
        let end = behind(tokens, at + 1);
        if !arguments && end != at + 3 {
            continue;
        }
        let start = beginning(tokens, at);
        let statement = text(&tokens[start..at]);
        let follows = tokens.get(end + 1).filter(|_| tokens[end] == ".");
        let bound = ["if let Ok", "while let Ok", "let _ ="];
        if follows.is_some_and(|next| SWALLOWING.contains(&next.as_str()))
            || bound.iter().any(|begin| statement.starts_with(begin))
        {
            found.push(format!(
                "{}: {statement} {name}(..) {}",
                source.path,
                text(&tokens[end..(end + 3).min(tokens.len())])
            ));
        }
        // A result that has a name is looked at further down in the same function.
        if tokens[start] == "let" && tokens[start + 2] == "=" && tokens[end] == ";" {
            let result = &tokens[start + 1];
            let rest = &tokens[end..];
            let rest = &rest[..rest.iter().position(|token| token == "fn").unwrap_or(rest.len())];
            let forgets = |place: usize| {
                let before = text(&rest[place.saturating_sub(8)..place]);
                let after = rest.get(place + 2).filter(|_| rest.get(place + 1).is_some_and(|next| next == "."));
                after.is_some_and(|next| SWALLOWING.contains(&next.as_str()))
                    || (before.ends_with(") =") && (before.contains("if let Ok (") || before.contains("& & let Ok (")))
            };
            if (0..rest.len()).any(|place| rest[place] == *result && forgets(place)) {
                found.push(format!("{}: {statement} {name}(..), later forgotten", source.path));
            }
        }
    }
    found
}

#[test]
fn no_refusal_of_a_builder_is_swallowed() {
    let found: Vec<String> = sources("core/src").iter().flat_map(swallowed).collect();
    assert!(found.is_empty(), "a refusal is forgotten:\n  {}", found.join("\n  "));
}

/// Every method of `message` that the layers above can call and that may refuse to write is one of those listed.
#[test]
fn each_builder_is_listed() {
    let mut unlisted = Vec::new();
    for source in sources("core/src/message") {
        let tokens = source.tokens();
        for at in 0..tokens.len().saturating_sub(1) {
            if tokens[at] != "fn" {
                continue;
            }
            let Some(body) = tokens[at..].iter().position(|token| token == "{" || token == ";") else { continue };
            let signature = &tokens[at..at + body];
            let is_public = tokens[at.saturating_sub(4)..at].iter().any(|token| token == "pub");
            let only_here = text(&tokens[at.saturating_sub(8)..at]).contains("( super )")
                || text(&tokens[at.saturating_sub(8)..at]).contains("( in");
            if is_public && !only_here && signature.iter().any(|token| token == "BuildError") {
                let name = &tokens[at + 1];
                if !BUILDERS.iter().any(|(builder, _)| builder == name) {
                    unlisted.push(format!("{}: {name}", source.path));
                }
            }
        }
    }
    assert!(unlisted.is_empty(), "not listed:\n  {}", unlisted.join("\n  "));
}
