//! Two ends over a network that delays and reorders messages within what transactions allow: no end is ever in two
//! offers, and both agree on the session when all is quiet.

use alloc::vec::Vec;

use super::End::{self, Ours, Theirs};
use super::{Carrier, InvitePhase, Meaning, OfferAnswer, OfferAnswerState as State};
use Carrier::{
    Ack, Invite, InviteFailure, InviteSuccess, Prack, PrackFailure, PrackSuccess, Provisional, Reliable, Update,
    UpdateFailure, UpdateSuccess,
};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn coin(&mut self) -> bool {
        self.roll(2) == 0
    }
}

/// A message on its way. Retransmissions make a lost message a late message, and transactions absorb duplicates.
#[derive(Clone, Copy, Debug)]
struct Packet {
    to: usize,
    carrier: Carrier,
    description: Option<u32>,
    /// The request that this is, or answers, or of a reliable response its own number.
    about: u32,
    /// The INVITE that it belongs to.
    invite: u32,
    /// CSeq: of requests other than ACK.
    cseq: Option<u32>,
    /// Whether a PRACK or its response counts for the exchange.
    counts: bool,
    /// Whether the request that this refuses was out of order (RFC 3261 §12.2.2).
    is_out_of_order: bool,
}

/// Something that an end owes the other: a response, a PRACK or an ACK.
#[derive(Clone, Copy, Debug)]
struct Owed {
    carrier: Carrier,
    about: u32,
    invite: u32,
    is_offer: bool,
    counts: bool,
}

#[derive(Debug, Default)]
struct Side {
    machine: OfferAnswer,
    /// The offer that is open here, and whose it is.
    open: Option<(u32, End)>,
    previewed: Option<u32>,
    /// Offer and answer of the session.
    session: Option<(u32, u32)>,
    must_synchronize: bool,
    cseq: u32,
    remote_cseq: u32,
    /// The INVITE that was begun last, by either end, as far as this end knows.
    latest_invite: u32,
    /// Our INVITE that has no final response.
    client: Option<u32>,
    /// The peer's INVITE that has no final response.
    server: Option<u32>,
    /// The description that answers it, always the same.
    answer: u32,
    /// A reliable response that waits for its PRACK, and whether it has a description.
    unacknowledged: Option<(u32, bool)>,
    owed: Vec<Owed>,
}

impl Side {
    /// Changes this end's view of the session by what the message means.
    fn apply(&mut self, from: End, meaning: Meaning, description: Option<u32>) {
        match meaning {
            Meaning::Nothing | Meaning::Repeated => {}
            Meaning::Offer => {
                assert_eq!(self.open, None, "in two offers");
                self.open = Some((description.expect("an offer"), from));
            }
            Meaning::Preview => self.previewed = description,
            Meaning::Answer => {
                let (offer, by) = self.open.take().expect("an answer has an offer");
                assert_ne!(by, from, "an end has answered itself");
                self.session = Some((offer, description.expect("an answer")));
                self.must_synchronize = false;
            }
            Meaning::PreviewedAnswer => {
                let (offer, by) = self.open.take().expect("an answer has an offer");
                assert_ne!(by, from, "an end has answered itself");
                let preview = self.previewed.take().expect("a preview");
                assert!(description.is_none_or(|description| description == preview));
                self.session = Some((offer, preview));
                self.must_synchronize = false;
            }
            Meaning::Refused => (self.open, self.previewed) = (None, None),
            Meaning::Synchronize => self.must_synchronize = true,
        }
    }
}

#[derive(Default)]
struct Seen {
    answers: [u32; 12],
    previewed: u32,
    refused: u32,
    synchronized: u32,
}

struct Model {
    dice: Dice,
    sides: [Side; 2],
    network: Vec<Packet>,
    last_description: u32,
    last_request: u32,
    seen: Seen,
}

impl Model {
    fn description(&mut self) -> u32 {
        self.last_description += 1;
        self.last_description
    }

    fn request(&mut self) -> u32 {
        self.last_request += 1;
        self.last_request
    }

    /// Sends a message that the machine must take.
    fn send(&mut self, me: usize, carrier: Carrier, description: Option<u32>, about: u32, invite: u32) {
        let side = &mut self.sides[me];
        let meaning = side.machine.sent(carrier, description.is_some());
        let meaning = meaning.unwrap_or_else(|error| panic!("{carrier:?} {description:?}: {error:?} in {side:?}"));
        side.apply(Ours, meaning, description);
        self.put(me, carrier, description, about, invite, true);
    }

    fn put(
        &mut self,
        me: usize,
        carrier: Carrier,
        description: Option<u32>,
        about: u32,
        invite: u32,
        counts: bool,
    ) -> &mut Packet {
        let side = &mut self.sides[me];
        let cseq = matches!(carrier, Invite | Prack | Update).then(|| {
            side.cseq += 1;
            side.cseq
        });
        let is_out_of_order = false;
        self.network.push(Packet { to: 1 - me, carrier, description, about, invite, cseq, counts, is_out_of_order });
        self.network.last_mut().expect("a packet")
    }

