//! A sweep as a page: what was run, what came of it, how soon calls were set up, and what broke.

use maud::{Markup, html};

use super::page::{document, sources};
use super::picture::visible;
use crate::check::standard;
use crate::run::PANIC;
use crate::shrink::Failure;
use crate::sweep::{DELAYS, Learned, Results, SetUps};

/// Says what a report tells of a sweep.
#[derive(Debug)]
pub struct SweepReport<'a> {
    /// The sum over its runs.
    pub results: &'a Results,
    /// Says what was learned from them.
    pub learned: &'a Learned,
    /// Which runs they were, in words.
    pub scope: String,
    /// The command that repeats it.
    pub line: String,
    /// The runs that broke a check, cut down, each with its number.
    pub failures: &'a [(u64, Failure)],
    /// The command of the run in which most was sent again, with its faults and its ladder.
    pub worst: Option<(String, String)>,
}

impl std::fmt::Display for SweepReport<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let title = match self.failures.len() {
            _ if self.results.runs == 0 => "Nothing was run".to_owned(),
            0 if self.results.broken.0.is_empty() => format!("All checks hold in {} runs", self.results.runs),
            _ => format!("{} checks are broken in {} runs", self.results.broken.0.len(), self.results.runs),
        };
        f.write_str(&document(&title, &self.body(&title)).into_string())
    }
}

impl SweepReport<'_> {
    fn body(&self, title: &str) -> Markup {
        let Results { runs, sent, faults, simulated, .. } = self.results;
        let calls: u64 = self.learned.weathers.values().map(|weather| weather.calls).sum();
        let set_up: u64 = self.learned.weathers.values().map(SetUps::set_up).sum();
        html! {
            header {
                p.kicker { "sansip-sim · a sweep of " (self.scope) }
                h1 { (title) }
                div.replay { code #replay { (visible(&self.line)) } button #copy type="button" hidden { "Copy" } }
            }
            main {
                div.grid {
                    div { b { (runs) } span { "runs" } }
                    div { b { (calls) } span { "calls" } }
                    div { b { (set_up) } span { "set up" } }
                    div { b { (sent) } span { "messages" } }
                    div { b { (faults) } span { "faults met" } }
                    div { b { (simulated / 1_000) } span { "simulated seconds" } }
                }
                @if !self.failures.is_empty() { section #failures { h2 { "What broke" } @for (number, failure) in self.failures { (broken(*number, failure)) } } }
                section #outcomes { h2 { "What came of the calls" } (bars(self.learned.outcomes.iter().map(|(name, number)| (name.as_str(), *number)))) }
                section #delays {
                    h2 { "Set-up delay by weather" }
                    p.soft.hint { "From the INVITE to its 2xx at the caller, without the time that the called phone took: what is left is the network's, and that of timers." }
                    @for (name, weather) in &self.learned.weathers { (histogram(name, weather)) }
                }
                section #resent {
                    h2 { "Sent again, by method" }
                    (bars(self.learned.resent.iter().map(|(name, number)| (if name.is_empty() { "no SIP" } else { name }, *number))))
                }
                section #checks { h2 { "Checks" } (self.checks()) }
                section #topologies { h2 { "Networks" } (bars(self.results.topologies.iter().map(|(name, number)| (name.as_str(), *number)))) }
                @if let Some((line, ladder)) = &self.worst {
                    section #worst {
                        h2 { "The run in which most was sent again" }
                        p { code { (visible(line)) } }
                        details { summary { "Its ladder" } pre.ladder-text tabindex="0" { (visible_lines(ladder)) } }
                    }
                }
            }
        }
    }

    fn checks(&self) -> Markup {
        let broken = &self.results.broken.0;
        html! {
            div.table tabindex="0" role="group" aria-label="Checks" {
                table {
                    thead { tr { th { "check" } th { "from" } th { "in these runs" } } }
                    tbody {
                        @for check in standard() {
                            tr {
                                td { (check.name()) }
                                td { (sources(check.source())) }
                                td { @match broken.get(check.name()) {
                                    None => "holds",
                                    Some(broken) => strong.fate { "broken in " (broken.runs) ", first in run " (broken.first) },
                                } }
                            }
                        }
                        @if let Some(broken) = broken.get(PANIC) {
                            tr { td { (PANIC) } td {} td { strong.fate { "in " (broken.runs) ", first in run " (broken.first) } } }
                        }
                    }
                }
            }
        }
    }
}

