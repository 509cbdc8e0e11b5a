//! The dialogs of a user agent, and what they are used for (RFC 5057).

use smallvec::SmallVec;

use super::{Dialog, DialogKey, KeyedIndex};
use crate::id::{Arena, handles};
use crate::trace::Span;

handles! {
    /// A dialog of a user agent.
    DialogId = Id<DialogKind>, "dialog";
}

/// The dialogs of a user agent. Each has usages, such as a session or a subscription, and is over with the last of them (RFC
/// 5057 §4): from then on no request finds the dialog. `A` names the account that a dialog belongs to; `()` if there is only one.
#[derive(Clone, Debug)]
pub struct Dialogs<U, A = ()> {
    entries: Arena<DialogKind, Entry<U, A>>,
    /// The dialogs that a request can find.
    index: KeyedIndex<DialogId>,
}

#[derive(Clone, Debug)]
struct Entry<U, A> {
    dialog: Dialog,
    account: A,
    /// The hash under which the index has the dialog.
    hash: u64,
    usages: SmallVec<[U; 1]>,
    /// Nobody looks at the dialog once it is over.
    forgotten: bool,
    span: Span,
}

impl<U: Copy + PartialEq, A: Copy> Dialogs<U, A> {
    /// A table without a dialog. Peers choose the names, which are hashed under `hash_key`: it must be secret.
    pub const fn new(hash_key: [u8; 16]) -> Self {
        Self { entries: Arena::new(), index: KeyedIndex::new(hash_key) }
    }

    /// See [`KeyedIndex::key_probe`].
    #[cfg(test)]
    pub(crate) fn key_probe(&self) -> u64 {
        self.index.key_probe()
    }

    /// Takes in a dialog of an account, and its first usage.
    pub fn begin(&mut self, dialog: Dialog, account: A, usage: U) -> DialogId {
        let hash = dialog.name.as_key().hash_in(&self.index);
        let usages = SmallVec::from_slice(&[usage]);
        let name = dialog.name.as_key();
        let span = Span::dialog(|| (name.call_id, name.local_tag.as_str(), name.remote_tag.map(|tag| tag.as_str())));
        let id = self.entries.insert(Entry { dialog, account, hash, usages, forgotten: false, span });
        self.index.insert(hash, id);
        id
    }

    /// Adds a usage to a dialog; false if the dialog is over.
    pub fn join(&mut self, id: DialogId, usage: U) -> bool {
        let Some(entry) = self.entries.get_mut(id).filter(|entry| !entry.usages.is_empty()) else { return false };
        entry.usages.push(usage);
        true
    }

    /// A usage becomes another one, in its place; nothing if the dialog has no such usage.
    pub fn turn(&mut self, id: DialogId, usage: U, into: U) {
        let usages = self.entries.get_mut(id).map(|entry| entry.usages.iter_mut());
        if let Some(one) = usages.into_iter().flatten().find(|one| **one == usage) {
            *one = into;
        }
    }

    /// The dialog of that name, unless the dialog is over.
    pub fn find(&self, name: DialogKey<'_>) -> Option<DialogId> {
        let is_it = |id| self.get(id).is_some_and(|dialog| dialog.name.as_key() == name);
        self.index.find(name.hash_in(&self.index), is_it)
    }

    /// The dialog, which may be over.
    pub fn get(&self, id: DialogId) -> Option<&Dialog> {
        self.entries.get(id).map(|entry| &entry.dialog)
    }

    /// The dialog, which may be over, to be changed.
    pub fn get_mut(&mut self, id: DialogId) -> Option<&mut Dialog> {
        self.entries.get_mut(id).map(|entry| &mut entry.dialog)
    }

    /// The keyed hash of a dialog's name.
    pub(crate) fn hash_of(&self, name: DialogKey<'_>) -> u64 {
        name.hash_in(&self.index)
    }

    /// The account of a dialog, which may be over.
    pub fn account(&self, id: DialogId) -> Option<A> {
        self.entries.get(id).map(|entry| entry.account)
    }

    /// The usages that are left, in the order of their coming.
    pub fn usages(&self, id: DialogId) -> &[U] {
        self.entries.get(id).map_or(&[], |entry| &entry.usages)
    }

