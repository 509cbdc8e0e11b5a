//! Diagrams of Mermaid, read by its own parser.

use std::path::Path;

use sansip_sim::render::mermaid;
use sansip_sim::render::picture::Picture;
use serde_json::json;

use crate::browser::{Wanted, with};
use crate::samples;

/// Where tests/live/peers/install puts it.
fn mermaid_js() -> Option<std::path::PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("live/peers/installed/mermaid/dist/mermaid.min.js");
    if file.exists() {
        return Some(file);
    }
    let skipped = "skipped: mermaid is not here (tests/live/peers/install fetches it)";
    assert!(std::env::var_os("SANSIP_LIVE").is_none_or(|value| value != "require"), "{skipped}");
    eprintln!("{skipped}");
    None
}

#[test]
fn each_diagram_is_accepted_by_mermaid_itself() {
    let Some(script) = mermaid_js() else { return };
    let (_, done) = samples::broken_run();
    let mut diagrams = vec![("a run".to_owned(), mermaid(&Picture::of(done.world.trace(), done.verdict.breaches())))];
    let nothing = sansip_sim::trace::Trace::default();
    diagrams.push(("nothing".to_owned(), mermaid(&Picture::of(&nothing, []))));
    let case: sansip_sim::run::Case =
        "sansip-sim call --topology crowd:100 --loss 0.2 --seed 2".parse().expect("a case");
    let crowd = sansip_sim::run::run(&case);
    diagrams.push(("a crowd".to_owned(), mermaid(&Picture::of(crowd.world.trace(), []))));
    // Each piece of text that means something to Mermaid or to HTML, as a name and in a message.
    let signs = "<b> & \"q\" 'a' `c` #35; ; end %% note over: -->> ->> A-xB {} [] | \\ wrap: $$x$$ loop alt";
    let line = format!(r#"{{"event":"trace","version":1}}{}{}"#, "\n", sent(signs));
    diagrams.push(("signs".to_owned(), shown(&line)));
    with(Wanted::USUAL, async |browser| {
        let page = format!(
            "<!doctype html><meta charset=utf-8><title>x</title><script src='file://{}'></script>",
            script.display()
        );
        browser.open("mermaid.html", &page).await;
        let parse = "const done = arguments[1]; mermaid.parse(arguments[0]).then(read => done(read.diagramType), error => done('refused: ' + error.message))";
        for (name, diagram) in &diagrams {
            let read = browser.client.execute_async(parse, vec![json!(diagram)]).await.expect("an answer");
            assert_eq!(read, "sequence", "{name}:\n{diagram}");
        }
        let wrong = browser
            .client
            .execute_async(parse, vec![json!("sequenceDiagram\n  a->>b\n  end")])
            .await
            .expect("an answer");
        assert!(wrong.as_str().is_some_and(|words| words.starts_with("refused")), "{wrong}");
        // As hosts of docs draw it, which fails where a text is no text.
        let draw = "const done = arguments[1]; mermaid.initialize({ startOnLoad: false }); mermaid.render('drawn', arguments[0]).then(({ svg }) => { document.body.innerHTML = svg; done(document.body.textContent) }, error => done('refused: ' + error.message))";
        let text =
            browser.client.execute_async(draw, vec![json!(diagrams.last().expect("one").1)]).await.expect("an answer");
        assert!(text.as_str().is_some_and(|text| text.contains("<b> & \"q\"")), "{text}");
        let text = browser.client.execute_async(draw, vec![json!(diagrams[0].1)]).await.expect("an answer");
        assert!(text.as_str().is_some_and(|text| text.contains("rule broken")), "{text}");
        browser.keep("mermaid.png").await;
    });
}

/// A trace that is written down, drawn by the command.
fn shown(trace: &str) -> String {
    let file = crate::browser::folder().join("signs.json");
    std::fs::write(&file, trace).expect("a file");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut out = sansip_sim::cli::Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false };
    let arguments = ["show", &file.display().to_string(), "--format", "mermaid"].map(str::to_owned);
    assert_eq!(sansip_sim::cli::run(arguments, &mut out), 0, "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// A response between nodes of that name, whose reason phrase is the same.
fn sent(signs: &str) -> String {
    let bytes = format!(
        "SIP/2.0 200 {signs}\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>;tag=2\r\n\
         Call-ID: one\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    json!({"event": "sent", "time": "0.001", "id": 1, "from": signs, "to": "end", "source": "192.0.2.1:5060", "destination": "192.0.2.2:5060",
           "bytes": bytes, "ordinal": 1, "number": "F1", "kind": "200", "resent": false, "faults": [], "stopped": null})
    .to_string()
        + "\n"
}
