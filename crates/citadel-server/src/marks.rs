//! Our own plain marks for companies and providers: initials on a coloured square. Never anybody's trademark.

use std::fmt::Write;

/// Grounds that white letters are easy to read on (at least 5.5 : 1, where AA asks 4.5).
const GROUNDS: [&str; 12] = [
    "#0f5c56", "#1f5673", "#3b4f8a", "#59457f", "#74406d", "#8a3d50", "#8a4526", "#6b5318", "#4a5d23",
    "#2c6142", "#44546a", "#5a4a42",
];

/// An SVG image of 40 by 40. The same id always has the same colour.
pub(crate) fn mark_svg(id: &str, name: &str) -> String {
    let ground = GROUNDS[(fnv(id) % GROUNDS.len() as u64) as usize];
    let letters = initials(name);
    let size = match letters.chars().count() {
        1 => 19,
        2 => 16,
        _ => 13,
    };
    let (title, letters) = (escape(name), escape(&letters));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 40\" width=\"40\" height=\"40\" role=\"img\">\
         <title>{title}</title><rect width=\"40\" height=\"40\" rx=\"9\" fill=\"{ground}\"/>\
         <text x=\"20\" y=\"20\" dy=\".355em\" text-anchor=\"middle\" fill=\"#ffffff\" font-size=\"{size}\" font-weight=\"600\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif\">{letters}</text></svg>\n"
    )
}

/// A short name in capitals as it is, else the first letters of the first two words that matter.
fn initials(name: &str) -> String {
    let trimmed = name.trim();
    if (2..=3).contains(&trimmed.len())
        && trimmed.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return trimmed.to_owned();
    }
    let words = trimmed.split(|char: char| !char.is_alphanumeric() && !matches!(char, '\'' | '’' | '.'));
    let mut letters = String::new();
    let matters = |word: &&str| !matches!(*word, "the" | "The" | "of" | "and" | "for" | "in" | "US");
    let first = |word: &str| word.chars().find(|char| char.is_alphanumeric());
    for letter in words.filter(matters).filter_map(first).take(2) {
        letters.extend(letter.to_uppercase());
    }
    if letters.is_empty() { "•".to_owned() } else { letters }
}

/// Safe as text of XML: signs are escaped, and what XML forbids is left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => {
                write!(escaped, "&#{};", u32::from(char)).expect("writing to a string cannot fail");
            }
            '\u{fffe}' | '\u{ffff}' => {}
            _ if char.is_control() => escaped.push(' '),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// FNV-1a: stable over versions and machines, unlike the standard hasher.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        assert_eq!(initials(name), expected, "{name}");
    }

    #[test]
    fn initials_read_like_the_name() {
        check("Home Depot", "HD");
        check("The Home Depot", "HD");
        check("ADP", "ADP");
        check("3M", "3M");
        check("Google", "G");
        check("McDonald's", "M");
        check("Ben & Jerry's", "BJ");
        check("Bank of America", "BA");
        check("US Postal Service", "PS");
        check("H-E-B", "HE");
        check("L'Oréal USA", "LU");
        check("électricité", "É");
        check("7-Eleven", "7E");
        check("🙂", "•");
        check("", "•");
    }

    #[test]
    fn the_same_id_has_the_same_mark() {
        assert_eq!(mark_svg("adp", "ADP"), mark_svg("adp", "ADP"));
        assert_ne!(mark_svg("adp", "A"), mark_svg("gusto", "A"));
    }

    #[test]
    fn text_cannot_leave_its_place() {
        let svg = mark_svg("x", "<script>&\"'\u{0}\u{ffff}</script>");
        assert!(!svg.contains("<script") && !svg.contains('\u{0}') && !svg.contains('\u{ffff}'), "{svg}");
        assert!(svg.contains("&#60;script&#62;&#38;&#34;&#39; &#60;/script&#62;"), "{svg}");
    }

    #[test]
    fn white_is_easy_to_read_on_every_ground() {
        for ground in GROUNDS {
            let channel = |at| {
                let value = f64::from(u8::from_str_radix(&ground[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
            assert!(1.05 / (luminance + 0.05) >= 5.5, "{ground}: {}", 1.05 / (luminance + 0.05));
        }
    }
}