    /// Ends a usage; with the last usage the dialog is over. It can still be looked at until it is [forgotten](Self::forget): a
    /// repeated 2xx wants its ACK after the BYE too.
    pub fn end(&mut self, id: DialogId, usage: U) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let before = entry.usages.len();
        entry.usages.retain(|one| *one != usage);
        if entry.usages.is_empty() && before > 0 {
            entry.span.ends();
            self.index.remove(entry.hash, id);
            if entry.forgotten {
                self.entries.remove(id);
            }
        }
    }

    /// Forgets a dialog: at once if it is over, else with its last usage.
    pub fn forget(&mut self, id: DialogId) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.forgotten = true;
        if entry.usages.is_empty() {
            self.entries.remove(id);
        }
    }

    /// The dialogs that are not over, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (DialogId, &Dialog)> {
        let live = self.entries.iter().filter(|(_, entry)| !entry.usages.is_empty());
        live.map(|(id, entry)| (id, &entry.dialog))
    }

    /// Number of dialogs that are not over.
    pub const fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether each dialog is over.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Dialogs that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.entries.capacity().max(self.index.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::DialogState;
    use crate::message::{Limits, Message};

    fn dialog(call_id: &str) -> Dialog {
        let text = alloc::format!(
            "INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\n\
             From: <sip:alice@a.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:alice@a.com>\r\n\r\n"
        );
        let Ok(Message::Request(invite)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        Dialog::of_request(&invite, "2", DialogState::Confirmed).unwrap()
    }

    #[test]
    fn a_dialog_is_found_until_its_last_usage_ends_and_looked_at_until_it_is_forgotten() {
        let mut dialogs = Dialogs::new([1; 16]);
        let id = dialogs.begin(dialog("x"), 1, 'a');
        let other = dialogs.begin(dialog("y"), 2, 'b');
        let name = dialog("x").name;
        assert_eq!((dialogs.find(name.as_key()), dialogs.usages(id)), (Some(id), &['a'][..]));
        dialogs.end(id, 'z');
        assert_eq!(dialogs.find(name.as_key()), Some(id), "a usage is left");
        dialogs.end(id, 'a');
        dialogs.end(id, 'a');
        assert_eq!((dialogs.find(name.as_key()), dialogs.len()), (None, 1));
        assert_eq!(dialogs.get(id).map(|dialog| &dialog.name), Some(&name));
        assert_eq!((dialogs.account(id), dialogs.account(other)), (Some(1), Some(2)));
        dialogs.forget(id);
        assert!(dialogs.get(id).is_none());
        assert!(dialogs.get(other).is_some() && !dialogs.is_empty());
    }

    /// RFC 5057 §4: the dialog is over with its last usage.
    #[test]
    fn a_dialog_that_is_shared_lives_as_long_as_its_last_usage() {
        let mut dialogs = Dialogs::new([1; 16]);
        let id = dialogs.begin(dialog("x"), 1, 'a');
        assert!(dialogs.join(id, 'b'));
        dialogs.end(id, 'a');
        dialogs.forget(id);
        let name = dialog("x").name;
        assert_eq!((dialogs.find(name.as_key()), dialogs.usages(id)), (Some(id), &['b'][..]));
        assert_eq!(
            dialogs.iter().map(|(id, dialog)| (id, &dialog.name)).collect::<alloc::vec::Vec<_>>(),
            [(id, &name)]
        );
        dialogs.end(id, 'b');
        assert!(dialogs.find(name.as_key()).is_none() && dialogs.get(id).is_none());
        assert_eq!(dialogs.iter().count(), 0);
        // A dialog that is over has no new usage.
        let other = dialogs.begin(dialog("y"), 1, 'a');
        dialogs.end(other, 'a');
        assert!(!dialogs.join(other, 'b') && dialogs.get(other).is_some());
    }

    #[test]
    fn a_usage_turns_into_another_one_in_its_place() {
        let mut dialogs = Dialogs::new([1; 16]);
        let id = dialogs.begin(dialog("x"), 1, 'a');
        dialogs.join(id, 'b');
        dialogs.turn(id, 'a', 'c');
        dialogs.turn(id, 'z', 'y');
        assert_eq!(dialogs.usages(id), ['c', 'b']);
    }
}
