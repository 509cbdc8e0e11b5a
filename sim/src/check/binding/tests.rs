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
    let of_breadth = |breadth: u32, why: &str| {
        let invite = with(&format!("Max-Breadth: {breadth}"), &request("INVITE", &["1"]));
        shows(bound().receives(9, &invite).sends(9, &rejected(480)), why);
    };
    of_breadth(0, "");
    of_breadth(1, "sip:b@192.0.2.8 is bound to b@b, and was not rung");
    shows(registrar().receives(9, &request("INVITE", &["1"])).sends(9, &rejected(404)), "");
    let sent = request("INVITE", &["p", "1"]).replace("sip:b@b SIP", "sip:b@192.0.2.8 SIP");
    shows(story().sends(9, &sent).sends(99, &rejected(486)), "");
}

/// A server of a farm is registrar of b, whose store takes its time.
fn farm() -> Story {
    let registrar = sansip::registrar::Settings { store: Store::Owner, ..Default::default() };
    Story::server(Settings { domains: vec!["b".parse().unwrap()], registrar, ..Settings::default() })
}

#[test]
fn in_a_farm_a_binding_counts_from_its_2xx_on_and_may_count_before() {
    let near = format!("{NEAR};expires=60");
    let (invite, not_found) = (request("INVITE", &["1"]), message("SIP/2.0 404 Reason", &["1"], ";tag=r", "INVITE"));
    let to = |contact: &str| request("INVITE", &["p", "1"]).replace("sip:b@b SIP", &format!("{contact} SIP"));
    let asked = || farm().receives(10, &register("r", &near));
    let bound = || asked().sends(50, &answer(200, "r", &near));
    const MISSED: &str = "sip:b@192.0.2.8 is bound to b@b, and was not rung";
    // Acknowledged before the call came: it must be rung.
    shows(bound().receives(51, &invite).sends(90, &not_found), MISSED);
    shows(bound().receives(51, &invite).sends(90, &to("sip:b@192.0.2.8")), "");
    // While the REGISTER is under way it may be found or not.
    shows(asked().receives(20, &invite).sends(50, &answer(200, "r", &near)).sends(90, &not_found), "");
    shows(asked().receives(20, &invite).sends(45, &to("sip:b@192.0.2.8")), "");
    // A server that gave the store up, or died, may have been heard.
    shows(asked().sends(50, &answer(500, "r", "")).receives(60, &invite).sends(90, &to("sip:b@192.0.2.8")), "");
    shows(asked().sends(50, &answer(500, "r", "")).receives(60, &invite).sends(90, &not_found), "");
    let refused = asked().sends(50, &answer(403, "r", "")).receives(60, &invite);
    shows(refused.sends(90, &to("sip:b@192.0.2.8")), "sip:b@192.0.2.8 is not bound to b@b");
    shows(farm().receives(60, &invite).sends(90, &to("sip:b@192.0.2.9")), "sip:b@192.0.2.9 is not bound to b@b");
}

#[test]
fn in_a_farm_a_contact_that_is_being_taken_away_may_be_rung_until_its_2xx() {
    let near = format!("{NEAR};expires=60");
    let invite = request("INVITE", &["1"]);
    let rung = request("INVITE", &["p", "1"]).replace("sip:b@b SIP", "sip:b@192.0.2.8 SIP");
    let not_found = message("SIP/2.0 404 Reason", &["1"], ";tag=r", "INVITE");
    let bound = || farm().receives(10, &register("r", &near)).sends(50, &answer(200, "r", &near));
    let going = || bound().receives(100, &numbered(2, &register("s", &format!("{NEAR};expires=0"))));
    let gone = numbered(2, &answer(200, "s", ""));
    shows(going().receives(110, &invite).sends(150, &gone).sends(160, &rung), "");
    shows(going().receives(110, &invite).sends(150, &gone).sends(160, &not_found), "");
    shows(going().sends(150, &gone).receives(151, &invite).sends(160, &not_found), "");
    shows(going().sends(150, &gone).receives(151, &invite).sends(160, &rung), "sip:b@192.0.2.8 is not bound to b@b");
    // If two race, the 2xx of one need not have what the other has made.
    let far = format!("{FAR};expires=60");
    let race = bound().receives(100, &numbered(2, &register("s", &far)));
    let race = race.receives(110, &numbered(3, &register("t", &format!("{NEAR};expires=0"))));
    let race = race.sends(150, &numbered(3, &answer(200, "t", "")));
    shows(race.sends(160, &numbered(2, &answer(200, "s", &format!("{near}\r\n{far}")))), "");
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
