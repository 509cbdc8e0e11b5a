use sansip::server::Settings;

use super::super::story::{Story, message, numbered, request, with};
use super::*;

const NEAR: &str = "Contact: <sip:b@192.0.2.8>";
const FAR: &str = "Contact: <sip:b@192.0.2.9>";

fn register(via: &str, contacts: &str) -> String {
    with(contacts, &request("REGISTER", &[via]))
}

fn answer(status: u16, via: &str, fields: &str) -> String {
    let text = message(&format!("SIP/2.0 {status} Reason"), &[via], ";tag=r", "REGISTER");
    if fields.is_empty() { text } else { with(fields, &text) }
}

/// The registrar of b.
fn registrar() -> Story {
    Story::server(Settings { domains: vec!["b".parse().unwrap()], ..Settings::default() })
}

/// With one contact that is bound for a minute.
fn bound() -> Story {
    let story = registrar().receives(0, &register("r", &format!("{NEAR};expires=60")));
    story.sends(0, &answer(200, "r", &format!("{NEAR};expires=60")))
}

fn shows(story: Story, why: &str) {
    story.shows(BINDING, why);
}

#[test]
fn a_2xx_has_what_is_bound_for_no_longer_than_was_asked() {
    shows(bound(), "");
    let says = |asked: &str, said: &str, why: &str| {
        let asked = numbered(2, &register("s", asked));
        shows(bound().receives(9, &asked).sends(9, &numbered(2, &answer(200, "s", said))), why);
    };
    let (near, far) = (format!("{NEAR};expires=60"), format!("{FAR};expires=60"));
    says(&far, &format!("{near}\r\n{far}"), "");
    says(&far, &far, "the binding of sip:b@192.0.2.8 is not in it");
    says(&far, &near, "sip:b@192.0.2.9 was bound, and is not in it");
    says(&far, &format!("{near}\r\n{FAR};expires=70"), "sip:b@192.0.2.9 is bound for 70 s, and 60 s were asked for");
    says(&format!("{NEAR};expires=0"), "", "");
    says(&format!("{NEAR};expires=0"), &near, "sip:b@192.0.2.8 was taken away, and is in it");
    says("Contact: *\r\nExpires: 0", "", "");
    says("Contact: *\r\nExpires: 0", &near, "all was taken away, and something is in it");
    says("Contact: *\r\nExpires: 9", "", "`*` stands alone, with Expires: 0");
}

#[test]
fn an_older_register_takes_nothing_away() {
    let again = |number: u32, via: &str| numbered(number, &register(via, &format!("{NEAR};expires=0")));
    let story =
        |number: u32| bound().receives(9, &again(number, "s")).sends(9, &numbered(number, &answer(200, "s", "")));
    shows(story(2), "");
    shows(story(1), "the number 1 is not above 1, which made the binding");
    shows(bound().receives(9, &again(1, "s")).sends(9, &answer(500, "s", "")), "");
}

#[test]
fn a_423_says_what_would_do() {
    let story = |contact: &str, fields: &str| {
        registrar().receives(0, &register("r", contact)).sends(0, &answer(423, "r", fields))
    };
    shows(story(&format!("{NEAR};expires=9"), "Min-Expires: 60"), "");
    shows(story(&format!("{NEAR};expires=9"), ""), "it has no Min-Expires");
    shows(
        story(&format!("{NEAR};expires=3600"), "Min-Expires: 60"),
        "no contact is for a time between none and an hour",
    );
}

#[test]
fn what_is_bound_is_rung_and_nothing_else() {
    let rings = |story: Story, at: u64, contact: &str, why: &str| {
        let sent = request("INVITE", &["p", "1"]).replace("sip:b@b SIP", &format!("{contact} SIP"));
        shows(story.receives(at, &request("INVITE", &["1"])).sends(at, &sent), why);
    };
    rings(bound(), 9, "sip:b@192.0.2.8", "");
    rings(bound(), 9, "sip:b@192.0.2.9", "sip:b@192.0.2.9 is not bound to b@b");
    rings(bound(), 60_999, "sip:b@192.0.2.8", "");
    rings(bound(), 61_000, "sip:b@192.0.2.8", "sip:b@192.0.2.8 is not bound to b@b");
    let gone = numbered(2, &register("s", &format!("{NEAR};expires=0")));
    let gone = || bound().receives(5, &gone).sends(5, &numbered(2, &answer(200, "s", "")));
    rings(gone(), 9, "sip:b@192.0.2.8", "sip:b@192.0.2.8 is not bound to b@b");
}

#[test]
fn nobody_is_left_out_of_what_is_rejected() {
    let rejected = |status: u16| message(&format!("SIP/2.0 {status} Reason"), &["1"], ";tag=r", "INVITE");
    let story = || bound().receives(9, &request("INVITE", &["1"]));
    shows(story().sends(9, &rejected(480)), "sip:b@192.0.2.8 is bound to b@b, and was not rung");
    shows(story().sends(9, &rejected(404)), "sip:b@192.0.2.8 is bound to b@b, and was not rung");
    shows(story().sends(9, &rejected(407)), "");
    shows(registrar().receives(9, &request("INVITE", &["1"])).sends(9, &rejected(404)), "");
    let sent = request("INVITE", &["p", "1"]).replace("sip:b@b SIP", "sip:b@192.0.2.8 SIP");
    shows(story().sends(9, &sent).sends(99, &rejected(486)), "");
}

#[test]
fn a_contact_is_rung_by_its_path() {
    let register = with("Path: <sip:192.0.2.7;lr>", &register("r", &format!("{NEAR};expires=60")));
    let sent = request("INVITE", &["p", "1"]).replace("sip:b@b SIP", "sip:b@192.0.2.8 SIP");
    let rings = |sent: &str, why: &str| {
        let story = registrar().receives(0, &register).sends(0, &answer(200, "r", &format!("{NEAR};expires=60")));
        shows(story.receives(9, &request("INVITE", &["1"])).sends(9, sent), why);
    };
    rings(&with("Route: <sip:192.0.2.7;lr>", &sent), "");
    rings(&sent, "it does not go by the Path of sip:b@192.0.2.8");
}
