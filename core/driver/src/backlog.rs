//! Messages that wait to be written along a connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use sansip::Change;
use sansip::message::SharedBytes;

use crate::limits::{HELD, TOGETHER};

/// Messages in the order in which they are to be written, of the first all but `written` octets.
#[derive(Default)]
pub(crate) struct Backlog {
    messages: VecDeque<SharedBytes>,
    octets: usize,
    written: usize,
    /// The node was told that the connection takes no more.
    is_stalled: bool,
}

impl Backlog {
    pub(crate) const fn is_empty(&self) -> bool {
        self.octets == 0
    }

    pub(crate) fn push(&mut self, bytes: SharedBytes) {
        if !bytes.is_empty() {
            self.octets += bytes.len();
            self.messages.push_back(bytes);
        }
    }

    /// The first messages, whole: for whoever says [`has_written`](Self::has_written) of all of them.
    #[cfg(feature = "tokio")]
    pub(crate) fn first(&self) -> Vec<SharedBytes> {
        self.messages.iter().take(TOGETHER).cloned().collect()
    }

    /// So many octets are written.
    pub(crate) fn has_written(&mut self, count: usize) {
        self.octets -= count;
        self.written += count;
        while let Some(first) = self.messages.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.messages.pop_front();
        }
    }

    /// Writes until all is written or `write` would have to wait.
    pub(crate) fn write(&mut self, mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>) -> io::Result<()> {
        while !self.is_empty() {
            let mut slices = [IoSlice::new(&[]); TOGETHER];
            let mut skip = self.written;
            for (bytes, slice) in self.messages.iter().zip(&mut slices) {
                *slice = IoSlice::new(bytes.get(std::mem::take(&mut skip)..).unwrap_or_default());
            }
            match write(&slices[..self.messages.len().min(TOGETHER)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.has_written(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says whether there is a change to tell the node: that more than [`HELD`] octets wait, and later that none do.
    pub(crate) const fn change(&mut self) -> Option<Change<'static>> {
        let (is_over, is_empty) = (self.octets > HELD, self.is_empty());
        match self.is_stalled {
            false if is_over => {
                self.is_stalled = true;
                Some(Change::Stalled)
            }
            true if is_empty => {
                self.is_stalled = false;
                Some(Change::Writable)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_written_in_order_however_they_are_cut() {
        let mut backlog = Backlog::default();
        for message in ["one ", "", "two ", "three"] {
            backlog.push(SharedBytes::from(message.as_bytes()));
        }
        let (mut written, mut turns) = (Vec::new(), 0);
        let write = |slices: &[IoSlice<'_>]| {
            turns += 1;
            if turns % 3 == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let octets: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let count = octets.len().min(5);
            written.extend_from_slice(&octets[..count]);
            Ok(count)
        };
        backlog.write(write).unwrap();
        assert!(backlog.is_empty());
        assert_eq!(written, b"one two three");
        backlog.push(SharedBytes::from(b"four".as_slice()));
        backlog.write(|_| Err(io::ErrorKind::WouldBlock.into())).unwrap();
        assert!(!backlog.is_empty());
        assert_eq!(backlog.write(|_| Ok(0)).unwrap_err().kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn it_is_stalled_above_64_kib_and_writable_when_nothing_waits() {
        let mut backlog = Backlog::default();
        backlog.push(SharedBytes::from(vec![0; HELD].as_slice()));
        assert_eq!(backlog.change(), None);
        backlog.push(SharedBytes::from([0].as_slice()));
        assert_eq!(backlog.change(), Some(Change::Stalled));
        assert_eq!(backlog.change(), None, "told once");
        backlog.has_written(HELD);
        assert_eq!(backlog.change(), None, "something waits");
        backlog.has_written(1);
        assert_eq!(backlog.change(), Some(Change::Writable));
    }
}
