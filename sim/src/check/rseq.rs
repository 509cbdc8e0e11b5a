//! RSeq and RAck: reliable provisional responses are numbered, and acknowledged by their numbers.

use std::collections::BTreeMap;

use super::{Names, Part, Report, Rule, Seen};
use crate::packet::Packet;

/// Provisional responses that are sent reliably, and their PRACKs (RFC 3262), judged by the messages of each end alone.
///
/// * A reliable response answers an INVITE that allows 100rel, is none of 100, requires 100rel, and has an RSeq (§3).
/// * The first RSeq of an INVITE is from 1 to 2^31 - 1, and each further one is greater by one. A second response waits for the
///   PRACK of the first, and none is new after the final response (§3).
/// * No 2xx to the INVITE is sent while a reliable response with a session description waits for its PRACK (§3).
/// * A PRACK gets a 2xx if its RAck names a response that was sent in the dialog and no other PRACK got one for it (§3).
/// * The RAck of a PRACK names a response that came in the dialog, and the responses are acknowledged in order (§4, §7.2).
pub const RSEQ: Rule = Rule::new("rseq", "RFC 3262 §3, §4, §7").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    let mut numbers = Numbers::default();
    for (seen, packet, _) in part.messages() {
        if !seen.is_sent() {
            numbers.receive(packet);
        } else if let Err(why) = numbers.send(part, seen, packet) {
            let what = format!("{}: {} ({}) {why}", part.name, packet.what(), packet.top().branch);
            report.breach(part.node, seen.time, what);
        }
    }
}

/// An INVITE in one of its dialogs: the tags of who sent it and of who answers, and its CSeq number.
type Asked<'a> = (&'a str, &'a str, u32);

/// A reliable response that the node has sent.
struct Sent<'a> {
    number: u32,
    text: &'a [u8],
    describes: bool,
    /// A PRACK for it came.
    is_acknowledged: bool,
    /// The topmost Via of the PRACK that got a 2xx.
    accepted: Option<usize>,
}

/// The reliable responses that one node sent and received up to some moment.
#[derive(Default)]
struct Numbers<'a> {
    sent: BTreeMap<Asked<'a>, Vec<Sent<'a>>>,
    /// The numbers of the responses that came.
    came: BTreeMap<Asked<'a>, Vec<u32>>,
    /// The last number that the node has acknowledged.
    acknowledged: BTreeMap<Asked<'a>, u32>,
    /// The INVITEs that the node has answered finally, by topmost Via and To tag.
    decided: Vec<(usize, &'a str)>,
}

impl<'a> Numbers<'a> {
    fn receive(&mut self, packet: &'a Packet<'a>) {
        if packet.answers(1, "INVITE") {
            if let Some(number) = rseq(packet) {
                self.came.entry(asked(packet)).or_default().push(number);
            }
        } else if packet.is("PRACK")
            && let Some((number, invite)) = rack(packet)
        {
            let sent = self.sent.get_mut(&(packet.from_tag, packet.to_tag, invite));
            for response in sent.into_iter().flatten().filter(|response| response.number == number) {
                response.is_acknowledged = true;
            }
        }
    }

    fn send(&mut self, part: &Part<'a>, seen: &Seen<'a>, packet: &'a Packet<'a>) -> Result<(), String> {
        match (packet.status(), packet.method) {
            (None, "PRACK") if seen.below.is_none() => self.acknowledge(packet),
            (Some(100..=199), "INVITE") => self.progress(part, seen, packet),
            (Some(status), "INVITE") if !part.forwards(seen.hop, "INVITE") => self.decide(seen, packet, status),
            (Some(200..=299), "PRACK") if !part.forwards(seen.hop, "PRACK") => self.accept(part, seen),
            _ => Ok(()),
        }
    }

