//! Reliable provisional responses: their numbers, their retransmission and their order (RFC 3262).

use alloc::collections::VecDeque;

use crate::error::{CommandError, Limit};
use crate::message::Method;
use crate::message::header::RAck;
use crate::random::Random;
use crate::time::{Duration, Instant};
use crate::transaction::Timers;

/// The greatest RSeq that a transaction begins with: 2^31 - 1 (RFC 3262 §3).
const LAST_FIRST: u32 = i32::MAX as u32;

/// Bounds on what a dialog holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reliable provisional responses of one INVITE that wait for a PRACK or for their turn; above it a command fails.
    /// 8.
    pub reliable_responses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reliable_responses: 8 }
    }
}

impl Limit {
    /// [`Limits::reliable_responses`]: the command fails.
    pub const RELIABLE_RESPONSES: Self = Self::named("reliable_responses");
}

/// A response that a PRACK has to acknowledge.
#[derive(Clone, Debug)]
struct Numbered<R> {
    rseq: u32,
    has_description: bool,
    response: R,
}

/// How far the INVITE is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// More provisional responses may come.
    Provisional,
    /// The 2xx waits for PRACKs (RFC 3262 §3, §5).
    Withheld,
    /// A final response is sent.
    Final,
}

/// When the response that waits for its PRACK is sent again.
#[derive(Clone, Copy, Debug)]
struct Retransmission {
    again: Instant,
    interval: Duration,
    give_up: Instant,
}

/// The event that is due among the reliable responses of an INVITE.
#[derive(Debug, PartialEq, Eq)]
pub enum ReliableDue<'a, R> {
    /// This response is sent again.
    Again(&'a R),
    /// No PRACK has come for 64·T1: the INVITE is refused with a 5xx (RFC 3262 §3).
    Unacknowledged,
}

/// The effect of a PRACK.
#[derive(Debug, PartialEq, Eq)]
pub struct Acknowledged<'a, R> {
    /// The response that is acknowledged: it is not sent again.
    pub response: R,
    /// The next response, which is sent now.
    pub next: Option<&'a R>,
    /// Whether the 2xx that was withheld is sent now.
    pub release: bool,
}

/// The reliable provisional responses of one INVITE that we answer (RFC 3262 §3). `R` is a response as the owner holds
/// it.
///
/// One response at a time waits for its PRACK. RFC 3262 §3 asks for that of the first and recommends it for all. The
/// others wait for their turn, at most [`Limits::reliable_responses`] of them.
#[derive(Clone, Debug)]
pub struct ReliableResponses<R> {
    /// The CSeq number of the INVITE.
    cseq: u32,
    next_rseq: u32,
    /// The first waits for its PRACK, the others for their turn.
    waiting: VecDeque<Numbered<R>>,
    /// `None` where nothing waits for a PRACK, and after a final response.
    retransmission: Option<Retransmission>,
    stage: Stage,
    t1: Duration,
    most: usize,
}

impl<R> ReliableResponses<R> {
    /// No responses yet, of the INVITE with this CSeq number. The first RSeq is drawn from 1 to 2^31 - 1 (RFC 3262 §3).
    pub fn new(cseq: u32, random: &mut Random, timers: &Timers, limits: &Limits) -> Self {
        Self::starting_with(1 + random.below(LAST_FIRST.into()) as u32, cseq, timers, limits)
    }

    fn starting_with(rseq: u32, cseq: u32, timers: &Timers, limits: &Limits) -> Self {
        Self {
            cseq,
            next_rseq: rseq,
            waiting: VecDeque::new(),
            retransmission: None,
            stage: Stage::Provisional,
            t1: timers.usable().t1,
            most: limits.reliable_responses,
        }
    }

