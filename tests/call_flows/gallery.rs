//! The flows of docs/flows, which are what the state machines do: each page is written by a test that fails when a flow is another.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sansip_sim::World;
use sansip_sim::planted;
use sansip_sim::render::picture::Picture;
use sansip_sim::render::{Figures, Page, mermaid, svg};
use sansip_sim::run::{Case, run};

use crate::{drawn, races, services, transfers};

/// A flow with what there is to see in it.
struct Flow {
    title: &'static str,
    /// Two sentences.
    words: &'static str,
    /// The command that shows it; empty if its nodes are not those of a command.
    line: &'static str,
    world: fn() -> World,
}

/// A page of flows.
struct Sheet {
    file: &'static str,
    title: &'static str,
    words: &'static str,
    flows: &'static [Flow],
}

/// The options of a flow that `sansip-sim call` shows.
macro_rules! call {
    ($title:literal, $options:literal, $words:literal) => {
        Flow {
            title: $title,
            words: $words,
            line: concat!("sansip-sim call", $options),
            world: || by(concat!("sansip-sim call", $options)),
        }
    };
}

macro_rules! scene {
    ($title:literal, $world:path, $words:literal) => {
        Flow { title: $title, words: $words, line: "", world: $world }
    };
}

fn by(line: &str) -> World {
    let done = run(&line.parse().expect("a case"));
    assert!(done.verdict.holds(), "{:?}", done.verdict);
    done.world
}

