use std::collections::BTreeSet;

use super::*;
use crate::render::picture::tests::{Written, request};
use crate::render::{ladder, mermaid, svg};
use crate::run::{Case, run};
use crate::trace::Trace;
use sansip::Instant;

fn page(trace: &Trace) -> String {
    let figures = Figures::of(trace, Instant::ZERO);
    Page { trace, figures, verdict: None, replay: Some("sansip-sim call --plan '<&\">'".to_owned()) }.to_string()
}

/// Says what a reader of HTML that knows no exceptions makes of a page: the names of its tags and attributes, and its text. Whatever is not as maud writes it
/// is an error.
struct Read {
    names: BTreeSet<String>,
    text: String,
    attributes: Vec<String>,
}

fn read(page: &str) -> Read {
    let mut read = Read { names: BTreeSet::new(), text: String::new(), attributes: Vec::new() };
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        read.text.push_str(&unescaped(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!DOCTYPE html>") {
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap();
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        while !rest.starts_with('>') {
            rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("in <{name}>: {}", &rest[..rest.len().min(80)]));
            let end = rest.find(['=', '>', ' ']).unwrap();
            read.names.insert(format!("@{}", &rest[..end]));
            rest = &rest[end..];
            if let Some(value) = rest.strip_prefix("=\"") {
                let end = value.find('"').unwrap();
                read.attributes.push(unescaped(&value[..end]));
                assert!(!value[..end].contains(['<', '>']), "{}", &value[..end]);
                rest = &value[end + 1..];
            }
        }
        rest = &rest[1..];
        if name == "style" || name == "script" {
            rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
        }
        read.names.insert(name);
    }
    read
}

fn unescaped(text: &str) -> String {
    let parts: Vec<&str> = text.split('&').collect();
    let known = [("lt;", "<"), ("gt;", ">"), ("quot;", "\""), ("amp;", "&")];
    let rest = parts[1..].iter().map(|part| {
        let (code, sign) = known.iter().find(|(code, _)| part.starts_with(code)).unwrap_or_else(|| panic!("&{part}"));
        format!("{sign}{}", &part[code.len()..])
    });
    std::iter::once(parts[0].to_owned()).chain(rest).collect()
}

/// Pieces of which texts of strangers are made here.
const NASTY: [&[u8]; 20] = [
    b"<script>alert(1)</script>",
    b"</script>",
    b"\"",
    b"'",
    b"&",
    b"&lt;",
    b"<!--",
    b"]]>",
    b"\0",
    b"\x1b[2J",
    b"\x7f",
    b"\xff\xfe",
    "\u{202e}".as_bytes(),
    "\u{5e9}\u{5dc}".as_bytes(),
    b" onload=x ",
    b"<img src=x>",
    b"javascript:",
    b"</title>",
    b"=",
    b"word",
];

fn nasty(dice: &mut u64) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..4 {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(NASTY[(*dice >> 33) as usize % NASTY.len()]);
    }
    text
}

/// A text without what parts a name from its value.
fn bare(text: &str) -> String {
    text.replace([' ', ':'], "")
}

#[test]
fn every_octet_of_a_message_is_text_in_a_page() {
    let usual = read(&page(run(&Case::default()).world.trace())).names;
    let mut dice = 1;
    for _ in 0..500 {
        let texts: Vec<Vec<u8>> = (0..8).map(|_| nasty(&mut dice)).collect();
        let lossy = |at: usize| String::from_utf8_lossy(&texts[at]).into_owned();
        let mut trace = Written::new(&[&lossy(0), "bob"]);
        let mut message = request("INVITE", "1");
        message.truncate(message.len() - 2);
        for (name, value) in [(b"X-One".to_vec(), &texts[1]), (texts[2].clone(), &texts[3])] {
            message.extend([&name[..], b": ", value, b"\r\n"].concat());
        }
        message.extend([b"\r\n", &texts[4][..]].concat());
        let unread = [b"INVITE sip:x ".to_vec(), texts[5].clone()].concat();
        for bytes in [&message, &unread] {
            let sent = trace.sent(1, 0, Some(1), "", bytes);
            trace.arrives(2, 1, sent);
        }
        trace.noted(3, 1, &lossy(6));
        let page = page(&trace.0);
        let found = read(&page);
        let strange: Vec<&String> =
            found.names.difference(&usual).filter(|name| !["pre", "@hidden"].contains(&name.as_str())).collect();
        assert!(strange.is_empty(), "{strange:?}");
        // Each line of each message is there, as it was sent: names and values are parted by a colon and a space whatever stood there.
        let text = bare(&found.text);
        for line in message.split(|octet| *octet == b'\n').chain([&unread[..]]) {
            let line = bare(&visible(String::from_utf8_lossy(line).trim_end_matches('\r')));
            assert!(text.contains(&line), "{line:?} of {text:?}");
        }
        assert!(found.text.contains(&cut(&lossy(6), 200)));
        let is_fit = |c: char| c == '\n' || !c.is_control();
        assert!(page.chars().all(is_fit) && svg(&Picture::of(&trace.0, []), &lossy(7)).chars().all(is_fit));
        assert_eq!(page.matches("<script>").count(), 1);
        read(&svg(&Picture::of(&trace.0, []), &lossy(7)));
        let diagram = mermaid(&Picture::of(&trace.0, []));
        assert!(
            diagram.lines().all(|line| !line.contains(['<', '"', '&', '\'', '`']) || line.contains("->>")),
            "{diagram}"
        );
    }
}

