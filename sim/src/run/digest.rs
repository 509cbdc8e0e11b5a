//! A run as one number.

use crate::fault::Fate;
use crate::trace::{Note, Trace, Transmission, What};

/// A number that is the same for the same run, in every version of the compiler and on every machine: everything sent with
/// its fate, everything that arrived, everything noted, each with its time.
pub fn digest(trace: &Trace) -> u64 {
    let mut sum = Sum(0xCBF2_9CE4_8422_2325);
    for entry in trace.entries() {
        sum.number(u64::try_from(entry.time.since(sansip::Instant::ZERO).as_nanos()).unwrap_or(u64::MAX));
        match &entry.what {
            What::Sent(sent) => {
                sum.number(sent.from.0 as u64);
                sum.number(u64::from(sent.ordinal));
                fate(&mut sum, sent);
                sum.bytes(&sent.bytes);
            }
            What::Arrived { node, sent } => {
                sum.number(node.0 as u64);
                sum.number(*sent as u64);
            }
            What::Noted { node, note } => {
                sum.number(node.0 as u64);
                match note {
                    Note::CallBegan { call_id } => sum.bytes(call_id.as_bytes()),
                    Note::CallEnded { call_id, why, .. } => {
                        sum.bytes(call_id.as_bytes());
                        sum.bytes(why.as_bytes());
                    }
                    Note::Crashed | Note::Restarted | Note::Said(_) => sum.bytes(note.to_string().as_bytes()),
                }
            }
        }
    }
    sum.0
}

fn fate(sum: &mut Sum, sent: &Transmission) {
    if sent.fate != Fate::FINE {
        for fault in sent.fate.faults() {
            sum.bytes(fault.as_bytes());
        }
    }
    if let Some(stopped) = sent.stopped {
        sum.bytes(stopped.to_string().as_bytes());
    }
}

/// FNV-1a over words of eight octets, with a rotation so that high bits count too.
struct Sum(u64);

impl Sum {
    const fn number(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        for word in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..word.len()].copy_from_slice(word);
            self.number(u64::from_le_bytes(eight));
        }
    }
}
