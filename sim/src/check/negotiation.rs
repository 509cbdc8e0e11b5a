//! What one end of a dialog has offered and answered, by its messages alone.

use std::collections::{BTreeMap, BTreeSet};

use sansip::Instant;

use super::{Part, Seen};
use crate::actor::Session;
use crate::packet::Packet;

/// The message that an offer came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    /// A request of this method, or a 2xx to INVITE (which has the name `2xx`), with this CSeq number.
    Message(&'static str, u32),
    /// A reliable provisional response to the INVITE of this CSeq number, with this RSeq.
    Reliable(u32, u32),
}

/// An offer that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Offer<'a> {
    carrier: Carrier,
    body: &'a [u8],
}

/// An INVITE: its description, and whether an offer was answered in it, or made by a response.
type Invite<'a> = (Option<&'a [u8]>, bool);

/// An offer that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed<'a> {
    /// Whether the offer was that of this end.
    pub(super) ours: bool,
    /// Who offered (the tag) and in what.
    pub(super) offer: (&'a str, &'static str, u32),
    pub(super) local: &'a [u8],
    pub(super) remote: &'a [u8],
}

/// An offer of the other end in a response. Its answer is in a request, which may be sent later than it was given: the way is looked up
/// first.
#[derive(Clone, Copy, Debug)]
struct Owed<'a> {
    since: Instant,
    offer: &'a [u8],
    /// The answer, and when it was sent.
    answer: Option<(Instant, &'a [u8])>,
}