    /// A PRACK of the node's own.
    fn acknowledge(&mut self, prack: &Packet<'a>) -> Result<(), String> {
        let (number, invite) = rack(prack).ok_or("has no RAck of an INVITE")?;
        let asked = (prack.from_tag, prack.to_tag, invite);
        if !self.came.get(&asked).is_some_and(|came| came.contains(&number)) {
            return Err(format!("has the RAck {number} {invite}, and no such response came"));
        }
        let last = self.acknowledged.insert(asked, number);
        match last {
            Some(last) if number != last && last.checked_add(1) != Some(number) => {
                Err(format!("acknowledges {number} after {last}"))
            }
            _ => Ok(()),
        }
    }

    /// A provisional response to an INVITE.
    fn progress(&mut self, part: &Part<'a>, seen: &Seen<'a>, packet: &'a Packet<'a>) -> Result<(), String> {
        if part.forwards(seen.hop, "INVITE") {
            return Ok(());
        }
        let Some((_, invite, _)) = part.copies(seen.hop, "INVITE", seen.index).next() else { return Ok(()) };
        let Some(number) = rseq(packet) else {
            let must = names_100rel(invite, "require", "require") && packet.status() != Some(100);
            return if must { Err("has no RSeq, and its INVITE requires 100rel".into()) } else { Ok(()) };
        };
        let responses = self.sent.entry(asked(packet)).or_default();
        if let Some(known) = responses.iter().find(|known| known.number == number) {
            return if known.text == packet.text { Ok(()) } else { Err(format!("has the RSeq {number} of another")) };
        }
        let last = responses.last().map(|last| last.number);
        let waits_for_first = matches!(responses.as_slice(), [first] if !first.is_acknowledged);
        responses.push(Sent {
            number,
            text: packet.text,
            describes: packet.describes,
            is_acknowledged: false,
            accepted: None,
        });
        let is_late = self.decided.contains(&(seen.hop, packet.to_tag));
        match last {
            _ if packet.status() == Some(100) => Err("has an RSeq".into()),
            _ if !names_100rel(packet, "require", "require") => Err("has an RSeq and does not require 100rel".into()),
            _ if !names_100rel(invite, "supported", "k") && !names_100rel(invite, "require", "require") => {
                Err("has an RSeq, and its INVITE does not allow 100rel".into())
            }
            _ if is_late => Err("is a new reliable response after the final one".into()),
            None if number == 0 || number >= 1 << 31 => Err(format!("begins with the RSeq {number}")),
            Some(last) if last.checked_add(1) != Some(number) => Err(format!("has the RSeq {number} after {last}")),
            Some(last) if waits_for_first => Err(format!("does not wait for the PRACK of {last}")),
            _ => Ok(()),
        }
    }

    /// A final response of the node's own to an INVITE.
    fn decide(&mut self, seen: &Seen<'a>, packet: &Packet<'a>, status: u16) -> Result<(), String> {
        let decided = (seen.hop, packet.to_tag);
        if self.decided.contains(&decided) {
            return Ok(());
        }
        self.decided.push(decided);
        let mut responses = self.sent.get(&asked(packet)).into_iter().flatten();
        match responses.find(|response| response.describes && !response.is_acknowledged) {
            Some(response) if status < 300 => Err(format!("does not wait for the PRACK of {}", response.number)),
            _ => Ok(()),
        }
    }

    /// A 2xx of the node's own to a PRACK.
    fn accept(&mut self, part: &Part<'a>, seen: &Seen<'a>) -> Result<(), String> {
        let Some((_, prack, _)) = part.copies(seen.hop, "PRACK", seen.index).next() else { return Ok(()) };
        let (number, invite) = rack(prack).ok_or("accepts a PRACK without a RAck of an INVITE")?;
        let responses = self.sent.get_mut(&(prack.from_tag, prack.to_tag, invite));
        let response = responses.into_iter().flatten().find(|response| response.number == number);
        let response = response.ok_or_else(|| format!("accepts the RAck {number} {invite} of no response"))?;
        if *response.accepted.get_or_insert(seen.hop) == seen.hop {
            return Ok(());
        }
        Err(format!("accepts a second PRACK of {number}"))
    }
}