fn broken(number: u64, failure: &Failure) -> Markup {
    let checks = standard();
    html! {
        article {
            @for breach in failure.verdict.breaches().take(20) {
                h3 { (visible(&breach.what)) }
                @let source = checks.iter().find(|check| check.name() == breach.check).map_or("", |check| check.source());
                p.soft { (breach.check) " at " (breach.time) " s, " (sources(source)) ". Run " (number) ", cut down." }
            }
            p { code { (visible(&failure.shrunk.to_string())) } }
            pre.ladder-text tabindex="0" { (visible_lines(&failure.ladder)) }
        }
    }
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Bars of a common scale, each with its name and number.
fn bars<'n>(counts: impl Iterator<Item = (&'n str, u64)>) -> Markup {
    let counts: Vec<(&str, u64)> = counts.collect();
    let most = counts.iter().map(|(_, number)| *number).max().unwrap_or_default().max(1);
    // In hundredths of the room, of which the number takes the rest.
    let width = |number: u64| (u128::from(number) * 86 / u128::from(most)).max(1);
    html! {
        @if counts.is_empty() { p.soft { "None." } } @else {
            figure.bars {
                @for (name, number) in &counts {
                    span { (super::picture::cut(name, 24)) }
                    span.length { svg aria-hidden="true" style=(format!("width:{}%", width(*number))) { rect width="100%" height="100%" rx="2" {} } (number) }
                }
            }
        }
    }
}

/// How many calls were set up within which time.
fn histogram(name: &str, weather: &SetUps) -> Markup {
    const STEP: usize = 70;
    let most = weather.delays.iter().copied().max().unwrap_or_default().max(1);
    let tall = |number: u64| (u128::from(number) * 110 / u128::from(most)) as usize;
    let bound = |place: usize| match DELAYS.get(place) {
        Some(bound) if *bound < 1_000 => format!("≤ {bound} ms"),
        Some(bound) => format!("≤ {} s", bound / 1_000),
        None => "longer".to_owned(),
    };
    let set_up = weather.set_up();
    html! {
        figure tabindex="0" role="group" aria-label=(name) {
            figcaption {
                strong { (name) } " " span.soft {
                    (weather.calls) @if weather.calls == 1 { " call, " } @else { " calls, " } (set_up) " set up"
                    @if let Some(mean) = weather.sum.checked_div(set_up) { ", " (mean) " ms on average" }
                }
            }
            @if set_up > 0 { svg.chart role="img" aria-label=(format!("Set-up delays, {name}")) width="720" height="164" {
                line x1="0" x2="720" y1="138.5" y2="138.5" style="stroke:var(--line)" {}
                @for (place, number) in weather.delays.iter().enumerate() {
                    @let left = 10 + place * STEP;
                    rect x=(left) y=(138 - tall(*number)) width=(STEP - 14) height=(tall(*number)) rx="2" {}
                    @if *number > 0 { text x=(left + (STEP - 14) / 2) y=(132 - tall(*number)) text-anchor="middle" { (number) } }
                    text x=(left + (STEP - 14) / 2) y="156" text-anchor="middle" { (bound(place)) }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Check, Reading, Report};
    use crate::run::{BrokenChecks, Case, run_with};

    /// Nobody may ring.
    struct Quiet;

    impl Check for Quiet {
        fn name(&self) -> &'static str {
            "form"
        }

        fn source(&self) -> &'static str {
            "our own rule"
        }

        fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
            let parts = run.parts();
            if let Some(part) = parts.first() {
                report.breach(part.node, sansip::Instant::from_millis(5), "it <rings>");
            }
        }
    }

    fn report() -> String {
        let by = |case: &Case| run_with(case, &[Box::new(Quiet)], &mut |_, node| node);
        let case = Case::default();
        let failure = Failure::of_by(&case, &by).unwrap();
        let mut broken = BrokenChecks::default();
        broken.note(&failure.verdict, || 3_u64);
        let results =
            Results { runs: 5, sent: 80, topologies: [("direct".to_owned(), 5)].into(), broken, ..Results::default() };
        let mut learned = Learned::default();
        for (number, line) in ["sansip-sim call", "sansip-sim call --loss 0.3 --seed 5"].iter().enumerate() {
            let case: Case = line.parse().unwrap();
            learned.add(&Learned::of(&case, None, crate::run::run(&case).world.trace(), number as u64));
        }
        let worst = Some(("sansip-sim call --plan '<x>'".to_owned(), "ladder".to_owned()));
        let (scope, line) = ("all".to_owned(), "sansip-sim sweep --runs 5".to_owned());
        SweepReport { results: &results, learned: &learned, scope, line, failures: &[(3, failure)], worst }.to_string()
    }

    #[test]
    fn a_report_has_runs_calls_delays_resent_checks_failures_and_the_worst_run() {
        let page = report();
        for part in [
            "<h1>1 checks are broken in 5 runs</h1>",
            "<b>5</b><span>runs</span>",
            "<b>2</b><span>set up</span>",
            "<strong>calm</strong> <span class=\"soft\">1 call, 1 set up, 61 ms on average</span>",
            "<strong>drawn</strong>",
            "broken in 1, first in run 3",
            "it &lt;rings&gt;",
            "F1 INVITE",
            "--plan '&lt;x&gt;'",
            "https://www.rfc-editor.org/rfc/rfc3261#section-16.7",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<rings>") && page == report(), "the same bytes each time");
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let (results, learned) = (Results::default(), Learned::default());
        let report = SweepReport {
            results: &results,
            learned: &learned,
            scope: String::new(),
            line: String::new(),
            failures: &[],
            worst: None,
        };
        assert!(report.to_string().contains("<h1>Nothing was run</h1>"));
    }
}