const SHEETS: [Sheet; 5] = [
    Sheet {
        file: "rfc3261.md",
        title: "RFC 3261 §24",
        words: "The example of the RFC itself. The messages are compared with those of the RFC in tests/call_flows/session_setup.rs.",
        flows: &[
            call!(
                "§24.1 and §24.2: registration and session setup",
                "",
                "R1 and R2 are the registration, F1 to F14 the call as the RFC numbers them; by erratum 4300 the `100` of a proxy (F2, F4) goes before the INVITE that it passes on (F3, F5), as in the RFC's Figure 1. \
                 The ACK and the BYE go from phone to phone, as no proxy has recorded itself."
            ),
            call!(
                "§16.12: both proxies stay on the path",
                " --topology trapezoid --record-route --seed 1",
                "Each proxy puts a Record-Route into the INVITE, and both phones keep the list as their route set. So the ACK and the BYE go through both proxies, too."
            ),
        ],
    },
    Sheet {
        file: "rfc3665.md",
        title: "RFC 3665: basic call flows",
        words: "The flows of RFC 3665 as the simulator's networks show them. That each message of the RFC is written and answered as it is printed there is held by tests/torture/rfc3665.",
        flows: &[
            call!(
                "§2.1: registration with credentials",
                " --topology auth --seed 1",
                "The registrar answers Bob's first REGISTER with a 401, and the second one has credentials. The call that follows is challenged by a 407 in the same way, since the domain asks whoever calls."
            ),
            call!(
                "§3.1: successful session establishment",
                " --topology direct --seed 1",
                "Two phones without a proxy: INVITE, 180, 200, ACK, and a BYE with its 200. The ACK for a 2xx goes from end to end with a branch of its own, and nothing answers it."
            ),
            call!(
                "§3.2: through two proxies, with credentials",
                " --record-route --challenge proxy --seed 1",
                "The first proxy asks for credentials by a 407, and Alice's second INVITE has the next CSeq. Both proxies stay on the path of the dialog."
            ),
            call!(
                "§3.6: by a redirect, with the description in the ACK",
                " --topology redirect --late-offer 0s --seed 1",
                "The domain answers 302 with Bob's contact, and Alice calls that under the same Call-ID with the next CSeq. Her INVITE has no offer, so the 200 has it and the ACK answers."
            ),
            call!(
                "§3.7: with a re-INVITE",
                " --topology direct --hold alice:1s --seed 1",
                "A second and a third INVITE in the dialog put the call on hold and take it back. Each is a transaction with an ACK of its own, and the session before holds until a 200 comes."
            ),
            call!(
                "§3.8: nobody answers, and the caller gives up",
                " --reply nothing --cancel-after 3s --seed 1",
                "The CANCEL goes hop by hop, and each hop answers it by itself with 200. What ends the INVITE is the 487, which each hop acknowledges."
            ),
            call!(
                "§3.9: the called end is busy",
                " --reply reject:1s --seed 1",
                "A final response that is no 2xx is acknowledged from hop to hop, under the branch of the INVITE. No ACK goes from end to end."
            ),
            call!(
                "§3.10: no response",
                " --topology direct --plan 'alice>bob INVITE:drop' --seed 1",
                "Timer A sends the INVITE again after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s. After 64·T1, timer B tells Alice that nobody answers."
            ),
            call!(
                "§3.11: temporarily unavailable",
                " --reply nothing --ring-limit 10s --seed 1",
                "Bob's phone rings for as long as it may and is not answered. The caller's end gives up, and the flow is that of §3.8."
            ),
        ],
    },
    Sheet {
        file: "rfc5407.md",
        title: "RFC 5407: races",
        words: "Messages that cross, each way 10 ms long. An arrival that was overtaken is a dashed arrow of its own in the diagrams.",
        flows: &[
            scene!(
                "§3.1.1: INVITE again while the 200 is on its way",
                races::the_invite_again_while_the_200_is_on_its_way,
                "The copy of the INVITE comes when Bob has answered already. It belongs to his transaction, so that it makes no second call."
            ),
            scene!(
                "§3.1.2: CANCEL while the 200 is on its way",
                races::cancel_while_the_200_is_on_its_way,
                "The CANCEL crosses the 200 and comes too late; Bob answers it, and the call is there. Alice acknowledges the 200 and ends the call by a BYE."
            ),
            scene!(
                "§3.1.3: BYE of an early dialog while the 200 is on its way",
                races::bye_of_an_early_dialog_while_the_200_is_on_its_way,
                "Alice ends an early dialog by a BYE, which the RFC does not recommend. Bob has answered by then, so each side acknowledges what it gets and nothing is left over."
            ),
            scene!(
                "§3.1.4: re-INVITE before the ACK",
                races::re_invite_before_the_ack,
                "The ACK is lost, and a re-INVITE comes first. Bob still waits for the ACK and refuses with 491, and Alice asks again after 2.1 to 4 s (RFC 3261 §14.1)."
            ),
            scene!(
                "§3.1.5: re-INVITE before the ACK that has the answer",
                races::re_invite_before_the_ack_with_the_answer,
                "The ACK that is lost has the answer, so that Bob still waits for it when the re-INVITE comes. He refuses with 491, and Alice asks again later."
            ),
            scene!(
                "§3.1.6: BYE before the ACK",
                races::bye_before_the_ack,
                "The ACK is lost and the BYE comes first. Bob answers the BYE, and the dialog is over without the ACK."
            ),
            scene!(
                "§3.2.1: two BYEs cross",
                races::two_byes_cross,
                "Each end sends a BYE before that of the other comes. Each answers 200, and neither takes the other's for an error."
            ),
            scene!(
                "§3.2.2: BYE and re-INVITE cross",
                races::bye_and_re_invite_cross,
                "Bob's re-INVITE comes to a dialog that Alice has ended. It is answered 481, and the BYE ends the call for both."
            ),
            scene!(
                "§3.2.3: the 200 of a re-INVITE and a BYE cross",
                races::the_200_to_a_re_invite_and_bye_cross,
                "Bob hangs up when Alice has just accepted his change. He still acknowledges her 200."
            ),
            scene!(
                "§3.2.4: BYE waits for the ACK",
                races::bye_waits_for_the_ack,
                "Bob hangs up before the ACK has come. His BYE waits for the ACK, as RFC 3261 §15 wants of the called end."
            ),
            scene!(
                "§3.3.1: two re-INVITEs cross",
                races::two_re_invites_cross,
                "Each end refuses the other's offer with 491. Bob, who does not own the Call-ID, asks again within 2 s, and Alice after 2.1 to 4 s (RFC 3261 §14.1)."
            ),
            scene!(
                "§3.3.2: UPDATE and re-INVITE cross",
                races::update_and_re_invite_cross,
                "Both have an offer, so that each is refused with 491. The first to ask again is Bob."
            ),
            scene!(
                "§3.3.2: an UPDATE without an offer and a re-INVITE cross",
                races::a_refresh_and_a_re_invite_cross,
                "The UPDATE has no description and only refreshes the target. Both succeed."
            ),
            scene!(
                "§3.3.3: BYE and REFER cross",
                races::bye_and_refer_cross,
                "Bob's REFER comes to a dialog that Alice has ended, and is answered 481. The BYE ends the call for both."
            ),
        ],
    },
    Sheet {
        file: "routing.md",
        title: "Routing: strict router, fork, redirect, NAT",
        words: "Networks that have more to them than proxies in a row; docs/simulation.md has the whole table.",
        flows: &[
            call!(
                "RFC 3261 §16.12.1.2: a strict router",
                " --topology strict --record-route --seed 1",
                "The router of RFC 2543 sends to the Request-URI, so the proxy before it puts the router's URI there and the target into the last Route. The proxy behind it turns this round again."
            ),
            call!(
                "RFC 3261 §16.7: a fork",
                " --topology fork:3 --seed 1",
                "Bob's domain sends the INVITE to his three phones at once. The first 200 goes to Alice, and the other branches get a CANCEL, which they answer with 487."
            ),
            call!(
                "RFC 3261 §16.7: a fork of which all refuse",
                " --topology fork:3 --reply reject:1s --seed 1",
                "The proxy waits for the final responses of all branches. It sends the best of them, once."
            ),
            call!(
                "RFC 3261 §8.3: a redirect",
                " --topology redirect --seed 1",
                "The domain stays out of the call: it answers 302 and has Alice call Bob's phone itself. The ACK for the 302 is that of her transaction."
            ),
            call!(
                "RFC 3581: behind a NAT",
                " --topology nat --seed 1",
                "Alice's Via asks for `rport`, and the responses go back to where her request came from. A BYE finds her by the flow that her proxy has put into its Record-Route (RFC 5626 §5.3)."
            ),
        ],
    },
    Sheet {
        file: "services.md",
        title: "Services: hold, transfer, digest, reliable responses, session timer",
        words: "What phones do with a call; RFC 5359 has figures of the first three.",
        flows: &[
            scene!(
                "RFC 5359 §2.1: hold",
                services::hold,
                "Bob offers `a=sendonly` by a re-INVITE and Alice answers `a=recvonly`; a third INVITE takes the call back. Each message goes through the proxy, which stays on the path."
            ),
            scene!(
                "RFC 5359 §2.4: transfer, unattended",
                transfers::unattended,
                "Alice's REFER asks Bob to call Carol, and his NOTIFYs tell her what comes of it. The subscription of her REFER outlives the call that she ends at once."
            ),
            scene!(
                "RFC 5359 §2.5: transfer, attended",
                transfers::attended,
                "Bob talks to Carol before, and has Alice take his place in that call by an INVITE with Replaces (RFC 3891). Carol's phone ends the call that was replaced."
            ),
            call!(
                "RFC 3261 §22: digest",
                " --topology direct --challenge bob --seed 1",
                "Bob's phone answers 401 with a nonce, and Alice's second INVITE has the next CSeq and proves that she knows the password. Her ACK has the credentials of its INVITE (§22.1)."
            ),
            call!(
                "RFC 3262: a reliable provisional response",
                " --topology direct --reliable --seed 1",
                "The response that rings has an RSeq and is sent again until a PRACK names it. The PRACK has a response of its own."
            ),
            call!(
                "RFC 4028: a session timer",
                " --topology direct --session-expires 90s --hang-up nobody --calm-after 150s --seed 1",
                "Both ends agree on 90 s, and Alice refreshes the session at half of it by an UPDATE. The end that does not refresh ends the call if no refresh comes."
            ),
        ],
    },
];

