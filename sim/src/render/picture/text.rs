//! Text of strangers, made fit to be drawn.

/// The most characters that are drawn of a node's name.
pub const NAME: usize = 24;

/// Shows what would change how the text around it reads: control characters as their pictures (U+2400), and those that turn the direction
/// of writing, or that XML does not have, as U+FFFD.
pub fn visible(text: &str) -> String {
    text.chars().map(picture).collect()
}

fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        // Unicode Standard Annex #9: what embeds, overrides and isolates, and the marks of direction.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c => c,
    }
}

/// The first characters of a text, made [`visible`]; an ellipsis stands for what was cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return visible(text);
    }
    let mut shown: String = text.chars().take(most.saturating_sub(1)).map(picture).collect();
    shown.push('…');
    shown
}

/// About how wide a text is, in halves of the font's size: letters of East Asia are twice as wide as others.
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..)
            {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_seen_and_turn_nothing() {
        assert_eq!(visible("a\0\x1b[2J\x7f\u{85}\u{202e}b"), "a␀␛[2J␡\u{fffd}\u{fffd}b");
        assert_eq!(visible("שלום <&>"), "שלום <&>");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alices", 5), "alic…");
        assert_eq!(cut(&"é".repeat(200), NAME).chars().count(), NAME);
    }
}