    /// One thing that an end may do of itself.
    fn act(&mut self, me: usize) {
        let choice = self.dice.roll(8);
        let has = self.dice.coin();
        let machine = self.sides[me].machine;
        match choice {
            0 if machine.may_send(Invite, has) => {
                let invite = self.request();
                let description = has.then(|| self.description());
                self.sides[me].client = Some(invite);
                self.sides[me].latest_invite = invite;
                self.send(me, Invite, description, invite, invite);
            }
            1 | 2 if machine.may_send(Update, has) => {
                let update = self.request();
                let description = has.then(|| self.description());
                self.send(me, Update, description, update, 0);
            }
            3.. if self.sides[me].server.is_some() => self.serve(me, choice),
            _ => self.pay(me, false),
        }
    }

    /// A response to the INVITE of the peer.
    fn serve(&mut self, me: usize, choice: usize) {
        let Some(invite) = self.sides[me].server else { return };
        let State::Invite(Theirs, phase) = self.sides[me].machine.state() else { panic!("{:?}", self.sides[me]) };
        let is_offered = matches!(phase, InvitePhase::Offered | InvitePhase::Previewed);
        let answer = self.sides[me].answer;
        match choice {
            3 => {
                let description = (is_offered && self.dice.coin()).then_some(answer);
                self.send(me, Provisional, description, invite, invite);
            }
            4 | 5 if self.sides[me].unacknowledged.is_none() => {
                let wants = phase == InvitePhase::Empty || is_offered && self.dice.coin();
                let description = wants.then_some(answer);
                let number = self.request();
                self.sides[me].unacknowledged = Some((number, wants));
                self.send(me, Reliable, description, number, invite);
            }
            6 if self.sides[me].unacknowledged.is_none_or(|(_, has)| !has) => {
                let description = (is_offered || phase == InvitePhase::Empty).then_some(answer);
                self.sides[me].server = None;
                self.sides[me].unacknowledged = None;
                self.send(me, InviteSuccess, description, invite, invite);
            }
            7 if !self.sides[me].machine.is_executed() => {
                self.sides[me].server = None;
                self.sides[me].unacknowledged = None;
                self.send(me, InviteFailure, None, invite, invite);
            }
            _ => {}
        }
    }

    /// Sends something that is owed.
    fn pay(&mut self, me: usize, in_the_end: bool) {
        if self.sides[me].owed.is_empty() {
            return;
        }
        let place = self.dice.roll(self.sides[me].owed.len());
        let owed = self.sides[me].owed.swap_remove(place);
        let refuses = !in_the_end && self.dice.roll(4) == 0;
        let is_latest = owed.invite == self.sides[me].latest_invite;
        let state = self.sides[me].machine.state();
        // A response is acknowledged by the PRACK that is accepted.
        if owed.carrier == Prack
            && !(refuses && owed.is_offer)
            && self.sides[me].unacknowledged.is_some_and(|(number, _)| number == owed.about)
        {
            self.sides[me].unacknowledged = None;
        }
        match owed.carrier {
            Update if refuses => self.send(me, UpdateFailure, None, owed.about, 0),
            Update => {
                let description = owed.is_offer.then(|| self.description());
                self.send(me, UpdateSuccess, description, owed.about, 0);
            }
            Prack if !is_latest || !owed.counts => {
                self.put(me, PrackSuccess, None, owed.about, owed.invite, owed.counts);
            }
            Prack if refuses && owed.is_offer => {
                self.send(me, PrackFailure, None, owed.about, owed.invite);
            }
            Prack => {
                let description = owed.is_offer.then(|| self.description());
                self.send(me, PrackSuccess, description, owed.about, owed.invite);
            }
            Reliable if self.sides[me].client != Some(owed.invite) => {}
            Reliable if !owed.counts => {
                self.put(me, Prack, None, owed.about, owed.invite, false);
            }
            Reliable => {
                let wants = match state {
                    State::Invite(Ours, InvitePhase::ReliableOffered) => true,
                    State::Invite(Ours, InvitePhase::ReliableAnswered) => {
                        owed.is_offer && !in_the_end && self.dice.coin()
                    }
                    _ => false,
                };
                let description = wants.then(|| self.description());
                self.send(me, Prack, description, owed.about, owed.invite);
            }
            Ack if !is_latest => {
                self.put(me, Ack, None, owed.about, owed.invite, true);
            }
            Ack => {
                let wants = state == State::Invite(Ours, InvitePhase::SuccessOffered);
                let description = wants.then(|| self.description());
                self.send(me, Ack, description, owed.about, owed.invite);
            }
            _ => {}
        }
    }

