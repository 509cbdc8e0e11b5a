//! The sources of rules as links.

use maud::{Markup, html};

/// Links each section of `RFC 3261 §13.3.1.4, §17.1.1.2; RFC 6026` to the text of the RFC.
pub(in crate::render) fn sources(text: &str) -> Markup {
    let mut rfc = None;
    let words: Vec<(String, String)> = text
        .split_inclusive([',', ';'])
        .map(|part| {
            let (word, separator) = match part.strip_suffix([',', ';']) {
                Some(word) => (word, &part[word.len()..]),
                None => (part, ""),
            };
            let word = word.trim();
            if let Some(number) = word.strip_prefix("RFC ").and_then(|rest| rest.split(' ').next()) {
                rfc = Some(number);
            }
            let section = word.split_once('§').map(|(_, section)| section);
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
            let link = match (rfc.filter(|rfc| is_number(rfc)), section) {
                (Some(rfc), Some(section)) if is_number(section) => {
                    format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}")
                }
                (Some(rfc), None) if word.starts_with("RFC ") => format!("https://www.rfc-editor.org/rfc/rfc{rfc}"),
                _ => String::new(),
            };
            (link, format!("{word}{separator}"))
        })
        .collect();
    html! {
        @for (number, (link, words)) in words.iter().enumerate() {
            @if number > 0 { " " }
            @if link.is_empty() { (words) } @else {
                @let (word, separator) = words.split_at(words.trim_end_matches([',', ';']).len());
                a href=(link) { (word) } (separator)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::standard;

    #[test]
    fn each_section_leads_to_its_place_in_its_rfc() {
        let links = sources("RFC 3261 §13.2.2.4, §17; RFC 6026").into_string();
        let rfc = "https://www.rfc-editor.org/rfc/rfc";
        assert_eq!(
            links,
            format!(
                "<a href=\"{rfc}3261#section-13.2.2.4\">RFC 3261 §13.2.2.4</a>, <a href=\"{rfc}3261#section-17\">§17</a>; \
                 <a href=\"{rfc}6026\">RFC 6026</a>"
            )
        );
        assert_eq!(sources("our own <rule>").into_string(), "our own &lt;rule&gt;");
    }

    #[test]
    fn each_standard_check_has_a_link() {
        for check in standard() {
            assert!(sources(check.source()).into_string().contains("<a "), "{}: {}", check.name(), check.source());
        }
    }
}
