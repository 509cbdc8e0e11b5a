//! Values taken from lists by an edit, over commas and fields.

use super::patch::Patches;
use crate::message::error::BuildError;
use crate::message::layout::Layout;
use crate::message::name::HeaderId;
use crate::message::span::{FieldSpan, part};
use crate::message::text::{self, Values};
use smallvec::SmallVec;

/// Takes values from lists.
#[derive(Clone, Default)]
pub(super) struct Pops(SmallVec<[Pop; 2]>);

/// Takes values from the front and the back of one list.
#[derive(Clone, Copy)]
pub(super) struct Pop {
    id: HeaderId,
    front: usize,
    back: usize,
}

impl Pops {
    /// Takes so many more values.
    pub(super) fn add(&mut self, id: HeaderId, front: usize, back: usize) {
        match self.0.iter_mut().find(|pop| pop.id == id) {
            Some(pop) => (pop.front, pop.back) = (pop.front + front, pop.back + back),
            None => self.0.push(Pop { id, front, back }),
        }
    }

    /// Turns them into patches of this message.
    pub(super) fn apply(&self, bytes: &[u8], layout: &Layout<'_>, patches: &mut Patches) -> Result<(), BuildError> {
        self.0.iter().try_for_each(|pop| pop.apply(bytes, layout, patches))
    }
}

impl Pop {
    /// Takes the first value.
    pub(super) const fn first(id: HeaderId) -> Self {
        Self { id, front: 1, back: 0 }
    }

    /// Turns the pop into patches of this message.
    pub(super) fn apply(self, bytes: &[u8], layout: &Layout<'_>, patches: &mut Patches) -> Result<(), BuildError> {
        // The one value of the first field, as a Via of ours nearly always is.
        if (self.front, self.back) == (1, 0)
            && let Some(field) = layout.fields_of(self.id).next()
            && let value @ [_, ..] = part(bytes, field.start, field.end)
            && text::find(value, b',').is_none()
        {
            patches.cut(field.line.into(), layout.line_end(&field));
            return Ok(());
        }
        let values = |field: &FieldSpan| Values::new(part(bytes, field.start, field.end));
        let count: usize = layout.fields_of(self.id).map(|field| values(&field).count()).sum();
        let kept = self.front..count.checked_sub(self.back).ok_or(BuildError::NoSuchValue)?;
        if kept.start > kept.end {
            return Err(BuildError::NoSuchValue);
        }
        let mut index = 0;
        for field in layout.fields_of(self.id) {
            let (mut first, mut last) = (None, None);
            let before = index;
            for value in values(&field) {
                if kept.contains(&index) {
                    let start = text::offset_in(bytes, value);
                    first.get_or_insert(start);
                    last = Some(start + value.len());
                }
                index += 1;
            }
            match (first, last) {
                (Some(first), Some(last)) => {
                    if kept.start > before {
                        patches.cut(field.start.into(), first);
                    }
                    if kept.end < index {
                        patches.cut(last, field.end.into());
                    }
                }
                // A field that had no value to begin with stays.
                _ if index == before => {}
                _ => patches.cut(field.line.into(), layout.line_end(&field)),
            }
        }
        Ok(())
    }
}
