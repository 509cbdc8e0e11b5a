//! The change of one kind of message, for the mistakes that a wrapper makes.

/// Nothing but this kind of message is changed.
macro_rules! on {
    ($kind:pat, $change:expr) => {
        |notes: &mut $crate::planted::Notebook, kind: &str, text: String| -> Vec<String> {
            match kind {
                $kind => {
                    let change: fn(&mut $crate::planted::Notebook, String) -> Vec<String> = $change;
                    change(notes, text)
                }
                _ => vec![text],
            }
        }
    };
}
pub(super) use on;
