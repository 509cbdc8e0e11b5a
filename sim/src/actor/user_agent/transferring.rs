//! How calls are given to others: REFERs that are sent, and those that are followed (RFC 3515, RFC 5359 §2.4, §2.5).

use sansip::message::{Request, StatusCode};
use sansip::user_agent::{Outgoing, Refer, ServedId};
use sansip::{CallId, CommandError, ReferralId, SubscriptionId};

use super::super::line::Line;
use super::{Task, UserAgentActor};

/// The transfers that are in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers {
    /// Calls to those who are to have a call, each with that call.
    consulting: Vec<(CallId, CallId)>,
    /// The subscription that tells how a REFER is followed, with the call that was given away.
    referred: Vec<(SubscriptionId, CallId)>,
    /// Calls that a REFER has asked for.
    following: Vec<(CallId, ReferralId)>,
}

impl UserAgentActor {
    /// Plans the transfer of a call that is there for good, if this is the call to be given away.
    pub(super) fn plan_transfer(&mut self, call: CallId) {
        let is_own = self.line(call).is_some_and(|line| !line.incoming);
        let is_other = self.transfers.consulting.iter().any(|(consulted, _)| *consulted == call);
        if let Some(transfer) = self.behaviour.transfer.as_ref().filter(|_| is_own && !is_other) {
            let at = self.now + transfer.after;
            self.plan(at, Task::Transfer(call));
        }
    }

    /// Gives a call away, or calls who is to have it.
    pub(super) fn transfer(&mut self, call: CallId) -> Result<(), CommandError> {
        let Some(transfer) = self.behaviour.transfer.clone() else { return Ok(()) };
        if !transfer.attended {
            return self.refer(call, Refer::to(&transfer.to.uri().to_buf()));
        }
        let body = self.line(call).and_then(|line| line.description());
        let consulted =
            self.place(Outgoing::to(&transfer.to).body(body.clone()), Line::calling(body.as_ref(), None))?;
        self.transfers.consulting.push((consulted, call));
        Ok(())
    }

    fn refer(&mut self, call: CallId, refer: Refer) -> Result<(), CommandError> {
        let subscription = self.agent.refer(self.now, call, refer)?;
        self.transfers.referred.push((subscription, call));
        Ok(())
    }

    /// A REFER came: it is followed at once.
    pub(super) fn follow(
        &mut self,
        served: ServedId,
        call: Option<CallId>,
        refer: &Request,
    ) -> Result<(), CommandError> {
        let referral = self.agent.accept_refer(self.now, served)?;
        let body = call.and_then(|call| self.line(call)).and_then(|line| line.description());
        let placed = Outgoing::referred(refer)
            .and_then(|outgoing| self.place(outgoing.body(body.clone()), Line::calling(body.as_ref(), None)));
        match (placed, referral) {
            (Ok(call), Some(referral)) => self.transfers.following.push((call, referral)),
            (Err(_), Some(referral)) => self.agent.notify_refer(self.now, referral, StatusCode::SERVICE_UNAVAILABLE)?,
            (placed, None) => drop(placed?),
        }
        Ok(())
    }

    /// A call was answered: it may be one to who is to have another, or one that a REFER has asked for.
    pub(super) fn reached(&mut self, call: CallId) {
        let consulting = self.transfers.consulting.iter().find(|(consulted, _)| *consulted == call);
        if let Some((_, given)) = consulting.copied()
            && let Some(to) = self.behaviour.transfer.as_ref().map(|transfer| transfer.to.uri().to_buf())
        {
            let replace = self.agent.replacing(call);
            let done = replace.and_then(|replace| self.refer(given, Refer::to(&to).replaces(&replace)));
            self.note(done, || format!("Refer({given:?})"));
        }
        self.tell(call, StatusCode::OK);
    }

    /// Tells who has asked for a call how it goes.
    pub(super) fn tell(&mut self, call: CallId, status: StatusCode) {
        let Some(place) = self.transfers.following.iter().position(|(following, _)| *following == call) else { return };
        let (_, referral) = self.transfers.following[place];
        if status.is_final() {
            self.transfers.following.swap_remove(place);
        }
        let done = self.agent.notify_refer(self.now, referral, status);
        self.note(done, || format!("Tell({call:?})"));
    }

