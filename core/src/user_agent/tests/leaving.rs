//! REFERs of ours in a dialog whose session ends while they wait for their responses (RFC 5057 §5.4).

use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone};
use super::referring::{carol, inside, notify, number, one, referring};
use super::text::Text;
use crate::auth::{Login, Scope, Secret};
use crate::error::CommandError;
use crate::time::Duration;
use crate::user_agent::{Event, Policy};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"carol\", nonce=\"1\", qop=\"auth\"\r\n";

fn login() -> Login {
    Login::new("bob", Secret::password("brown-study"))
}

fn bob() -> Lone {
    let mut bob = Lone::with(|_, profile| profile.policy.longest_wait = Some(Duration::from_secs(60)));
    bob.command(|agent, _| agent.login(Scope::realm("carol"), login())).unwrap();
    bob
}

/// The requests that are sent because of what arrives.
fn asked(bob: &mut Lone, text: &str) -> Vec<String> {
    let sent = bob.exchange(text);
    sent.iter().map(Text::label).filter(|label| !label.starts_with('2')).collect()
}

/// Who ends the session before the REFER is challenged.
#[test]
fn a_refer_that_is_challenged_goes_out_again_unless_the_session_is_over() {
    for (ours, theirs, expected) in
        [(false, false, &["REFER"][..]), (true, false, &["REFER"]), (false, true, &[]), (true, true, &[])]
    {
        let mut bob = bob();
        let (call, _, refer) = referring(&mut bob);
        let bye = ours.then(|| {
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
            one(&mut bob)
        });
        if theirs {
            assert_eq!(bob.ask(&inside(&refer, "BYE", 7, "", "")).label(), "200 BYE");
        }
        assert_eq!(asked(&mut bob, &refer.respond("401 Unauthorized", "c", CHALLENGE)), expected, "{ours} {theirs}");
        let has_ended = bob.told().contains(&"subscription failed 401".into());
        assert_eq!(has_ended, expected.is_empty(), "{:?}", bob.told());
        if let Some(bye) = bye {
            bob.receive(&bye.respond("200 OK", "c", ""));
        }
        if theirs {
            bob.finish();
        }
    }
}

#[test]
fn a_refer_that_the_peer_has_accepted_keeps_the_dialog_for_another_one() {
    for accepts in [true, false] {
        for by_notify in [true, false] {
            let mut bob = bob();
            let (call, _, first) = referring(&mut bob);
            bob.command(|agent, now| agent.refer(now, call, &carol())).unwrap();
            let second = one(&mut bob);
            if accepts && by_notify {
                let id = alloc::format!(";id={}", number(&first));
                bob.receive(&notify(&first, 1, &id, "active;expires=60", "100 Trying"));
            } else if accepts {
                bob.receive(&first.respond("202 Accepted", "c", CONTACT));
            }
            bob.receive(&inside(&first, "BYE", 7, "", ""));
            let again = asked(&mut bob, &second.respond("401 Unauthorized", "c", CHALLENGE));
            assert_eq!(again.len(), usize::from(accepts), "{again:?}");
        }
    }
}

#[test]
fn a_refer_that_waits_for_a_login_does_not_go_out_when_the_session_is_over() {
    for is_over in [false, true] {
        let mut bob = Lone::with(|_, profile| {
            profile.policy = Policy { questions: Some(Duration::from_secs(60)), ..Policy::NONE }
        });
        let (_, _, refer) = referring(&mut bob);
        bob.receive(&refer.respond("401 Unauthorized", "c", CHALLENGE));
        let Some(Event::Wanted { request, .. }) = bob.events.last() else { panic!("{:?}", bob.told()) };
        let request = *request;
        if is_over {
            bob.receive(&inside(&refer, "BYE", 7, "", ""));
        }
        bob.take();
        bob.command(|agent, now| agent.credentials(now, request, [(Scope::realm("carol"), login())])).unwrap();
        assert_eq!(bob.take().is_empty(), is_over);
        assert_eq!(bob.told().contains(&"subscription failed 401".into()), is_over);
        let late = bob.command(|agent, now| agent.credentials(now, request, []));
        assert_eq!(late, Err(if is_over { CommandError::Gone } else { CommandError::WrongState }));
    }
}

/// Nobody has said the status that this counts as.
#[test]
fn a_refer_that_was_to_go_out_later_is_lost_with_the_session() {
    for is_over in [false, true] {
        let mut bob = bob();
        let (_, _, refer) = referring(&mut bob);
        bob.receive(&refer.respond("503 Service Unavailable", "c", "Retry-After: 10\r\n"));
        if is_over {
            bob.receive(&inside(&refer, "BYE", 7, "", ""));
        }
        bob.take();
        bob.run(Duration::from_secs(10));
        assert_eq!(bob.take().iter().any(|sent| sent.method() == "REFER"), !is_over);
        assert_eq!(bob.told().contains(&"subscription failed 481".into()), is_over, "{:?}", bob.told());
        if is_over {
            bob.finish();
        }
    }
}
