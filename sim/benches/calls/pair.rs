//! Two user agents and nothing between them: INVITE, 200, ACK, BYE, 200.

use std::net::SocketAddr;

use sansip::extension::Extensions;
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Event, Profile};
use sansip::{CallId, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Seed, UserAgent};

struct Phone {
    agent: UserAgent,
    listener: ListenerId,
    address: SocketAddr,
}

impl Phone {
    fn new(seed: u64, who: &str, last: u8, adapt: fn(&mut Profile)) -> Self {
        let address = SocketAddr::from(([192, 0, 2, last], 5060));
        let config = Config::new(Seed::from_u64(seed));
        let mut profile = Profile::new(format!("<sip:{who}@{address}>").parse().expect("a name-addr"));
        profile.limits.calls = 1_000_000;
        adapt(&mut profile);
        let mut agent = UserAgent::user_agent(config, profile);
        let listener = agent.listen(Listener::udp(address));
        Self { agent, listener, address }
    }
}

/// The two, and the clock.
pub(crate) struct Pair {
    alice: Phone,
    bob: Phone,
    now: Instant,
    callee: NameAddrBuf,
}

/// The messages that came out of a round.
#[derive(Default)]
struct Heard {
    incoming: Option<CallId>,
    confirmed: usize,
    ended: usize,
}

impl Pair {
    /// Two that use no extension.
    pub(crate) fn new() -> Self {
        Self::with(|profile| profile.extensions = Extensions::NONE)
    }

    /// Two with a profile that differs from the default one in this.
    pub(crate) fn with(adapt: fn(&mut Profile)) -> Self {
        let callee = "<sip:bob@192.0.2.2:5060>".parse().expect("a name-addr");
        let (alice, bob) = (Phone::new(1, "alice", 1, adapt), Phone::new(2, "bob", 2, adapt));
        Self { alice, bob, now: Instant::ZERO, callee }
    }

    /// Carries messages until there are none.
    fn carry(&mut self) -> Heard {
        let mut heard = Heard::default();
        loop {
            let busy = Self::drain(&mut self.alice, &mut self.bob, self.now, &mut heard)
                | Self::drain(&mut self.bob, &mut self.alice, self.now, &mut heard);
            if !busy {
                return heard;
            }
        }
    }

    fn drain(from: &mut Phone, to: &mut Phone, now: Instant, heard: &mut Heard) -> bool {
        let mut busy = false;
        while let Some(output) = from.agent.poll() {
            busy = true;
            match output {
                Output::Send(transmit) => {
                    let input = Input::Datagram { listener: to.listener, remote: from.address, bytes: &transmit.bytes };
                    to.agent.handle(now, input);
                }
                Output::Event(Event::Incoming { call, .. }) => heard.incoming = Some(call),
                Output::Event(Event::Confirmed { .. }) => heard.confirmed += 1,
                Output::Event(Event::Ended { .. }) => heard.ended += 1,
                _ => {}
            }
        }
        busy
    }

    /// These two when they have made calls for long enough that `live` transactions are alive at any time; and how long to wait after each
    /// call for that.
    pub(crate) fn brought_to(self, live: u32) -> (Self, Duration) {
        let mut pair = self;
        // The transactions of a call live for 5 to 32 s after it; calls come so often that so many live at any time.
        let mut wait = OVER * 3 / live;
        for _ in 0..3 {
            for _ in 0..live / 3 {
                pair.call(wait);
            }
            wait = wait * u32::try_from(pair.transactions()).unwrap_or(live) / live;
        }
        (pair, wait)
    }

    /// INVITE, 200, ACK.
    pub(crate) fn establish(&mut self) -> CallId {
        let call = self.alice.agent.call(self.now, &self.callee).expect("within limits");
        let incoming = self.carry().incoming.expect("the INVITE arrives");
        self.bob.agent.answer(self.now, incoming, None).expect("it is there");
        assert_eq!(self.carry().confirmed, 1, "the ACK arrives");
        call
    }

    /// BYE, 200.
    pub(crate) fn end(&mut self, call: CallId) {
        self.alice.agent.hang_up(self.now, call).expect("it is there");
        assert!(self.carry().ended > 0, "the BYE arrives");
    }

    /// Time passes for both.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        for phone in [&mut self.alice, &mut self.bob] {
            while let Some(deadline) = phone.agent.deadline().filter(|deadline| *deadline <= until) {
                phone.agent.handle(deadline, Input::Tick);
                while phone.agent.poll().is_some() {}
            }
        }
        self.now = until;
    }

    /// A call from beginning to end, then time passes.
    pub(crate) fn call(&mut self, wait: Duration) {
        let call = self.establish();
        self.end(call);
        self.wait(wait);
    }

    /// How many transactions are alive.
    pub(crate) fn transactions(&self) -> usize {
        let of = |phone: &Phone| {
            let census = phone.agent.endpoint().census();
            census.client_transactions + census.server_transactions
        };
        of(&self.alice) + of(&self.bob)
    }
}

/// After so long nothing of a call is left: timers J, L and M of 64·T1.
pub(crate) const OVER: Duration = Duration::from_secs(33);