    /// The other end says how it has followed a REFER: when that is done, the call has no use any more.
    pub(super) fn told(&mut self, subscription: SubscriptionId, status: StatusCode) {
        let given = self.transfers.referred.iter().find(|(referred, _)| *referred == subscription);
        if let Some((_, call)) = given.copied().filter(|_| status.is_success()) {
            let done = self.hang_up(call);
            self.note(done, || format!("HangUp({call:?})"));
        }
    }

    /// A REFER is not told of any more.
    pub(super) fn untold(&mut self, subscription: SubscriptionId) {
        self.transfers.referred.retain(|(referred, _)| *referred != subscription);
    }
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::render::ladder;
    use crate::run::{Case, run};

    /// The ladder of a call in which no check finds anything.
    fn calls(options: &str) -> String {
        let case: Case = format!("sansip-sim call{options}").parse().unwrap();
        let world = run(&case).world;
        assert_eq!(check::breaches(&check::standard(), &world), [], "{options}:\n{}", ladder(world.trace()));
        ladder(world.trace())
    }

    /// The messages of the nodes, in order.
    fn notes(ladder: &str) -> Vec<&str> {
        ladder
            .lines()
            .filter_map(|line| line.split_once("* ").map(|(_, note)| note.trim_end_matches([' ', '|'])))
            .collect()
    }

    const NOTES: &str = " has the call, call over: hung up, call over: the other hung up";

    #[test]
    fn a_call_is_given_to_carol() {
        for options in ["--topology direct", "--record-route", "--reliable", "--challenge alice,bob,proxy", ""] {
            let ladder = calls(&format!(" --hang-up nobody --calm-after 20s --transfer 1s {options}"));
            let rest = notes(&ladder).split_off(notes(&ladder).len() - 6);
            let [given, taken] = ["call over: hung up", "call over: the other hung up"];
            assert_eq!(rest[..4], ["has the call", "has the call", given, taken], "{options}:\n{ladder}");
            assert!(rest[4..].iter().all(|note| NOTES.contains(note)), "{options}:\n{ladder}");
            let order = ["REFER", "202", "NOTIFY"].map(|text| ladder.find(text));
            assert!(order.is_sorted() && order[0].is_some(), "{options}:\n{ladder}");
        }
    }

    #[test]
    fn a_call_is_given_to_carol_who_was_asked_before() {
        for options in ["--topology direct", "--record-route", "--reliable", "--challenge alice,bob,proxy", ""] {
            let ladder = calls(&format!(" --hang-up nobody --calm-after 20s --transfer 1s --attended {options}"));
            assert_eq!(
                notes(&ladder).iter().filter(|note| **note == "has the call").count(),
                6,
                "{options}:\n{ladder}"
            );
            assert!(notes(&ladder).contains(&"call over: another took its place"), "{options}:\n{ladder}");
            let byes = ladder.lines().filter(|line| line.contains(" BYE ") && !line.contains("resent")).count();
            assert!(byes >= 4, "{options}:\n{ladder}");
        }
    }

    #[test]
    fn a_transfer_that_comes_to_nothing_leaves_the_call() {
        let ladder =
            calls(" --topology direct --hang-up nobody --calm-after 20s --transfer 1s --plan 'bob>carol INVITE:drop'");
        assert!(ladder.lines().any(|line| line.starts_with("  21.000") && line.contains("call over")), "{ladder}");
    }

    /// Found by the sweep: requests of the session and of the subscription overtake each other.
    #[test]
    fn a_bye_and_a_notify_may_overtake_each_other() {
        calls(" --topology direct --hang-up bob:10ms --transfer 1ms --plan 'bob>alice BYE#1:drop'");
        let early = " --topology direct --transfer 3700ms --reply answer:1ms --calm-after 4013ms";
        calls(&format!("{early} --plan 'bob@4018ms..5013ms:dns(+50ms)'"));
        calls(
            " --topology direct --transfer 3s --reply answer:1ms --calm-after 4s --plan 'bob@4018ms..5013ms:dns(+10ms)'",
        );
    }
}