    /// Takes a response of 101 to 199, which `write` writes with its RSeq. A response that is given back is sent now,
    /// the others when those before it are acknowledged.
    ///
    /// # Errors
    /// The INVITE has, or waits for, its final response; too many responses wait; or the response cannot be written, and takes no number.
    pub fn send(
        &mut self,
        has_description: bool,
        now: Instant,
        write: impl FnOnce(u32) -> Result<R, CommandError>,
    ) -> Result<Option<&R>, CommandError> {
        if self.stage != Stage::Provisional {
            return Err(CommandError::WrongState);
        }
        if self.waiting.len() >= self.most {
            return Err(CommandError::Limit(Limit::RELIABLE_RESPONSES.name()));
        }
        let rseq = self.next_rseq;
        // Numbers do not wrap around: 2^31 of them are left at least.
        let next = rseq.checked_add(1).ok_or(CommandError::WrongState)?;
        let response = write(rseq)?;
        self.next_rseq = next;
        let is_first = self.waiting.is_empty();
        self.waiting.push_back(Numbered { rseq, has_description, response });
        Ok(if is_first { self.begin(now) } else { None })
    }

    /// The first response that waits is sent now.
    fn begin(&mut self, now: Instant) -> Option<&R> {
        let first = self.waiting.front()?;
        let interval = self.t1;
        let give_up = now + interval.saturating_mul(64);
        self.retransmission = Some(Retransmission { again: now + interval, interval, give_up });
        Some(&first.response)
    }

    /// Whether no response waits for a PRACK or for its turn.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Looks for the response that waits for a PRACK with this RAck: whether the response has a session description. `None` if
    /// [`prack`](Self::prack) would find none.
    pub fn matching(&self, rack: RAck<'_>) -> Option<bool> {
        let first = self.waiting.front()?;
        let is_it = rack.rseq == first.rseq && rack.cseq == self.cseq && rack.method == Method::Invite;
        is_it.then_some(first.has_description)
    }

    /// Takes the RAck of a PRACK in the dialog. `None` if it matches no response that waits for a PRACK: 481. Otherwise
    /// the PRACK gets a 2xx.
    pub fn prack(&mut self, rack: RAck<'_>, now: Instant) -> Option<Acknowledged<'_, R>> {
        self.matching(rack)?;
        let response = self.waiting.pop_front()?.response;
        self.retransmission = None;
        let release = self.stage == Stage::Withheld && !self.withholds();
        if release {
            self.end();
        }
        let next = if self.stage == Stage::Final { None } else { self.begin(now) };
        Some(Acknowledged { response, next, release })
    }

    /// Whether a response with a session description waits: the 2xx must not go before its PRACK (RFC 3262 §3, §5).
    fn withholds(&self) -> bool {
        self.waiting.iter().any(|numbered| numbered.has_description)
    }

    /// A 2xx to the INVITE is at hand: whether it goes now. If not, it goes when a PRACK
    /// [releases](Acknowledged::release) it, or never, if no PRACK comes.
    ///
    /// # Errors
    /// The INVITE has, or waits for, its final response.
    pub fn accept(&mut self) -> Result<bool, CommandError> {
        if self.stage != Stage::Provisional {
            return Err(CommandError::WrongState);
        }
        if self.withholds() {
            self.stage = Stage::Withheld;
            return Ok(false);
        }
        self.end();
        Ok(true)
    }

    /// A final response other than 2xx goes now, in place of a 2xx that is withheld too. The response that waits is not
    /// sent again, and its PRACK is still taken (RFC 3262 §3).
    ///
    /// # Errors
    /// The INVITE has its final response.
    pub fn refuse(&mut self) -> Result<(), CommandError> {
        if self.stage == Stage::Final {
            return Err(CommandError::WrongState);
        }
        self.end();
        Ok(())
    }

    /// Nothing provisional is sent after a final response.
    fn end(&mut self) {
        self.stage = Stage::Final;
        // The first response has been sent only while its PRACK is awaited.
        self.waiting.truncate(usize::from(self.retransmission.take().is_some()));
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.retransmission.map(|retransmission| retransmission.again.min(retransmission.give_up))
    }

    /// Takes out what is due at `now`. The interval starts at T1 and doubles without an upper bound (RFC 3262 §3). Once
    /// the response is given up nothing more is due, and the owner refuses the INVITE.
    pub fn due(&mut self, now: Instant) -> Option<ReliableDue<'_, R>> {
        let retransmission = self.retransmission.as_mut()?;
        if retransmission.give_up <= now {
            self.end();
            return Some(ReliableDue::Unacknowledged);
        }
        if retransmission.again > now {
            return None;
        }
        retransmission.interval = retransmission.interval.saturating_mul(2);
        retransmission.again = now + retransmission.interval;
        self.waiting.front().map(|first| ReliableDue::Again(&first.response))
    }
}

