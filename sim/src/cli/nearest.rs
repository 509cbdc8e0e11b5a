//! Guesses of what somebody may have meant.

/// The word that is least different from what was written, if it is not far from it.
pub(super) fn nearest<'a>(written: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody writes so long a word by mistake, and comparing takes the product of both lengths.
    if written.len() > 40 {
        return None;
    }
    let few = |word: &str, changes: usize| changes <= 2 && changes * 2 < word.len().max(written.len());
    let near = words.map(|word| (changes(written, word), word)).filter(|(changes, word)| few(word, *changes));
    near.min_by_key(|(changes, _)| *changes).map(|(_, word)| word)
}

/// ` (did you mean `sweep`?)`, or nothing.
pub(super) fn hint<'a>(written: &str, words: impl Iterator<Item = &'a str>) -> String {
    nearest(written, words).map_or_else(String::new, |word| format!(" (did you mean `{word}`?)"))
}

/// How many letters are put in, left out, replaced, or swapped with the next.
fn changes(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let swapped = i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b;
            let swapped = if swapped { rows[i - 1][j - 1] + 1 } else { usize::MAX };
            row.push(replaced.min(rows[i][j + 1] + 1).min(row[j] + 1).min(swapped));
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_letter_or_two_wrong_is_found_and_another_is_not() {
        let words = ["call", "sweep", "merge", "explore", "planted", "inspect"];
        for (written, meant) in [
            ("seep", Some("sweep")),
            ("swepe", Some("sweep")),
            ("mrege", Some("merge")),
            ("exploer", Some("explore")),
            ("cal", Some("call")),
            ("ring", None),
            ("", None),
            ("all-of-them", None),
        ] {
            assert_eq!(nearest(written, words.into_iter()), meant, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), words.into_iter()), None);
    }
}
