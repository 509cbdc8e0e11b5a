//! A core that belongs to somebody else's transaction user, under a role of the owner's choice.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, request};
use super::text::Text;
use crate::endpoint::{Config, Indication};
use crate::node::{Input, Node, Output};
use crate::random::Seed;
use crate::stack::{Context, Stack, TransactionUser};
use crate::time::{Duration, Instant};
use crate::transport::Listener;
use crate::user_agent::{Core, Event, Extra, Profile};

const ROLE: u8 = 200;

/// Answers every call.
#[derive(Clone, Debug)]
struct Owner {
    agent: Core,
}

impl TransactionUser for Owner {
    type Event = &'static str;

    fn indicate(&mut self, cx: &mut Context<'_, &'static str>, indication: Indication) {
        if let Indication::Completed { tag, .. } = &indication {
            assert_eq!(tag.role(), ROLE);
        }
        let mut events = VecDeque::new();
        self.agent.indicate(&mut cx.for_owned(ROLE, &mut events), indication);
        while let Some(event) = events.pop_front() {
            match event {
                Event::Incoming { call, .. } => {
                    let mut cx = cx.for_owned(ROLE, &mut events);
                    self.agent.answer(&mut cx, call, &Extra::new()).unwrap();
                }
                Event::Confirmed { .. } => cx.emit("confirmed"),
                Event::Ended { .. } => cx.emit("ended"),
                other => panic!("{other:?}"),
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.agent.is_idle()
    }
}

#[test]
fn an_owner_takes_the_events_of_its_core_and_gives_out_its_own() {
    let seed = Seed::from_u64(1);
    let agent = Core::new(Profile::new("<sip:bob@biloxi.com>".parse().unwrap()), seed);
    let mut node = Stack::new(Config::new(seed), Owner { agent });
    let listener = node.listen(Listener::udp("192.0.2.4:5060".parse().unwrap()));
    let mut now = Instant::from_millis(1);
    let mut exchange = |text: &str| {
        now += Duration::from_millis(10);
        node.handle(
            now,
            Input::Datagram { listener, remote: "192.0.2.9:5060".parse().unwrap(), bytes: text.as_bytes() },
        );
        let (mut said, mut tag) = (Vec::new(), String::new());
        while let Some(output) = node.poll() {
            said.push(match output {
                Output::Send(transmit) => {
                    let text = Text::of(&transmit.bytes);
                    tag = text.tag_of("to").into();
                    text.label()
                }
                Output::Event(event) => event.into(),
                other => panic!("{other:?}"),
            });
        }
        (said.join(", "), tag)
    };
    let (said, tag) = exchange(&request("INVITE", "a", 1, "", CONTACT));
    assert_eq!(said, "200 INVITE");
    assert_eq!(exchange(&request("ACK", "b", 1, &tag, "")).0, "confirmed");
    assert_eq!(exchange(&request("BYE", "c", 2, &tag, "")).0, "200 BYE, ended", "the cause before the effect");
    node.handle(now + Duration::from_secs(100), Input::Tick);
    assert!(node.is_idle() && node.user().agent.census() == crate::user_agent::Census::default());
}