/// The offers and answers of one end of a dialog.
#[derive(Debug, Default)]
pub(super) struct Negotiation<'a> {
    local: &'a str,
    remote: &'a str,
    ours: Option<Offer<'a>>,
    theirs: Option<Offer<'a>>,
    /// The INVITEs by direction (sent or not) and number.
    invites: BTreeMap<(bool, u32), Invite<'a>>,
    /// Everything that was looked at: copies say nothing new.
    known: BTreeSet<(bool, &'a str, Option<u16>, u32, u32)>,
    exchanges: Vec<(Instant, Agreed<'a>)>,
    owed: Vec<Owed<'a>>,
    over: bool,
    /// The reliable responses whose offers have been answered, or fell with their INVITE: ours or not, and the number. What another PRACK
    /// for one says is nothing new: that of a PRACK that was challenged comes again.
    settled: Vec<(bool, u32)>,
    /// Everything that this end did wrong.
    pub(super) wrong: Vec<(Instant, String)>,
}

/// The kind of a message as offers and answers are concerned, by the method in CSeq.
const METHODS: [&str; 4] = ["INVITE", "ACK", "PRACK", "UPDATE"];

impl<'a> Negotiation<'a> {
    /// What the node of this part has negotiated in the dialog of these tags.
    pub(super) fn of(part: &Part<'a>, local: &'a str, remote: &'a str) -> Self {
        let mut negotiation = Self { local, remote, ..Self::default() };
        for (seen, packet, _) in part.messages() {
            if negotiation.over {
                break;
            }
            negotiation.see(seen, packet, seen.is_sent());
        }
        negotiation
    }

    /// The last offer that was answered, as this end knows.
    pub(super) fn last_agreed(&self) -> Option<Agreed<'a>> {
        self.exchanges.last().map(|(_, exchange)| *exchange)
    }

    /// The description of this end in the last exchange before that time.
    pub(super) fn local_before(&self, time: Instant) -> Option<&'a [u8]> {
        self.exchanges.iter().rev().find(|(at, _)| *at < time).map(|(_, exchange)| exchange.local)
    }

    /// Whether this is the session that this end had, or may have had, at some moment of that instant.
    pub(super) fn has(&self, session: &Session, time: Instant) -> bool {
        let before = self.exchanges.iter().rev().find(|(at, _)| *at < time).map(|(_, exchange)| exchange);
        let then = self.exchanges.iter().filter(|(at, _)| *at == time).map(|(_, exchange)| Some(exchange));
        let mut all = then.chain([before]);
        all.any(|exchange| {
            exchange.is_some_and(|exchange| exchange.local == &*session.local && exchange.remote == &*session.remote)
        }) || self.owed.iter().any(|owed| owed.is_answered_by(session, time))
    }

    fn see(&mut self, seen: &Seen<'a>, packet: &'a Packet<'a>, sent: bool) {
        // A response goes the other way than its request.
        let asked_by_us = sent == packet.is_request();
        let (local, remote) =
            if asked_by_us { (packet.from_tag, packet.to_tag) } else { (packet.to_tag, packet.from_tag) };
        let is_first = packet.method == "INVITE" && {
            let asking = if asked_by_us { local == self.local } else { remote == self.remote };
            let other = if asked_by_us { remote } else { local };
            asking
                && (other.is_empty()
                    || (packet.is_rejection() && self.invites.contains_key(&(asked_by_us, packet.sequence))))
        };
        if !is_first && (local, remote) != (self.local, self.remote) {
            return;
        }
        if packet.answers(2, "BYE") {
            self.over = true;
            return;
        }
        let Some(method) = METHODS.into_iter().find(|method| *method == packet.method) else { return };
        let reliable = number(packet, "rseq");
        if !self.known.insert((sent, packet.method, packet.status(), packet.sequence, reliable.unwrap_or_default())) {
            return;
        }
        let body = packet.describes.then_some(packet.body);
        let wrong = match packet.status() {
            None => self.see_request(seen, packet, sent, method, body),
            Some(100..=199) => match reliable {
                Some(reliable) if method == "INVITE" => {
                    let carrier = Carrier::Reliable(packet.sequence, reliable);
                    self.see_first_response(seen, packet, sent, carrier, body)
                }
                _ => Ok(()),
            },
            Some(200..=299) if method == "INVITE" => {
                self.see_first_response(seen, packet, sent, Carrier::Message("2xx", packet.sequence), body)
            }
            Some(200..=299) => self.see_answer(seen, packet, sent, method, body),
            Some(_) => {
                self.see_refusal(packet.sequence, method, asked_by_us);
                Ok(())
            }
        };
        if let Err(why) = wrong
            && sent
        {
            self.wrong.push((seen.time, format!("{} ({}) {why}", packet.what(), packet.top().branch)));
        }
    }

    fn see_request(
        &mut self,
        seen: &Seen<'a>,
        packet: &'a Packet<'a>,
        sent: bool,
        method: &'static str,
        body: Option<&'a [u8]>,
    ) -> Result<(), &'static str> {
        let number_in = packet.sequence;
        let waiting = if sent { self.theirs } else { self.ours };
        match method {
            "ACK" => {
                let owed = waiting.filter(|offer| offer.carrier == Carrier::Message("2xx", number_in));
                match (owed, body) {
                    (Some(offer), Some(answer)) => self.agree(seen, sent, offer, answer),
                    (Some(_), None) => {
                        self.clear(!sent);
                        return Err("has no answer to the offer of its 2xx");
                    }
                    (None, Some(_)) => return Err("has a description that answers no offer"),
                    (None, None) => {}
                }
                Ok(())
            }
            "PRACK" => {
                let acknowledged = number(packet, "rack");
                let owed = waiting
                    .filter(|offer| matches!(offer.carrier, Carrier::Reliable(_, rseq) if Some(rseq) == acknowledged));
                match (owed, body) {
                    (Some(offer), Some(answer)) => {
                        self.settled.extend(acknowledged.map(|rseq| (!sent, rseq)));
                        self.agree(seen, sent, offer, answer);
                        Ok(())
                    }
                    (Some(_), None) => {
                        self.clear(!sent);
                        Err("has no answer to the offer of its response")
                    }
                    (None, Some(_)) if acknowledged.is_some_and(|rseq| self.settled.contains(&(!sent, rseq))) => Ok(()),
                    (None, Some(offer)) => self.offer(sent, Carrier::Message(method, number_in), offer),
                    (None, None) => Ok(()),
                }
            }
            _ => {
                if method == "INVITE" {
                    self.invites.insert((sent, number_in), (body, false));
                }
                match body {
                    Some(offer) => self.offer(sent, Carrier::Message(method, number_in), offer),
                    None => Ok(()),
                }
            }
        }
    }

    /// A reliable response to an INVITE: the first with a description has the answer, or the offer if the INVITE had none.
    fn see_first_response(
        &mut self,
        seen: &Seen<'a>,
        packet: &'a Packet<'a>,
        sent: bool,
        carrier: Carrier,
        body: Option<&'a [u8]>,
    ) -> Result<(), &'static str> {
        let is_final = matches!(carrier, Carrier::Message(..));
        let key = (!sent, packet.sequence);
        let Some((offered, settled)) = self.invites.get(&key).copied() else { return Ok(()) };
        let Some(body) = body else {
            if !is_final || settled {
                return Ok(());
            }
            self.clear(!sent);
            return Err("has neither offer nor answer");
        };
        if settled {
            return Ok(());
        }
        self.invites.insert(key, (offered, true));
        match offered {
            Some(offer) => {
                let offer = Offer { carrier: Carrier::Message("INVITE", packet.sequence), body: offer };
                let glare = if sent { self.ours } else { None };
                self.agree(seen, sent, offer, body);
                if glare.is_some() { Err("accepts an offer while its own waits for the answer") } else { Ok(()) }
            }
            None => {
                if !sent {
                    self.owed.push(Owed { since: seen.time, offer: body, answer: None });
                }
                self.offer(sent, carrier, body)
            }
        }
    }

    /// A 2xx to an UPDATE or PRACK.
    fn see_answer(
        &mut self,
        seen: &Seen<'a>,
        packet: &'a Packet<'a>,
        sent: bool,
        method: &'static str,
        body: Option<&'a [u8]>,
    ) -> Result<(), &'static str> {
        let waiting = if sent { self.theirs } else { self.ours };
        let owed = waiting.filter(|offer| offer.carrier == Carrier::Message(method, packet.sequence));
        match (owed, body) {
            (Some(offer), Some(answer)) => {
                let glare = if sent { self.ours } else { None };
                self.agree(seen, sent, offer, answer);
                if glare.is_some() { Err("accepts an offer while its own waits for the answer") } else { Ok(()) }
            }
            (Some(_), None) => {
                self.clear(!sent);
                Err("has no answer")
            }
            (None, Some(_)) => Err("has a description that answers no offer"),
            (None, None) => Ok(()),
        }
    }

    /// A request was refused, and with it its offer, or that of a provisional response to it.
    fn see_refusal(&mut self, number: u32, method: &'static str, asked_by_us: bool) {
        let falls = |offer: &Offer<'_>, asks: bool| match offer.carrier {
            Carrier::Message(carrier, carried) => asks && (carrier, carried) == (method, number),
            Carrier::Reliable(invite, _) => !asks && method == "INVITE" && invite == number,
        };
        for (is_ours, place) in [(true, &mut self.ours), (false, &mut self.theirs)] {
            if let Some(offer) = place.take_if(|offer| falls(offer, asked_by_us == is_ours))
                && let Carrier::Reliable(_, rseq) = offer.carrier
            {
                self.settled.push((is_ours, rseq));
            }
        }
    }

    /// An offer is made, by this end or by the other.
    fn offer(&mut self, sent: bool, carrier: Carrier, body: &'a [u8]) -> Result<(), &'static str> {
        let waits = (self.ours.is_some(), self.theirs.is_some());
        let place = if sent { &mut self.ours } else { &mut self.theirs };
        *place = Some(Offer { carrier, body });
        match waits {
            (true, _) if sent => Err("has an offer while an earlier one waits for the answer"),
            (_, true) if sent => Err("has an offer while that of the other end waits for the answer"),
            _ => Ok(()),
        }
    }

    /// The offer of the other end (if `sent`) or of this one is answered.
    fn agree(&mut self, seen: &Seen<'a>, sent: bool, offer: Offer<'a>, answer: &'a [u8]) {
        self.clear(!sent);
        if sent && let Some(owed) = self.owed.last_mut().filter(|owed| owed.offer == offer.body) {
            owed.answer.get_or_insert((seen.time, answer));
        }
        let (local, remote) = if sent { (answer, offer.body) } else { (offer.body, answer) };
        let who = if sent { self.remote } else { self.local };
        let carrier = match offer.carrier {
            Carrier::Message(method, number) => (who, method, number),
            Carrier::Reliable(invite, rseq) => (who, "1xx", invite ^ rseq.rotate_left(16)),
        };
        self.exchanges.push((seen.time, Agreed { ours: !sent, offer: carrier, local, remote }));
    }

    fn clear(&mut self, ours: bool) {
        *(if ours { &mut self.ours } else { &mut self.theirs }) = None;
    }
}