fn asked<'a>(response: &Packet<'a>) -> Asked<'a> {
    (response.from_tag, response.to_tag, response.sequence)
}

/// The number of a response.
fn rseq(packet: &Packet<'_>) -> Option<u32> {
    packet.values("rseq", "rseq").next()?.parse().ok()
}

/// The number of the response to an INVITE that a PRACK acknowledges, and the CSeq number of the INVITE.
fn rack(packet: &Packet<'_>) -> Option<(u32, u32)> {
    let mut words = packet.values("rack", "rack").next()?.split_whitespace();
    let numbers = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (words.next() == Some("INVITE") && words.next().is_none()).then_some(numbers)
}

/// Whether that header names the option tag.
fn names_100rel(packet: &Packet<'_>, long: &'static str, short: &'static str) -> bool {
    packet.values(long, short).any(|tag| tag.eq_ignore_ascii_case("100rel"))
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, request, response, with};
    use super::*;

    /// This message as the other end sends it in the dialog.
    fn theirs(message: &str) -> String {
        message.replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b")
    }

    fn reliable(number: u32) -> String {
        with("Require: 100rel", &with(&format!("RSeq: {number}"), &response(183, "INVITE", &["1"])))
    }

    fn described(message: &str) -> String {
        format!("{}v=0", with("Content-Type: application/sdp", message))
    }

    /// The PRACK of that CSeq number and Via for the response of that number.
    fn prack(cseq: u32, number: u32) -> String {
        let prack = in_dialog("PRACK", &[&format!("p{cseq}")]);
        with(&format!("RAck: {number} 1 INVITE"), &numbered(cseq, &prack))
    }

    /// The node is called by an INVITE with this field.
    fn called(field: &str) -> Story {
        Story::new().receives(0, &with(field, &request("INVITE", &["1"])))
    }

    fn supported() -> Story {
        called("k: timer, 100rel")
    }

    #[test]
    fn a_reliable_response_is_allowed_and_says_that_it_is_one() {
        supported().sends(9, &reliable(7)).shows(RSEQ, "");
        called("Require: 100rel").sends(9, &reliable(7)).shows(RSEQ, "");
        called("Supported: timer").sends(9, &reliable(7)).shows(RSEQ, "its INVITE does not allow 100rel");
        let unsaid = reliable(7).replace("Require: 100rel", "X: 1");
        supported().sends(9, &unsaid).shows(RSEQ, "has an RSeq and does not require 100rel");
        let trying = reliable(7).replace("SIP/2.0 183", "SIP/2.0 100");
        supported().sends(9, &trying).shows(RSEQ, "has an RSeq");
        let ringing = response(180, "INVITE", &["1"]);
        supported().sends(9, &ringing).shows(RSEQ, "");
        called("Require: 100rel").sends(9, &ringing).shows(RSEQ, "has no RSeq, and its INVITE requires 100rel");
    }

    #[test]
    fn numbers_rise_by_one_and_the_second_waits_for_the_first_prack() {
        for number in [0, 1 << 31] {
            supported().sends(9, &reliable(number)).shows(RSEQ, &format!("begins with the RSeq {number}"));
        }
        let first = || supported().sends(9, &reliable(7));
        first().sends(509, &reliable(7)).shows(RSEQ, "");
        first().sends(10, &described(&reliable(7))).shows(RSEQ, "has the RSeq 7 of another");
        first().sends(10, &reliable(8)).shows(RSEQ, "does not wait for the PRACK of 7");
        let acknowledged = || first().receives(10, &prack(2, 7));
        acknowledged().sends(11, &reliable(8)).shows(RSEQ, "");
        acknowledged().sends(11, &reliable(8)).sends(12, &reliable(9)).shows(RSEQ, "");
        acknowledged().sends(11, &reliable(9)).shows(RSEQ, "has the RSeq 9 after 7");
        let decided = acknowledged().sends(11, &response(200, "INVITE", &["1"]));
        decided.sends(12, &reliable(8)).shows(RSEQ, "is a new reliable response after the final one");
    }

    #[test]
    fn a_2xx_waits_for_the_pracks_of_descriptions() {
        let ok = response(200, "INVITE", &["1"]);
        let story = || supported().sends(9, &described(&reliable(7)));
        story().sends(10, &ok).sends(510, &ok).shows(RSEQ, "does not wait for the PRACK of 7");
        story().sends(10, &response(486, "INVITE", &["1"])).shows(RSEQ, "");
        story().receives(10, &prack(2, 7)).sends(10, &ok).shows(RSEQ, "");
        story().receives(10, &prack(2, 8)).sends(10, &ok).shows(RSEQ, "does not wait for the PRACK of 7");
        supported().sends(9, &reliable(7)).sends(10, &ok).shows(RSEQ, "");
    }

    #[test]
    fn a_prack_is_accepted_once_if_it_names_a_response() {
        let accepted = |cseq| numbered(cseq, &response(200, "PRACK", &[&format!("p{cseq}")]));
        let story = |number| supported().sends(9, &reliable(7)).receives(10, &prack(2, number));
        let once = || story(7).sends(10, &accepted(2)).receives(11, &prack(2, 7)).sends(11, &accepted(2));
        once().shows(RSEQ, "");
        once().receives(12, &prack(3, 7)).sends(12, &accepted(3)).shows(RSEQ, "accepts a second PRACK of 7");
        story(8).sends(10, &accepted(2)).shows(RSEQ, "accepts the RAck 8 1 of no response");
        let refused = numbered(2, &response(481, "PRACK", &["p2"]));
        story(8).sends(10, &refused).shows(RSEQ, "");
    }

    #[test]
    fn a_prack_names_a_response_that_came_and_the_next_one() {
        let calls = || Story::new().sends(0, &with("Supported: 100rel", &request("INVITE", &["1"])));
        let rings =
            |numbers: &[u32]| numbers.iter().fold(calls(), |story, number| story.receives(9, &reliable(*number)));
        rings(&[7]).sends(10, &prack(2, 7)).shows(RSEQ, "");
        rings(&[7]).sends(10, &prack(2, 8)).shows(RSEQ, "has the RAck 8 1, and no such response came");
        let other = prack(2, 7).replace("tag=b", "tag=c");
        rings(&[7]).sends(10, &other).shows(RSEQ, "has the RAck 7 1, and no such response came");
        let of_another = prack(2, 7).replace("7 1 INVITE", "7 2 INVITE");
        rings(&[7]).sends(10, &of_another).shows(RSEQ, "has the RAck 7 2, and no such response came");
        let unsaid = prack(2, 7).replace("RAck", "X");
        rings(&[7]).sends(10, &unsaid).shows(RSEQ, "has no RAck of an INVITE");
        rings(&[7, 8, 9]).sends(10, &prack(2, 7)).sends(10, &prack(3, 8)).shows(RSEQ, "");
        rings(&[7, 8, 9]).sends(10, &prack(2, 7)).sends(10, &prack(3, 9)).shows(RSEQ, "acknowledges 9 after 7");
        // With credentials, it is asked once more.
        rings(&[7]).sends(10, &prack(2, 7)).sends(20, &prack(3, 7)).shows(RSEQ, "");
    }

    #[test]
    fn a_proxy_is_judged_by_nothing_of_this() {
        let invite = request("INVITE", &["1"]);
        let relayed = Story::new().receives(0, &invite).sends(0, &request("INVITE", &["p", "1"]));
        let odd = reliable(0);
        relayed.sends(9, &odd).sends(9, &response(200, "INVITE", &["1"])).shows(RSEQ, "");
        Story::new().sends(9, &theirs(&with("RAck: 1 1 INVITE", &in_dialog("PRACK", &["p", "1"])))).shows(RSEQ, "");
    }
}
