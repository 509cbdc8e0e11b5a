//! Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760), for whoever sends requests and for whoever gets them.
//!
//! Reading order: [`Algorithm`], [`Ha1`] and [`Secret`]; then the client half, a [`Keyring`] of [`Login`]s; then the server half, a
//! [`Gate`] with its [`Settings`]. Both are pure: messages, points in time and randomness go in, [`Fields`] and verdicts come
//! out. No password, hash or proof stands in a `Debug`.
//!
//! # A client
//!
//! A request that is challenged goes again with what [`Keyring::answer`] gives; [`Keyring::authorize`] gives the credentials of each
//! further request of the account without another challenge. The ACK for a 2xx takes those of its INVITE: [`Fields::of`].
//!
//! # A server
//!
//! [`Gate::read`] says who a request claims to be from. The owner looks up the [`Ha1`] of that user, at once or later, and
//! [`Gate::verify`] judges. What is refused gets the answer of [`Gate::refuse`]. The 2xx may carry [`Gate::info`].
//!
//! # Both
//!
//! ```
//! use sansip::auth::{Asker, Gate, Ha1, Keyring, Limits, Login, Outcome, Scope, Secret, ServerProof, Settings, Unknown};
//! use sansip::message::{HeaderId, Message, Request, Response, StatusCode};
//! use sansip::{Instant, Random, Script, Seed};
//!
//! let mut random = Random::new(Seed::from_u64(1), Script::default());
//! let mut keyring = Keyring::new(Limits::default());
//! keyring.insert((), Scope::realm("atlanta.com"), Login::new("alice", Secret::password("s3cret")))?;
//! let mut gate = Gate::new(Asker::Server, Settings::new("atlanta.com"), random.hash_key())?;
//! let look_up = |claim: &sansip::auth::Claim| {
//!     // A server keeps no passwords: it has the hash for each hash function that it offers.
//!     Some(Ha1::of(claim.algorithm().function, "alice", claim.realm(), "s3cret"))
//! };
//!
//! let text = b"REGISTER sip:atlanta.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
//!     From: <sip:alice@atlanta.com>;tag=1\r\nTo: <sip:alice@atlanta.com>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\n\r\n";
//! let Message::Request(register) = Message::parse(text, &Default::default())? else { panic!() };
//!
//! // The server challenges.
//! let now = Instant::ZERO;
//! let refusal = gate.check(&register, now, look_up).unwrap_err();
//! let (status, fields) = gate.refuse(refusal, now, &mut random);
//! let challenged = fields.add_to_response(Response::to(&register, status)).finish()?;
//! assert_eq!(challenged.status(), StatusCode::UNAUTHORIZED);
//!
//! // The client answers, with the next CSeq.
//! let Outcome::Again(fields) = keyring.answer((), &register, &challenged, Unknown::Ask, &mut random) else { panic!() };
//! let again = fields.edit(register.edit().replace(HeaderId::CSeq, "2 REGISTER")).finish()?;
//!
//! // The server lets the request through, and proves itself.
//! let pass = gate.check(&again, now, look_up).unwrap().unwrap();
//! assert_eq!((pass.user().as_str(), pass.algorithm().as_str()), ("alice", "SHA-256"));
//! let fields = gate.info(&pass, b"", now, &mut random);
//! let ok = fields.add_to_response(Response::to(&again, StatusCode::OK)).finish()?;
//! assert_eq!(keyring.hear((), &again, &ok), ServerProof::Good);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod algorithm;
mod challenges;
mod claim;
mod digest;
mod fields;
mod gate;
mod keyring;
mod limits;
mod login;
mod nonce;
mod replays;
mod secret;
mod session;
mod settings;
mod users;

pub use algorithm::{Algorithm, HashFunction};
pub use claim::{Claim, Refusal, UriRule, UserName};
pub use digest::Qop;
pub use fields::{Asker, Fields};
pub use gate::{Gate, Pass, Reading};
pub use keyring::Keyring;
pub use limits::Limits;
pub use login::{Login, Outcome, Scope, ServerProof, Unknown, Wanted};
pub use secret::{Ha1, Secret, hashed_user};
pub use settings::Settings;
pub use users::Users;

#[cfg(test)]
mod tests;
