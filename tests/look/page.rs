//! Shows what a page does: with the pointer, with keys alone, and without its script.

use std::time::Instant;

use fantoccini::Locator;
use serde_json::json;

use crate::browser::{Theme, Wanted, with};
use crate::samples;

const OPEN: &str = "return [...document.querySelectorAll('.row[open]')].map(row => row.id)";
const SHOWN: &str = "return [...document.querySelectorAll('.row')].filter(row => !row.hidden).length";

#[test]
fn an_arrow_opens_its_message_with_a_word_on_each_header() {
    with(Wanted::USUAL, async |browser| {
        browser.open("open.html", &samples::broken()).await;
        browser.click("#r3 > summary").await;
        let panel = browser.client.find(Locator::Css("#r3 .panel")).await.expect("the message");
        assert!(panel.is_displayed().await.expect("it is known"));
        let text = panel.text().await.expect("its text");
        for part in
            ["INVITE sip:bob@biloxi.com SIP/2.0", "Via: ", "its branch names the transaction", "how many hops are left"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    });
}

#[test]
fn steps_go_from_message_to_message_and_end_at_the_last() {
    with(Wanted::USUAL, async |browser| {
        browser.open("step.html", &samples::broken()).await;
        let messages = browser.ask("return [...document.querySelectorAll('details.row')].map(row => row.id)").await;
        let messages: Vec<String> = serde_json::from_value(messages).expect("ids");
        for expected in &messages[..3] {
            browser.click("#step").await;
            assert_eq!(browser.ask(OPEN).await, json!([expected]));
        }
        browser.click("#back").await;
        assert_eq!(browser.ask(OPEN).await, json!([messages[1]]));
        for _ in 0..messages.len() {
            browser.click("#step").await;
        }
        assert_eq!(browser.ask(OPEN).await, json!([messages.last()]));
    });
}

#[test]
fn filters_choose_a_method_a_node_and_a_call() {
    with(Wanted::USUAL, async |browser| {
        browser.open("filter.html", &samples::broken()).await;
        let all = browser.ask(SHOWN).await.as_u64().expect("a number");
        let choose = async |by: &str, label: &str| {
            let select = browser.client.find(Locator::Css(&format!("select[data-by={by}]"))).await.expect("a filter");
            select.select_by_label(label).await.expect("a choice");
            browser.ask(SHOWN).await.as_u64().expect("a number")
        };
        assert!(choose("method", "BYE").await < all);
        let methods = browser.ask("return [...new Set([...document.querySelectorAll('details.row')].filter(row => !row.hidden).map(row => row.dataset.m))]").await;
        assert_eq!(methods, json!(["BYE"]));
        // What broke is seen whatever is chosen.
        assert_eq!(browser.ask("return document.querySelector('#broken').hidden").await, false);
        assert_eq!(choose("method", "all methods").await, all);
        let of_bob = choose("node", "bob").await;
        assert!(0 < of_bob && of_bob < all);
        assert_eq!(choose("node", "all nodes").await, all);
        let count = browser.ask("return document.querySelectorAll('select[data-by=call] option').length").await;
        assert_eq!(count, 3, "the registration, the call, and all");
    });
}

#[test]
fn the_command_is_copied() {
    with(Wanted::USUAL, async |browser| {
        browser.open("copy.html", &samples::broken()).await;
        browser.click("#copy").await;
        browser.ask("const area = document.createElement('textarea'); area.id = 'area'; document.body.prepend(area); area.focus()").await;
        browser.press("\u{e009}v").await;
        let pasted = browser.ask("return document.querySelector('#area').value").await;
        assert_eq!(pasted, samples::broken_run().0.to_string());
    });
}

#[test]
fn keys_alone_suffice() {
    with(Wanted::USUAL, async |browser| {
        browser.open("keys.html", &samples::broken()).await;
        // Each control can be reached by Tab, and shows that it was.
        let mut reached = Vec::new();
        for _ in 0..20 {
            browser.press("\u{e004}").await;
            let here = browser.ask("const at = document.activeElement; return [at.id || at.dataset.by || at.className || at.parentElement.id || at.tagName, getComputedStyle(at).outlineStyle]").await;
            assert_eq!(here[1], "solid", "{here}");
            reached.push(here[0].as_str().expect("a name").to_owned());
        }
        for control in ["copy", "call", "node", "method", "back", "step", "scale", "scroll", "r0"] {
            assert!(reached.iter().any(|name| name == control), "{control}: {reached:?}");
        }
        while browser.ask("return document.activeElement.parentElement.id").await != json!("r3") {
            browser.press("\u{e004}").await;
        }
        browser.press("\u{e007}").await;
        assert_eq!(browser.ask(OPEN).await, json!(["r3"]));
        browser.press("j").await;
        let next = browser.ask(OPEN).await;
        assert_ne!(next, json!(["r3"]));
        browser.press("k").await;
        assert!(browser.ask(OPEN).await.as_array().is_some_and(|open| open.contains(&json!("r3"))));
        browser.press("\u{e00c}").await;
        assert_eq!(browser.ask(OPEN).await, json!([]));
        browser.press("b").await;
        let place = browser.ask("const box = document.querySelector('#broken').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight").await;
        assert_eq!(place, true, "what broke is in view");
    });
}

#[test]
fn without_its_script_a_page_is_read_all_the_same() {
    with(Wanted { scripts: false, ..Wanted::USUAL }, async |browser| {
        browser.open("plain.html", &samples::broken()).await;
        let is_seen = async |selector: &str| {
            let found = browser.client.find(Locator::Css(selector)).await.expect("an element");
            found.is_displayed().await.expect("it is known")
        };
        assert!(!is_seen("#tools").await && !is_seen("#copy").await, "what needs the script is not offered");
        browser.click("#r3 > summary").await;
        assert!(is_seen("#r3 .panel").await && is_seen("#lanes").await && is_seen("#broken").await);
        browser.click("#scale").await;
        assert!(is_seen("#broken").await);
    });
}

#[test]
fn ten_thousand_messages_are_usable() {
    with(Wanted { theme: Theme::Dark, ..Wanted::USUAL }, async |browser| {
        let page = samples::long();
        let began = Instant::now();
        browser.open("long.html", &page).await;
        let loaded = began.elapsed();
        browser.click("#step").await;
        let stepped = began.elapsed() - loaded;
        browser.click(".more > summary").await;
        let opened = began.elapsed() - loaded - stepped;
        eprintln!("{} octets: loaded in {loaded:?}, a step in {stepped:?}, 500 rows opened in {opened:?}", page.len());
        assert!(loaded.as_secs() < 120 && stepped.as_secs() < 10 && opened.as_secs() < 10);
        assert_eq!(browser.ask("return document.querySelectorAll('.more[open]').length").await, 1);
    });
}