/// The verdict of the receiver on a reliable provisional response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReliableArrival {
    /// It is processed, and a PRACK with this RAck is sent.
    New(RAck<'static>),
    /// The response came before: no PRACK is sent, and the response is not processed.
    Repeated,
    /// A response before it is missing, or its number cannot be: no PRACK is sent, and the response is not processed.
    OutOfOrder,
}

/// The order of the reliable provisional responses of one early dialog that our INVITE has made (RFC 3262 §4). Each
/// early dialog has its own (errata 4600, 4603). A 100 is never reliable, and responses after the final one are
/// discarded before they come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReliableOrder {
    /// The CSeq number of the INVITE.
    cseq: u32,
    /// The first and the last RSeq in order.
    taken: Option<(u32, u32)>,
}

impl ReliableOrder {
    /// No response yet, to the INVITE with this CSeq number.
    pub const fn new(cseq: u32) -> Self {
        Self { cseq, taken: None }
    }

    /// Takes a response with this RSeq: the first may have any number but 0, each other has the next one.
    pub fn take(&mut self, rseq: u32) -> ReliableArrival {
        let (first, expected) = match self.taken {
            None if rseq == 0 => return ReliableArrival::OutOfOrder,
            None => (rseq, Some(rseq)),
            Some((first, last)) if (first..=last).contains(&rseq) => return ReliableArrival::Repeated,
            Some((first, last)) => (first, last.checked_add(1)),
        };
        if expected != Some(rseq) {
            return ReliableArrival::OutOfOrder;
        }
        self.taken = Some((first, rseq));
        ReliableArrival::New(RAck { rseq, cseq: self.cseq, method: Method::Invite })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Script, Seed};
    use alloc::vec::Vec;

    type Responses = ReliableResponses<&'static str>;

    const CSEQ: u32 = 314_159;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn responses() -> Responses {
        Responses::starting_with(776_656, CSEQ, &Timers::default(), &Limits::default())
    }