    /// A message arrives.
    fn deliver(&mut self, packet: Packet) {
        let Packet { to: me, carrier, description, about, invite, cseq, counts, is_out_of_order } = packet;
        let side = &mut self.sides[me];
        let is_of_a_past_transaction = match carrier {
            Provisional | Reliable | InviteSuccess | InviteFailure => side.client != Some(invite),
            Ack => side.latest_invite != invite,
            PrackSuccess | PrackFailure => side.latest_invite != invite || !counts,
            _ => false,
        };
        if is_of_a_past_transaction {
            return;
        }
        if carrier == PrackFailure && is_out_of_order {
            // The PRACK goes again as it was.
            self.put(me, Prack, description, about, invite, counts);
            return;
        }
        let failure = match carrier {
            Invite => InviteFailure,
            Prack => PrackFailure,
            _ => UpdateFailure,
        };
        if cseq.is_some_and(|cseq| cseq < side.remote_cseq) {
            // The description comes back only to tell the sender what the PRACK was.
            self.put(me, failure, description, about, invite, counts).is_out_of_order = true;
            return;
        }
        side.remote_cseq = side.remote_cseq.max(cseq.unwrap_or(0));
        let has_description = description.is_some() && !is_out_of_order;
        let verdict = match carrier {
            Prack if !counts => Ok(Meaning::Nothing),
            _ => side.machine.received(carrier, has_description),
        };
        let meaning = match verdict {
            Ok(meaning) => meaning,
            Err(error) => {
                assert!(error.refusal(carrier).is_some(), "{carrier:?} {description:?}: {error:?} in {side:?}");
                self.seen.refused += 1;
                self.put(me, failure, None, about, invite, counts);
                return;
            }
        };
        side.apply(Theirs, meaning, description);
        match meaning {
            Meaning::Answer => self.seen.answers[carrier as usize] += 1,
            Meaning::PreviewedAnswer => self.seen.previewed += 1,
            Meaning::Synchronize => self.seen.synchronized += 1,
            _ => {}
        }
        let is_offer = meaning == Meaning::Offer;
        let owed = Owed { carrier, about, invite, is_offer, counts };
        match carrier {
            Invite => {
                (side.server, side.latest_invite) = (Some(invite), invite);
                let answer = self.description();
                self.sides[me].answer = answer;
            }
            Prack | Update => side.owed.push(owed),
            Reliable => {
                let counts = matches!(meaning, Meaning::Offer | Meaning::Answer | Meaning::PreviewedAnswer);
                side.owed.push(Owed { is_offer: counts, counts, ..owed });
            }
            InviteSuccess => {
                side.client = None;
                side.owed.push(Owed { carrier: Ack, ..owed });
            }
            InviteFailure => side.client = None,
            // The response still waits: its PRACK goes again, without an offer.
            PrackFailure if side.client == Some(invite) => {
                side.owed.push(Owed { carrier: Reliable, is_offer: false, ..owed })
            }
            _ => {}
        }
    }

    fn step(&mut self) {
        if self.dice.coin() && !self.network.is_empty() {
            let place = self.dice.roll(self.network.len());
            let packet = self.network.swap_remove(place);
            // A provisional response that is not sent reliably may be lost.
            if packet.carrier != Provisional || self.dice.coin() {
                self.deliver(packet);
            }
        } else {
            let me = self.dice.roll(2);
            self.act(me);
        }
    }

    fn is_quiet(&self) -> bool {
        self.network.is_empty() && self.sides.iter().all(|side| side.owed.is_empty() && side.server.is_none())
    }

    /// Nothing new is begun; all that is open is brought to its end.
    fn calm(&mut self) {
        for _ in 0..10_000 {
            if self.is_quiet() {
                return;
            }
            if self.network.is_empty() || self.dice.roll(3) == 0 {
                let me = self.dice.roll(2);
                self.pay(me, true);
                if self.dice.coin() {
                    self.serve(me, 6);
                }
            } else {
                let place = self.dice.roll(self.network.len());
                let packet = self.network.swap_remove(place);
                self.deliver(packet);
            }
        }
        panic!("never quiet: {:?} {:?}", self.sides, self.network);
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        self.calm();
        // RFC 6141 §3.4: a caller whose INVITE failed after an exchange within it offers anew.
        for _ in 0..4 {
            for me in 0..2 {
                if self.sides[me].must_synchronize {
                    let (update, offer) = (self.request(), self.description());
                    self.send(me, Update, Some(offer), update, 0);
                    self.calm();
                }
            }
        }
        let [one, other] = &self.sides;
        for side in [one, other] {
            assert_eq!((side.machine, side.open), (OfferAnswer::default(), None), "{one:?}\n{other:?}");
            assert!(!side.must_synchronize);
        }
        assert_eq!(one.session, other.session, "{one:?}\n{other:?}");
    }
}

#[test]
fn no_end_is_in_two_offers_and_both_agree_when_all_is_quiet() {
    let mut model = Model {
        dice: Dice(0x9E37_79B9_7F4A_7C15),
        sides: Default::default(),
        network: Vec::new(),
        last_description: 0,
        last_request: 0,
        seen: Seen::default(),
    };
    for case in 0..20_000 {
        model.sides = Default::default();
        model.run(20 + case % 100);
    }
    // All ways to an answer were gone, and the exceptions too.
    let Seen { answers, previewed, refused, synchronized } = model.seen;
    for carrier in [Reliable, InviteSuccess, Ack, Prack, PrackSuccess, UpdateSuccess] {
        assert!(answers[carrier as usize] > 500, "{carrier:?}: {answers:?}");
    }
    assert!(previewed > 500 && refused > 500 && synchronized > 50, "{previewed} {refused} {synchronized}");
}
