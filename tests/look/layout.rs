//! Boxes and colours, asked of the browser.

use crate::browser::{Browser, Theme, Wanted, with};
use crate::samples;

/// The labels that cover one another, each pair in a line.
const COVERED: &str = r#"
const boxes = [...document.querySelectorAll(".label, .said, .names .name, .row .time, h1, h2, h3, .states, .what, svg.chart text, text")]
  .map(element => ({ element, box: element.getBoundingClientRect() }))
  .filter(({ element, box }) => box.width > 0 && box.height > 0 && !element.closest(".names"));
const covered = [];
for (let one = 0; one < boxes.length; one++)
  for (let other = one + 1; other < boxes.length; other++) {
    const [a, b] = [boxes[one].box, boxes[other].box];
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && tall > 1.5) covered.push(`${boxes[one].element.textContent} | ${boxes[other].element.textContent}`);
  }
return covered;
"#;

/// How far the page is wider than its window, and what leaves the window though nothing around it scrolls.
const TOO_WIDE: &str = r#"
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const scrolls = element => element && (/(auto|scroll|hidden)/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
const out = [...document.body.querySelectorAll("*")].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1) && !scrolls(element.parentElement);
});
return [wide, ...out.map(element => element.outerHTML.slice(0, 120))];
"#;

/// The texts whose colour differs from what is behind them by less than 4.5 to 1 (WCAG 2.2 §1.4.3).
const FAINT: &str = r#"
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const parts = colour => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parts(getComputedStyle(at).backgroundColor);
    if (colour[3] > 250) return colour;
  }
  return parts(getComputedStyle(document.body).backgroundColor);
};
const faint = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.textContent.trim(), element = walk.currentNode.parentElement;
  if (!text || element.closest("script, style, [hidden], title, option") || element.getBoundingClientRect().width === 0) continue;
  const style = getComputedStyle(element), colour = element.closest("svg") ? style.fill : style.color;
  const [one, other] = [light(parts(colour)), light(behind(element))].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
}
return faint;
"#;

/// The texts of pictures that are drawn smaller than 11 pixels.
const SMALL: &str = r#"
const size = text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
return [...document.querySelectorAll("svg text")].filter(text => size(text) < 11).map(text => text.textContent);
"#;

async fn is_fine(browser: &Browser, name: &str) {
    for (what, script) in [("covers", COVERED), ("is faint", FAINT), ("is small", SMALL)] {
        let found = browser.ask(script).await;
        assert_eq!(found, serde_json::json!([]), "{name}: {what}");
    }
    assert_eq!(browser.ask(TOO_WIDE).await, serde_json::json!([0]), "{name}: is too wide");
}

/// Looks at all pages in a window of that width and that theme, closed and with messages open, and keeps what was seen.
fn looks(width: u32, theme: Theme) {
    with(Wanted { width, theme, scripts: true }, async |browser| {
        for (name, page) in [("run", samples::broken()), ("crowd", samples::crowd()), ("report", samples::report())] {
            let file = format!("{name}-{width}-{theme:?}");
            browser.open(&format!("{file}.html"), &page).await;
            assert_eq!(browser.ask("return innerWidth").await, width);
            let is_dark = browser.ask("return matchMedia('(prefers-color-scheme: dark)').matches").await;
            assert_eq!(is_dark, theme == Theme::Dark);
            is_fine(browser, &file).await;
            browser.keep(&format!("{file}.png")).await;
            let opened = browser
                .ask("const rows = [...document.querySelectorAll('details')].slice(0, 12); rows.forEach(row => row.open = true); return rows.length")
                .await;
            assert!(opened.as_u64().is_some_and(|opened| opened > 0));
            is_fine(browser, &format!("{file} opened")).await;
            if name == "run" {
                browser.ask("document.querySelector('#r4').scrollIntoView()").await;
                browser.keep(&format!("{file}-open.png")).await;
                browser.ask("document.querySelectorAll('details').forEach(row => row.open = false); document.querySelector('#scale').click()").await;
                is_fine(browser, &format!("{file} to scale")).await;
                browser.ask("document.querySelector('#broken').scrollIntoView({ block: 'end' })").await;
                browser.keep(&format!("{file}-scale.png")).await;
            }
        }
    });
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_narrow_light_screen() {
    looks(400, Theme::Light);
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_narrow_dark_screen() {
    looks(400, Theme::Dark);
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_light_screen() {
    looks(900, Theme::Light);
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_dark_screen() {
    looks(900, Theme::Dark);
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_wide_light_screen() {
    looks(1_600, Theme::Light);
}

#[test]
fn nothing_covers_leaves_or_fades_on_a_wide_dark_screen() {
    looks(1_600, Theme::Dark);
}

#[test]
fn what_covers_leaves_or_fades_is_seen() {
    let page = "<!doctype html><title>x</title><body style='background:#fff;margin:0'><h1>one</h1><h2 style='margin-top:-3rem'>other</h2>\
                <p style='color:#999'>faint</p><div style='width:2000px'>wide</div>";
    with(Wanted::USUAL, async |browser| {
        browser.open("wrong.html", page).await;
        assert_eq!(browser.ask(COVERED).await, serde_json::json!(["one | other"]));
        assert!(browser.ask(FAINT).await[0].as_str().is_some_and(|found| found.contains("faint")));
        assert!(browser.ask(TOO_WIDE).await[0].as_u64().is_some_and(|wide| wide > 1_000));
    });
}

#[test]
fn the_picture_of_a_run_has_no_label_over_another() {
    for theme in [Theme::Light, Theme::Dark] {
        with(Wanted { width: 1_600, theme, scripts: true }, async |browser| {
            let (case, done) = samples::broken_run();
            let picture = sansip_sim::render::picture::Picture::of(done.world.trace(), done.verdict.breaches());
            let svg = sansip_sim::render::svg(&picture, &case.to_string());
            browser.open(&format!("run-{theme:?}.svg"), &svg).await;
            assert_eq!(browser.ask("return document.documentElement.tagName").await, "svg");
            browser.keep(&format!("svg-{theme:?}.png")).await;
            browser.open(&format!("svg-{theme:?}.html"), &format!("<!doctype html><title>x</title>{svg}")).await;
            assert_eq!(browser.ask(COVERED).await, serde_json::json!([]));
        });
    }
}
