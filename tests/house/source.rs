//! Source files as the rules see them: without comments, literals and tests, and the paths that are named in them.

use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// Where the file is, from the root of the repository.
    pub(crate) path: String,
    /// The names of its module, from the root of the crate.
    pub(crate) module: Vec<String>,
    /// How many lines are no part of a test.
    pub(crate) lines: usize,
    tokens: Vec<String>,
}

/// The source files below a folder of the repository, in the order of their names, without those that are all test.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let mut tests = Vec::new();
    let mut sources = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let path = file.strip_prefix(&root).expect("a file below the root").display().to_string();
        let module = module_of(file.strip_prefix(root.join(folder)).expect("a file below the folder"));
        let mut code = blanked(&text);
        let test_lines = blank_tests(&mut code, &module, &mut tests);
        sources.push(Source { path, module, lines: text.lines().count() - test_lines, tokens: tokens(&code) });
    }
    sources.retain(|source| !tests.iter().any(|test| source.module.starts_with(test)));
    sources
}

/// The texts of the source files below a folder of the repository, in the order of their names.
pub(crate) fn texts(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut files);
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("a source file")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> Vec<String> {
    let mut names: Vec<String> = file.with_extension("").iter().map(|name| name.display().to_string()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

/// The text with a space for each octet of a comment or literal; line ends stay.
fn blanked(text: &str) -> Vec<u8> {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let end = literal_or_comment(&code, at);
        code[at..end].iter_mut().filter(|octet| **octet != b'\n').for_each(|octet| *octet = b' ');
        at = end.max(at + 1);
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` if none does.
fn literal_or_comment(code: &[u8], at: usize) -> usize {
    let rest = &code[at..];
    let after = |text: &[u8], end: &[u8]| text.windows(end.len()).position(|window| window == end);
    if rest.starts_with(b"//") {
        return at + after(rest, b"\n").unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + after(rest, b"*/").map_or(rest.len(), |end| end + 2);
    }
    let is_in_name = at > 0 && (code[at - 1].is_ascii_alphanumeric() || code[at - 1] == b'_');
    let hashes = rest.iter().skip(1).take_while(|octet| **octet == b'#').count();
    if rest[0] == b'r' && !(is_in_name && code[at - 1] != b'b') && rest.get(1 + hashes) == Some(&b'"') {
        let end = [b"\"".to_vec(), vec![b'#'; hashes]].concat();
        let start = 2 + hashes;
        return at + start + after(&rest[start..], &end).map_or(0, |found| found + end.len());
    }
    let quote = rest[0];
    let is_literal = quote == b'"' || quote == b'\'' && (rest.get(1) == Some(&b'\\') || char_ends(rest));
    if !is_literal {
        return at;
    }
    let mut end = 1;
    while end < rest.len() && rest[end] != quote {
        end += if rest[end] == b'\\' { 2 } else { 1 };
    }
    at + (end + 1).min(rest.len())
}

/// Whether a quote begins a character and not a lifetime.
fn char_ends(rest: &[u8]) -> bool {
    let width = std::str::from_utf8(&rest[1..(rest.len()).min(5)])
        .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]))
        .ok()
        .and_then(|text| text.chars().next())
        .map_or(1, char::len_utf8);
    rest.get(1 + width) == Some(&b'\'')
}

/// Blanks each item under `#[cfg(test)]`; how many lines they had. Notes the modules that are files of their own.
fn blank_tests(code: &mut [u8], module: &[String], tests: &mut Vec<Vec<String>>) -> usize {
    const MARK: &[u8] = b"#[cfg(test)]";
    let mut lines = 0;
    while let Some(start) = code.windows(MARK.len()).position(|window| window == MARK) {
        let (mut end, mut depth) = (start + MARK.len(), 0_usize);
        while end < code.len() {
            match code[end] {
                b'(' | b'[' | b'{' => depth += 1,
                // The last field of a list may have no comma.
                b')' | b']' | b'}' if depth == 0 => break,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
            end += 1;
            let is_field = || {
                ![&b"fn "[..], b"impl"].iter().any(|word| code[start..end].windows(4).any(|at| at.starts_with(word)))
            };
            if depth == 0 && (b";}".contains(&code[end - 1]) || code[end - 1] == b',' && is_field()) {
                break;
            }
        }
        let item = String::from_utf8_lossy(&code[start + MARK.len()..end]).into_owned();
        if let Some(name) = item.trim().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            tests.push([module, &[name.to_owned()]].concat());
        }
        lines += 1 + item.matches('\n').count();
        code[start..end].iter_mut().filter(|octet| **octet != b'\n').for_each(|octet| *octet = b' ');
    }
    lines
}

/// Names, `::`, and every other sign by itself.
fn tokens(code: &[u8]) -> Vec<String> {
    let mut tokens = Vec::new();
    let code = String::from_utf8_lossy(code);
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            first if is_name(first) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            first => first.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

impl Source {
    /// The code: names, `::`, and every other sign by itself.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Every path that begins with `crate` or `super`, from the root of the crate.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        // Modules that are written within the file, each with the number of braces that were open before it.
        let (mut within, mut depth) = (Vec::new(), 0_usize);
        for (at, token) in self.tokens.iter().enumerate() {
            match token.as_str() {
                "{" => {
                    if at >= 2 && self.tokens[at - 2] == "mod" {
                        within.push((self.tokens[at - 1].clone(), depth));
                    }
                    depth += 1;
                }
                "}" => {
                    depth -= 1;
                    if within.last().is_some_and(|(_, before)| *before == depth) {
                        within.pop();
                    }
                }
                "crate" | "super" if self.tokens.get(at + 1).is_some_and(|next| next == "::") => {
                    // `super::super` is one path.
                    if at >= 2 && self.tokens[at - 1] == "::" && self.tokens[at - 2] == "super" {
                        continue;
                    }
                    let mut module = self.module.clone();
                    module.extend(within.iter().map(|(name, _)| name.clone()));
                    let (ends, _) = tree(&self.tokens[at..]);
                    paths.extend(ends.into_iter().map(|path| absolute(&module, path)));
                }
                _ => {}
            }
        }
        paths
    }
}

/// The paths of a `use` tree, or the one path of an expression, and how many tokens they take.
fn tree(tokens: &[String]) -> (Vec<Vec<String>>, usize) {
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|token| token == what);
    if is(0, "{") {
        let (mut paths, mut at) = (Vec::new(), 1);
        while at < tokens.len() && !is(at, "}") {
            let (more, taken) = tree(&tokens[at..]);
            paths.extend(more);
            at += taken;
            // A new name or an end of line.
            while at < tokens.len() && !is(at, ",") && !is(at, "}") {
                at += 1;
            }
            at += usize::from(is(at, ","));
        }
        return (paths, at + 1);
    }
    let Some(first) = tokens.first() else { return (Vec::new(), 1) };
    if is(1, "::") && tokens.get(2).is_some_and(|next| next != "<") {
        let (ends, taken) = tree(&tokens[2..]);
        let whole = ends.into_iter().map(|end| [vec![first.clone()], end].concat()).collect();
        return (whole, taken + 2);
    }
    (vec![vec![first.clone()]], 1)
}

fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    if ups == 0 {
        return path[1..].to_vec();
    }
    [&module[..module.len() - ups], &path[ups..]].concat()
}

/// The macros that are declared anywhere, each with its module.
pub(crate) fn macros(sources: &[Source]) -> Vec<(String, Vec<String>)> {
    let declared = |source: &Source| {
        let windows = source.tokens.windows(3).filter(|window| window[0] == "macro_rules");
        windows.map(|window| (window[2].clone(), source.module.clone())).collect::<Vec<_>>()
    };
    sources.iter().flat_map(declared).collect()
}

/// Which module each name comes from that the root module of a folder shows as its own.
pub(crate) fn shown(root: &Source) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for at in 0..root.tokens.len() {
        if root.tokens[at] == "use" {
            let (paths, _) = tree(&root.tokens[at + 1..]);
            let own = paths.into_iter().map(|path| if path[0] == "self" { path[1..].to_vec() } else { path });
            shown.extend(own.filter(|path| path.len() > 1).map(|path| (path[path.len() - 1].clone(), path[0].clone())));
        }
    }
    shown
}
