//! Globally routable user agent URIs (RFC 5627): a URI for one instance of a user, public or temporary.
//!
//! Nothing is remembered for any of them. A public one is the address-of-record with the instance behind it (App. A.1). A temporary
//! one has the address-of-record and the registration that it belongs to in its user part, encrypted and with a proof of their origin, after
//! the example of App. A.2: whoever has two of them cannot know whether they lead to the same user. It ends with the Call-ID of the
//! registration, as that is a part of what it says.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::binding::Binding;
use crate::message::{Uri, unescaped};

/// The user part of each temporary one begins so.
const PREFIX: &str = "tgruu.";

/// Octets of the number that tells temporary ones apart, of the proof, and of the hash of a registration.
const NUMBER: usize = 8;
const PROOF: usize = 16;
const REGISTRATION: usize = 8;

/// Octets of the longest address-of-record that gets a temporary one.
const LONGEST: usize = 512;

/// The keys of temporary GRUUs: one to encrypt with, one for proofs.
#[derive(Clone)]
pub(super) struct Keys {
    cipher: [u8; 32],
    proof: [u8; 16],
}

/// The instance that a GRUU is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instance {
    /// The one of this name.
    Named(String),
    /// The one whose registration has this keyed hash.
    Registered([u8; REGISTRATION]),
}

/// The user that a URI names, and the instance if it is a GRUU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `user@host`.
    pub address_of_record: String,
    /// The instance.
    pub(super) instance: Option<Instance>,
}

impl Keys {
    /// The keys from three halves.
    pub(super) fn new([a, b, proof]: [[u8; 16]; 3]) -> Self {
        let mut cipher = [0; 32];
        for (place, octet) in cipher.iter_mut().zip(a.into_iter().chain(b)) {
            *place = octet;
        }
        Self { cipher, proof }
    }

    /// A temporary GRUU for a binding of `user@host` (App. A.2), without its scheme. `number` must be a random one; one number may serve all
    /// instances of a response. `None` if the address-of-record is too long.
    pub(super) fn temporary(&self, address_of_record: &str, binding: &Binding, number: u64) -> Option<String> {
        let (_, domain) = address_of_record.rsplit_once('@')?;
        if address_of_record.len() > LONGEST {
            return None;
        }
        let registration = self.registration(binding)?;
        // Two instances must not share a number: the streams would be the same, and show that the user is.
        let number = self.number_for(&registration, number);
        let mut secret = Vec::from(registration);
        secret.extend_from_slice(address_of_record.as_bytes());
        self.encrypt(number, &mut secret);
        let proof = self.proof_of(number, &secret);
        let mut user = String::from(PREFIX);
        for octet in number.to_be_bytes().into_iter().chain(proof).chain(secret) {
            for digit in [octet >> 4, octet & 15] {
                user.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        Some([&user, "@", domain, ";gr"].concat())
    }

    /// The address-of-record and the registration of a temporary GRUU; `None` if this is none of ours.
    pub(super) fn read(&self, user: &str) -> Option<(String, Instance)> {
        let digits = user.strip_prefix(PREFIX)?.as_bytes();
        let most = 2 * (NUMBER + PROOF + REGISTRATION + LONGEST);
        if digits.len() > most || !digits.len().is_multiple_of(2) {
            return None;
        }
        let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let octets: Option<Vec<u8>> = digits
            .chunks_exact(2)
            .map(|pair| match pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            })
            .collect();
        let octets = octets?;
        let (number, rest) = octets.split_first_chunk::<NUMBER>()?;
        let (proof, secret) = rest.split_first_chunk::<PROOF>()?;
        let number = u64::from_be_bytes(*number);
        let expected = self.proof_of(number, secret);
        let differences = expected.iter().zip(proof).fold(0, |all, (a, b)| core::hint::black_box(all | (a ^ b)));
        if differences != 0 {
            return None;
        }
        let mut text = Vec::from(secret);
        self.encrypt(number, &mut text);
        let (registration, name) = text.split_first_chunk::<REGISTRATION>()?;
        Some((String::from_utf8(name.into()).ok()?, Instance::Registered(*registration)))
    }

    /// Whether a binding is of the instance.
    pub(super) fn is_of(&self, binding: &Binding, instance: &Instance) -> bool {
        match instance {
            // URNs of UUIDs are compared without case (RFC 4122 §3), and those are what instances are (RFC 5626 §4.1).
            Instance::Named(name) => binding.instance().is_some_and(|it| it.eq_ignore_ascii_case(name)),
            Instance::Registered(registration) => self.registration(binding).as_ref() == Some(registration),
        }
    }

    /// The keyed hash of the registration that a binding is of: instance and Call-ID.
    fn registration(&self, binding: &Binding) -> Option<[u8; REGISTRATION]> {
        let instance = binding.instance()?;
        let mut hasher = SipHasher24::new_with_key(&self.proof);
        hasher.write(b"registration");
        hasher.write(instance.to_ascii_lowercase().as_bytes());
        // Ends the instance: no text of a header has this octet.
        hasher.write_u8(0);
        hasher.write(binding.call_id());
        Some(hasher.finish128().h1.to_be_bytes())
    }

    fn number_for(&self, registration: &[u8; REGISTRATION], number: u64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.proof);
        hasher.write(b"number");
        hasher.write_u64(number);
        hasher.write(registration);
        hasher.finish128().h1
    }

    fn proof_of(&self, number: u64, secret: &[u8]) -> [u8; PROOF] {
        let mut hasher = SipHasher24::new_with_key(&self.proof);
        hasher.write(b"temporary");
        hasher.write_u64(number.to_be());
        hasher.write(secret);
        hasher.finish128().as_u128().to_be_bytes()
    }

    /// Encrypts, or decrypts, with the stream of this number.
    fn encrypt(&self, number: u64, text: &mut [u8]) {
        let mut stream = ChaCha12Rng::from_seed(self.cipher);
        stream.set_stream(number);
        let mut mask = alloc::vec![0; text.len()];
        stream.fill_bytes(&mut mask);
        text.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
    }
}

/// The public GRUU for an instance of `user@host` (App. A.1), without its scheme.
pub(super) fn public(address_of_record: &str, instance: &str) -> String {
    let mut out = [address_of_record, ";gr="].concat();
    for octet in instance.bytes() {
        // What may stand in a parameter of a URI (RFC 3261 §25.1).
        if octet.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$".contains(&octet) {
            out.push(char::from(octet));
        } else {
            // A string takes all that it is given.
            let _ = fmt::Write::write_fmt(&mut out, format_args!("%{octet:02X}"));
        }
    }
    out
}

/// The instance that the `gr` of a URI names, unescaped; empty for a temporary GRUU. `None` if the URI is no GRUU.
pub(super) fn named(uri: Uri<'_>) -> Option<String> {
    let parameter = uri.parameter("gr")?;
    String::from_utf8(unescaped(parameter.value.unwrap_or_default()).collect()).ok()
}

impl fmt::Debug for Keys {
    /// Whoever knows the keys can read every temporary GRUU: they are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