pub(crate) fn flows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/flows")
}

/// Holds a file of the docs against what it should be; `UPDATE_DOCS=1` writes it anew.
pub(crate) fn holds(file: &Path, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("the file");
        return;
    }
    let known = std::fs::read_to_string(file).unwrap_or_default();
    let different = known.lines().zip(text.lines()).find(|(old, new)| old != new);
    let name = file.display();
    assert!(
        known == text,
        "{name} is another flow, first here (UPDATE_DOCS=1 cargo test -p sansip-tests --test call_flows gallery): {different:?}"
    );
}

fn page(sheet: &Sheet) -> String {
    let mut page = format!("# {}\n\n{}\n", sheet.title, sheet.words);
    for flow in sheet.flows {
        let world = (flow.world)();
        let _ = write!(page, "\n## {}\n\n{}\n", flow.title, flow.words);
        if !flow.line.is_empty() {
            let _ = write!(page, "\n```sh\n{}\n```\n", flow.line);
        }
        let diagram = mermaid(&Picture::of(world.trace(), []));
        let _ = write!(page, "\n```text\n{}```\n\n```mermaid\n{diagram}```\n", drawn(&world));
    }
    page
}

/// The place of a heading on its page, as hosts of docs name it.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn gallery_of_flows_and_its_index_are_what_happens() {
    let mut index = String::from(
        "# Flows\n\nWhat the state machines do, as ladders and as diagrams. Each is written by a test, which fails when the flow is another: \
         `UPDATE_DOCS=1 cargo test -p sansip-tests --test call_flows gallery` writes them anew.\n\n\
         [loss.md](loss.md) shows what loss does to calls, and [broken-run.html](broken-run.html) is the page of a run that breaks a rule.\n",
    );
    for sheet in &SHEETS {
        for flow in sheet.flows {
            assert_eq!(
                flow.words.matches(". ").count() + usize::from(flow.words.ends_with('.')),
                2,
                "two sentences: {}",
                flow.words
            );
        }
        holds(&flows().join(sheet.file), &page(sheet));
        let _ = write!(index, "\n## [{}]({})\n\n", sheet.title, sheet.file);
        for flow in sheet.flows {
            let _ = writeln!(index, "* [{}]({}#{})", flow.title, sheet.file, anchor(flow.title));
        }
    }
    holds(&flows().join("README.md"), &index);
}

/// The run of the README's picture: the ACK is lost, and the 200 does not go out again.
#[test]
fn gallery_has_a_run_that_breaks_a_rule_as_picture_and_page() {
    let mistake = planted::TABLE.into_iter().find(|planted| planted.name == "2xx-once").expect("the mistake");
    let plan = "atlanta>biloxi INVITE#1:drop, bob>biloxi 180/INVITE#1:dup(+600ms), alice>bob ACK#1:drop";
    let line = format!("sansip-sim call --topology trapezoid --hang-up alice:2s --plan '{plan}' --seed 1");
    let case = Case { watched: true, ..line.parse().expect("a case") };
    let done = planted::run(&mistake, &case);
    let (trace, figures) = (done.world.trace(), Figures::of(done.world.trace(), done.world.now()));
    assert!(done.verdict.breaks("resends"), "{:?}", done.verdict);
    let replay = Some("sansip-sim planted 2xx-once".to_owned());
    let page = Page { trace, figures, verdict: Some(&done.verdict), replay }.to_string();
    holds(&flows().join("broken-run.html"), &page);
    holds(&flows().join("broken-run.svg"), &svg(&Picture::of(trace, done.verdict.breaches()), &case.to_string()));
}