impl Owed<'_> {
    /// Whether the session of this offer, with the answer that is sent later or not at all, is that session at that time.
    fn is_answered_by(&self, session: &Session, time: Instant) -> bool {
        self.since <= time
            && self.offer == &*session.remote
            && self.answer.is_none_or(|(sent, answer)| time <= sent && answer == &*session.local)
    }
}

/// The first number of a header field.
fn number(packet: &Packet<'_>, name: &'static str) -> Option<u32> {
    let value = packet.values(name, name).next()?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::OFFER_ANSWER;
    use super::super::story::{Story, in_dialog, numbered, request, response, with};

    /// This message with that description.
    fn sdp(text: &str, message: &str) -> String {
        format!("{}{text}", with("Content-Type: application/sdp", message))
    }

    fn invite() -> String {
        sdp("offer", &request("INVITE", &["1"]))
    }

    fn answered() -> Story {
        let ok = sdp("answer", &response(200, "INVITE", &["1"]));
        Story::new().sends(0, &invite()).receives(9, &ok).sends(9, &in_dialog("ACK", &["2"]))
    }

    fn update(number: u32, via: &str) -> String {
        sdp("other", &numbered(number, &in_dialog("UPDATE", &[via])))
    }

    fn theirs(message: &str) -> String {
        message.replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b")
    }

    #[test]
    fn one_offer_at_a_time() {
        const OURS: &str = "has an offer while an earlier one waits for the answer";
        const THEIRS: &str = "has an offer while that of the other end waits for the answer";
        let asked = || answered().sends(20, &update(2, "3"));
        asked().shows(OFFER_ANSWER, "");
        asked().sends(21, &update(3, "4")).shows(OFFER_ANSWER, OURS);
        asked().sends(21, &update(2, "3")).shows(OFFER_ANSWER, "");
        for status in [401, 491] {
            let refused = numbered(2, &response(status, "UPDATE", &["3"]));
            asked().receives(21, &refused).sends(22, &update(3, "4")).shows(OFFER_ANSWER, "");
        }
        let agreed = sdp("yes", &numbered(2, &response(200, "UPDATE", &["3"])));
        asked().receives(21, &agreed).sends(22, &update(3, "4")).shows(OFFER_ANSWER, "");
        let was_asked = || answered().receives(20, &theirs(&update(7, "t")));
        was_asked().sends(21, &update(2, "3")).shows(OFFER_ANSWER, THEIRS);
        let no = theirs(&numbered(7, &response(488, "UPDATE", &["t"])));
        was_asked().sends(21, &no).sends(22, &update(2, "3")).shows(OFFER_ANSWER, "");
    }

    #[test]
    fn an_offer_that_meets_ones_own_is_refused() {
        let glare = || answered().sends(20, &update(2, "3")).receives(21, &theirs(&update(7, "t")));
        let reply = |status| theirs(&numbered(7, &response(status, "UPDATE", &["t"])));
        glare().sends(22, &reply(491)).shows(OFFER_ANSWER, "");
        let accepted = sdp("yes", &reply(200));
        glare().sends(22, &accepted).shows(OFFER_ANSWER, "accepts an offer while its own waits for the answer");
    }

    #[test]
    fn each_offer_has_its_answer_where_it_belongs() {
        let called = || Story::new().receives(0, &theirs(&invite()));
        let ok = theirs(&response(200, "INVITE", &["1"]));
        called().sends(9, &sdp("answer", &ok)).shows(OFFER_ANSWER, "");
        called().sends(9, &ok).shows(OFFER_ANSWER, "has neither offer nor answer");
        let late = || {
            let ok = sdp("offer", &response(200, "INVITE", &["1"]));
            Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &ok)
        };
        let ack = in_dialog("ACK", &["2"]);
        late().sends(10, &sdp("answer", &ack)).shows(OFFER_ANSWER, "");
        late().sends(10, &ack).shows(OFFER_ANSWER, "has no answer to the offer of its 2xx");
        let early = Story::new().sends(0, &invite()).receives(9, &sdp("answer", &response(200, "INVITE", &["1"])));
        early.sends(10, &sdp("answer", &ack)).shows(OFFER_ANSWER, "has a description that answers no offer");
    }

    #[test]
    fn an_answer_counts_from_when_it_is_given_to_when_its_request_is_sent() {
        const NOT: &str = "believes in a session that was not agreed upon";
        let ack = sdp("answer", &in_dialog("ACK", &["2"]));
        let offered = || {
            let ok = sdp("offer", &response(200, "INVITE", &["1"]));
            Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &ok).begins(9)
        };
        let session = |local, remote| Some((local, remote));
        let before = |local, remote| offered().ends_with(20, session(local, remote)).sends(28, &ack);
        before("answer", "offer").shows(OFFER_ANSWER, "");
        before("other", "offer").shows(OFFER_ANSWER, NOT);
        before("answer", "other").shows(OFFER_ANSWER, NOT);
        let after = |local, remote| offered().sends(10, &ack).ends_with(20, session(local, remote));
        after("answer", "offer").shows(OFFER_ANSWER, "");
        after("other", "offer").shows(OFFER_ANSWER, NOT);
        // The call was over before the way of the ACK was known.
        offered().ends_with(20, session("answer", "offer")).shows(OFFER_ANSWER, "");
    }

    #[test]
    fn a_reliable_response_has_the_answer_or_the_offer_and_another_is_nothing() {
        let ringing = with("Require: 100rel", &with("RSeq: 7", &response(183, "INVITE", &["1"])));
        let prack = with("RAck: 7 1 INVITE", &numbered(2, &in_dialog("PRACK", &["2"])));
        let asked = || Story::new().sends(0, &invite()).receives(5, &sdp("answer", &ringing));
        asked().sends(6, &prack).sends(7, &numbered(3, &update(3, "3"))).shows(OFFER_ANSWER, "");
        let waits = "has an offer while an earlier one waits for the answer";
        Story::new().sends(0, &invite()).receives(5, &ringing).sends(6, &update(2, "3")).shows(OFFER_ANSWER, waits);
        let offered = || Story::new().sends(0, &request("INVITE", &["1"])).receives(5, &sdp("offer", &ringing));
        offered().sends(6, &sdp("answer", &prack)).shows(OFFER_ANSWER, "");
        offered().sends(6, &prack).shows(OFFER_ANSWER, "has no answer to the offer of its response");
    }
}
