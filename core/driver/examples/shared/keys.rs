//! Shows what a user types during a call.

use sansip::message::UriBuf;
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Refer, UserAgent};
use sansip::{CallId, Instant};

use super::{Outcome, Sessions, say};

/// Does what a line asks for: `h` holds the call, `r` resumes it, `t URI` has the other end call somebody else in our name. A command
/// that does not fit now, or is none, is said to be so.
pub(crate) fn obey(
    agent: &mut UserAgent,
    now: Instant,
    line: &str,
    call: Option<CallId>,
    (aor, sessions): (&NameAddrBuf, &mut Sessions),
) {
    let done = match (line, call) {
        ("h", Some(call)) => agent.modify(now, call, sessions.next("sendonly")).map_err(Into::into),
        ("r", Some(call)) => agent.modify(now, call, sessions.next("sendrecv")).map_err(Into::into),
        (line, Some(call)) if line.starts_with("t ") => transfer(agent, now, call, line[2..].trim(), aor),
        _ => Err(format!("{line}: h, r, t URI or q in a call, else q").into()),
    };
    done.unwrap_or_else(|problem| say(format_args!("{now} {problem}")));
}

fn transfer(agent: &mut UserAgent, now: Instant, call: CallId, target: &str, aor: &NameAddrBuf) -> Outcome<()> {
    let target: UriBuf = target.parse()?;
    agent.refer(now, call, Refer::to(&target).referred_by(aor))?;
    Ok(())
}