    fn rack(rseq: u32) -> RAck<'static> {
        RAck { rseq, cseq: CSEQ, method: Method::Invite }
    }

    /// Sends a response; the RSeq that it got, and whether it goes at once.
    fn send(responses: &mut Responses, text: &'static str, has_description: bool, now: Instant) -> (u32, bool) {
        let mut number = 0;
        let sent = responses.send(has_description, now, |rseq| {
            number = rseq;
            Ok(text)
        });
        (number, sent.unwrap().is_some())
    }

    #[test]
    fn the_first_number_is_drawn_between_1_and_2_to_the_31_less_1() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let firsts: Vec<u32> = (0..2_000)
            .map(|_| Responses::new(CSEQ, &mut random, &Timers::default(), &Limits::default()).next_rseq)
            .collect();
        assert!(firsts.iter().all(|first| (1..=0x7FFF_FFFF).contains(first)));
        // They are spread over the whole range.
        assert!(firsts.iter().any(|first| *first < 0x0400_0000) && firsts.iter().any(|first| *first > 0x7C00_0000));
    }

    #[test]
    fn numbers_rise_by_one_and_one_response_at_a_time_is_sent() {
        let mut responses = responses();
        assert_eq!(send(&mut responses, "180", false, at(0)), (776_656, true));
        assert_eq!(send(&mut responses, "183", false, at(10)), (776_657, false));
        assert_eq!(send(&mut responses, "182", false, at(20)), (776_658, false));
        let acknowledged = responses.prack(rack(776_656), at(100)).unwrap();
        assert_eq!(acknowledged, Acknowledged { response: "180", next: Some(&"183"), release: false });
        assert_eq!(responses.deadline(), Some(at(600)), "its T1 begins when it is sent");
        let acknowledged = responses.prack(rack(776_657), at(200)).unwrap();
        assert_eq!((acknowledged.response, acknowledged.next), ("183", Some(&"182")));
        let acknowledged = responses.prack(rack(776_658), at(300)).unwrap();
        assert_eq!((acknowledged.response, acknowledged.next), ("182", None));
        assert_eq!(responses.deadline(), None);
        assert_eq!(send(&mut responses, "181", false, at(400)), (776_659, true));
    }

    #[test]
    fn a_response_is_sent_seven_times_and_given_up_after_64_t1() {
        let mut responses = responses();
        send(&mut responses, "180", false, at(0));
        let mut sent = Vec::new();
        let gave_up = loop {
            let now = responses.deadline().unwrap();
            assert_eq!(responses.due(at(now.as_millis() - 1)), None);
            match responses.due(now) {
                Some(ReliableDue::Again(response)) => {
                    assert_eq!(*response, "180");
                    sent.push(now.as_millis());
                }
                Some(ReliableDue::Unacknowledged) => break now.as_millis(),
                None => panic!("a deadline is due when it comes"),
            }
        };
        // RFC 3262 §3: T1, doubled each time, and not capped at T2.
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(gave_up, 32_000);
        assert_eq!((responses.deadline(), responses.due(at(99_000))), (None, None));
        assert_eq!(responses.send(false, at(99_000), |_| Ok("183")), Err(CommandError::WrongState));
        // A PRACK that is very late still finds its response.
        assert!(responses.prack(rack(776_656), at(99_000)).is_some());
    }

    #[test]
    fn only_the_rack_of_the_response_that_waits_matches() {
        let mut responses = responses();
        assert_eq!(responses.prack(rack(776_656), at(0)), None, "nothing was sent");
        send(&mut responses, "180", false, at(0));
        send(&mut responses, "183", false, at(0));
        let wrong = [
            rack(776_655),
            rack(776_657),
            RAck { cseq: CSEQ + 1, ..rack(776_656) },
            RAck { method: Method::Update, ..rack(776_656) },
            RAck { method: Method::Other("invite"), ..rack(776_656) },
        ];
        for wrong in wrong {
            assert_eq!((responses.matching(wrong), responses.prack(wrong, at(1))), (None, None), "{wrong:?}");
        }
        assert!(responses.prack(rack(776_656), at(1)).is_some());
        assert_eq!(responses.prack(rack(776_656), at(2)), None, "acknowledged");
    }

    #[test]
    fn a_response_that_cannot_be_written_takes_no_number() {
        let mut responses = responses();
        let failed = responses.send(true, at(0), |_| Err(CommandError::NoListener)).map(|_| ());
        assert_eq!((failed, responses.deadline()), (Err(CommandError::NoListener), None));
        assert_eq!(send(&mut responses, "180", true, at(0)), (776_656, true));
        assert_eq!(responses.matching(rack(776_656)), Some(true));
    }

    #[test]
    fn the_limit_is_met() {
        let mut responses = Responses::starting_with(1, CSEQ, &Timers::default(), &Limits { reliable_responses: 2 });
        send(&mut responses, "180", false, at(0));
        send(&mut responses, "183", false, at(0));
        assert_eq!(responses.send(false, at(0), |_| Ok("182")), Err(CommandError::Limit("reliable_responses")));
        responses.prack(rack(1), at(1)).unwrap();
        assert_eq!(send(&mut responses, "182", false, at(1)), (3, false), "a refused one takes no number");
    }

    #[test]
    fn a_2xx_waits_for_the_prack_of_each_session_description() {
        let mut responses = responses();
        send(&mut responses, "180", false, at(0));
        send(&mut responses, "183", true, at(0));
        send(&mut responses, "182", false, at(0));
        assert_eq!(responses.accept(), Ok(false));
        assert_eq!(responses.send(false, at(1), |_| Ok("181")), Err(CommandError::WrongState));
        assert_eq!(responses.accept(), Err(CommandError::WrongState));
        let acknowledged = responses.prack(rack(776_656), at(2)).unwrap();
        assert_eq!((acknowledged.next, acknowledged.release), (Some(&"183"), false));
        // A response that has not been sent and has no description is not sent any more.
        let acknowledged = responses.prack(rack(776_657), at(3)).unwrap();
        assert_eq!(acknowledged, Acknowledged { response: "183", next: None, release: true });
        assert_eq!(responses.prack(rack(776_658), at(4)), None);
        assert_eq!(responses.deadline(), None);
    }

    #[test]
    fn a_2xx_goes_at_once_where_no_session_description_waits() {
        let mut responses = responses();
        send(&mut responses, "180", false, at(0));
        send(&mut responses, "182", false, at(0));
        assert_eq!(responses.accept(), Ok(true));
        assert_eq!(responses.deadline(), None, "it is not sent again");
        let acknowledged = responses.prack(rack(776_656), at(5)).unwrap();
        assert_eq!(acknowledged, Acknowledged { response: "180", next: None, release: false });
        assert_eq!(responses.prack(rack(776_657), at(6)), None, "it never was sent");
        let mut acknowledged = self::responses();
        send(&mut acknowledged, "183", true, at(0));
        acknowledged.prack(rack(776_656), at(1)).unwrap();
        assert_eq!(acknowledged.accept(), Ok(true));
    }

    #[test]
    fn another_final_response_goes_at_once_and_the_prack_is_still_taken() {
        let mut responses = responses();
        send(&mut responses, "183", true, at(0));
        assert_eq!(responses.accept(), Ok(false));
        assert_eq!(responses.refuse(), Ok(()), "the caller gave up, or no PRACK came");
        assert_eq!(responses.refuse(), Err(CommandError::WrongState));
        assert_eq!(responses.deadline(), None);
        assert!(!responses.is_empty());
        let acknowledged = responses.prack(rack(776_656), at(1)).unwrap();
        assert_eq!(acknowledged, Acknowledged { response: "183", next: None, release: false });
        assert!(responses.is_empty());
    }

    #[test]
    fn a_withheld_2xx_is_given_up_with_its_response() {
        let mut responses = responses();
        send(&mut responses, "183", true, at(0));
        assert_eq!(responses.accept(), Ok(false));
        assert_eq!(responses.due(at(32_000)), Some(ReliableDue::Unacknowledged));
        assert_eq!(responses.prack(rack(776_656), at(32_001)).map(|acknowledged| acknowledged.release), Some(false));
    }

    #[test]
    fn the_receiver_takes_any_first_number_and_then_the_next_one() {
        let mut order = ReliableOrder::new(1);
        let new = |rseq| ReliableArrival::New(RAck { rseq, cseq: 1, method: Method::Invite });
        // RFC 3262 §7.2: "RAck: 776656 1 INVITE".
        assert_eq!(order.take(776_656), new(776_656));
        for (rseq, expected) in [
            (776_656, ReliableArrival::Repeated),
            (776_658, ReliableArrival::OutOfOrder),
            (776_655, ReliableArrival::OutOfOrder),
            (0, ReliableArrival::OutOfOrder),
            (776_657, new(776_657)),
            (776_656, ReliableArrival::Repeated),
            (776_657, ReliableArrival::Repeated),
            (776_658, new(776_658)),
        ] {
            assert_eq!(order.take(rseq), expected, "{rseq}");
        }
    }

    #[test]
    fn numbers_do_not_wrap_around() {
        let mut order = ReliableOrder::new(1);
        assert_eq!(order.take(0), ReliableArrival::OutOfOrder);
        assert!(matches!(order.take(u32::MAX), ReliableArrival::New(_)));
        assert_eq!(order.take(0), ReliableArrival::OutOfOrder);
        let mut responses = Responses::starting_with(u32::MAX - 1, CSEQ, &Timers::default(), &Limits::default());
        assert_eq!(send(&mut responses, "180", false, at(0)), (u32::MAX - 1, true));
        assert_eq!(responses.send(false, at(0), |_| Ok("183")), Err(CommandError::WrongState));
    }
}