#[test]
fn a_page_loads_nothing_and_links_to_rfcs_alone() {
    let case = Case { plan: "alice>bob ACK:drop".parse().unwrap(), ..Case::default() };
    let done = run(&case);
    let verdict = crate::run::Verdict::panicked(&done.world, &"x");
    let page = Page {
        trace: done.world.trace(),
        figures: Figures::of(done.world.trace(), done.world.now()),
        verdict: Some(&verdict),
        replay: None,
    };
    let page = page.to_string();
    let addresses: Vec<&str> =
        page.match_indices("://").map(|(at, _)| &page[at.saturating_sub(5)..(at + 25).min(page.len())]).collect();
    assert!(addresses.iter().all(|address| address.starts_with("https://www.rfc-editor.org/")), "{addresses:?}");
    let links = ["@src", "@srcset", "link", "img", "iframe", "object", "@onclick", "@action", "base"];
    let names = read(&page).names;
    assert!(links.iter().all(|name| !names.contains(*name)), "{names:?}");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn each_drawing_is_there_of_nothing_of_one_and_of_nodes_that_never_speak() {
    let nothing = Written::new(&[]);
    let silent = Written::new(&["alice", "bob", "carol"]);
    let mut one = Written::new(&["alice"]);
    one.sent(5, 0, None, "", &request("OPTIONS", "1"));
    let mut itself = Written::new(&["alice"]);
    let sent = itself.sent(5, 0, Some(0), "", &request("OPTIONS", "1"));
    itself.arrives(6, 0, sent);
    for (trace, words) in [
        (&nothing.0, "Nothing was sent"),
        (&silent.0, "0 messages between 3 nodes"),
        (&one.0, "1 message of alice"),
        (&itself.0, "1 message of alice"),
    ] {
        let page = page(trace);
        assert!(read(&page).text.contains(words), "{words}");
        let picture = Picture::of(trace, []);
        let (image, diagram) = (svg(&picture, "x"), mermaid(&picture));
        read(&image);
        assert!(diagram.contains("participant") && !ladder(trace).contains("panicked"), "{diagram}");
        for name in &picture.names {
            assert!(page.contains(name) && image.contains(name) && diagram.contains(name), "{name}");
        }
    }
    assert!(page(&one.0).contains("nobody at 192.0.2.100:5060"));
}

#[test]
fn names_that_are_long_or_turned_are_cut_and_the_page_says_so() {
    let (long, turned) = ("n".repeat(200), "\u{202e}moc\u{5e9}");
    let trace = Written::new(&[&long, turned]);
    let page = page(&trace.0);
    let shown = format!("{}…", "n".repeat(NAME - 1));
    assert!(page.contains(&shown) && page.contains("Names longer than 24 characters are cut"));
    assert!(page.contains("\u{fffd}moc\u{5e9}") && !page.contains('\u{202e}'));
    let picture = Picture::of(&trace.0, []);
    assert!(
        svg(&picture, "x").contains(&shown) && mermaid(&picture).contains(&shown) && !mermaid(&picture).contains(&long)
    );
}

#[test]
fn a_long_run_is_a_window_with_the_rest_a_click_away_and_then_left_out_by_number() {
    let mut trace = Written::new(&["alice", "bob"]);
    let rows = PAGE_ROWS + 500;
    for at in 0..rows {
        trace.noted(at as u64, 0, "here");
    }
    let page = page(&trace.0);
    assert_eq!(page.matches("class=\"row note\"").count(), PAGE_ROWS);
    assert!(
        page.contains("500 later rows, 0.300 to 0.799 s")
            && page.contains("500 rows after these are not on this page.")
    );
    let picture = Picture::of(&trace.0, []);
    let left = |drawn: usize| rows - drawn;
    assert!(svg(&picture, "x").contains(&format!("{} rows after these are left out.", left(crate::render::SVG_ROWS))));
    let diagram = mermaid(&picture);
    assert!(
        diagram.contains(&format!("{} rows after are left out", left(crate::render::MERMAID_ROWS)))
            && diagram.len() < 50_000
    );
}

#[test]
fn a_page_of_a_broken_rule_begins_with_it_and_with_what_replays_it() {
    let done = run(&Case::default());
    let verdict = crate::run::Verdict::panicked(&done.world, &"a slot is gone");
    let (trace, figures) = (done.world.trace(), Figures::of(done.world.trace(), done.world.now()));
    let text = Page { trace, figures, verdict: Some(&verdict), replay: Some("sansip-sim call --seed 1".to_owned()) }
        .to_string();
    let text = read(&text).text;
    assert!(
        text.contains("A slot is gone")
            && text.contains("sansip-sim call --seed 1")
            && text.contains("Rule broken, panic: a slot is gone")
    );
    let holds = Page { trace, figures, verdict: Some(&done.verdict), replay: None }.to_string();
    assert!(read(&holds).text.contains("All checks hold"));
}

#[test]
fn a_message_shows_what_the_last_hop_changed() {
    let done = run(&Case::default());
    let page = page(done.world.trace());
    let third = page.split("<details").find(|part| part.contains("<b>F3</b> INVITE")).unwrap();
    let lines: Vec<&str> = third.split("<div class=\"line").skip(1).collect();
    let line =
        |start: &str| *lines.iter().find(|line| line.contains(start)).unwrap_or_else(|| panic!("{start}: {third}"));
    // RFC 3261 §16.6: the proxy puts its Via on top and takes one from Max-Forwards; the Via below has `received` (§18.2.1).
    assert!(line("bigbox3.site3.atlanta.com").contains("added. "));
    assert!(line("pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1").contains("changed. "));
    assert!(line("<b>Max-Forwards</b>: 69").contains("changed. ") && line("<b>Call-ID</b>").starts_with("\">"));
    let answer = page.split("<details").find(|part| part.contains("<b>F7</b> 180")).unwrap();
    assert!(answer.contains("<div class=\"line gone\">") && answer.contains("taken off. "), "{answer}");
}
