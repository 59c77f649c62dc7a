//! From any text to one that the type face can show.
//!
//! Names come in every script, and PDF/A and PDF/UA refuse a letter without a glyph. What the type face lacks is drawn as
//! `�`, and the text that was meant stays in the file beside it, for search, copying and screen readers.

use crate::{sheet::Style, type_face};

/// What stands for a letter that the type face lacks.
const UNKNOWN: char = '\u{FFFD}';
/// No name is longer, and PDF/A allows no text of more than 32,767 bytes.
const LONGEST: usize = 2_000;

/// A text as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) shown: String,
    /// What was meant, where something else is shown.
    pub(crate) meant: Option<String>,
}

impl Words {
    pub(crate) fn new(text: &str) -> Self {
        let meant = tidy(text);
        let shown: String = meant.chars().filter(|each| !is_ignorable(*each)).map(drawable).collect();
        let meant = (shown != meant).then_some(meant);
        Self { shown, meant }
    }

    /// The text, cut with an ellipsis where it would not fit. Empty where not even that fits.
    pub(crate) fn fit(text: &str, room: f32, style: Style) -> Self {
        let words = Self::new(text);
        if style.width(&words.shown) <= room {
            return words;
        }
        let room = room - style.width("…");
        let mut width = 0.0;
        let fits = |character: &char| {
            width += style.width(character.encode_utf8(&mut [0; 4]));
            width <= room
        };
        let kept: String = words.shown.chars().take_while(fits).collect();
        let shown = if room < 0.0 { String::new() } else { format!("{}…", kept.trim_end()) };
        Self { shown, meant: words.meant.or(Some(words.shown)) }
    }

    /// What was meant, for those who do not look at glyphs.
    pub(crate) fn plain(self) -> String {
        self.meant.unwrap_or(self.shown)
    }

    /// Whether a letter of the text cannot be shown.
    #[cfg(test)]
    fn is_complete(&self) -> bool {
        !self.shown.contains(UNKNOWN)
    }
}

/// The text in lines that fit, broken between words, and inside a word only where it is longer than a line. Where there
/// are more than `most` lines, the last one is left too long, and is to be cut.
pub(crate) fn lines(text: &str, room: f32, style: Style, most: usize) -> Vec<String> {
    let text = tidy(text);
    let width = |part: &str| style.width(&Words::new(part).shown);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if lines.len() + 1 >= most || width(&longer) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in word.chars() {
            line.push(character);
            if lines.len() + 1 < most && width(&line) > room && line.chars().nth(1).is_some() {
                line.pop();
                lines.push(std::mem::replace(&mut line, character.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Without control characters, and with single blanks between words only.
fn tidy(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let words = text.split_whitespace().map(|word| word.replace(|each: char| each.is_control(), ""));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The character, or what stands for it.
fn drawable(character: char) -> char {
    // PDF/A-2a wants no private characters, and the type face uses some for its maker's own signs.
    let is_private = matches!(character, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..);
    if is_private || !type_face::has(character) { UNKNOWN } else { character }
}

/// Marks that join, direct and vary their neighbours and have no shape of their own (Unicode's default ignorables).
const fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::BODY;

    #[test]
    fn long_texts_are_cut_to_their_room() {
        let long = "A very long name of a company that goes on and on";
        let cut = Words::fit(long, 80.0, BODY);
        assert!(cut.shown.ends_with('…') && BODY.width(&cut.shown) <= 80.0, "{cut:?}");
        assert_eq!(cut.meant.as_deref(), Some(long));
        assert_eq!(
            Words::fit("  Short\u{0}\n", 80.0, BODY),
            Words { shown: "Short".to_owned(), meant: None }
        );
        assert_eq!(Words::fit("Anything", 0.5, BODY).shown, "");
    }

    #[test]
    fn what_the_type_face_lacks_is_shown_as_lacking_and_kept_as_meant() {
        for (text, shown) in [
            ("نور", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("Café 🎉\u{FE0F} Manager", "Café \u{FFFD} Manager"),
            ("a\u{200D}b\u{202E}c\u{FEFF}", "abc"),
            ("\u{ECE0}\u{FFFF}", "\u{FFFD}\u{FFFD}"),
        ] {
            let words = Words::new(text);
            assert_eq!((words.shown.as_str(), words.meant.as_deref()), (shown, Some(text)));
        }
        for text in ["Nguyễn", "Zoe\u{308}", "Łukasz <b>&amp;", "Ελένη Юлия", "O’Hara – 5 €"]
        {
            let words = Words::new(text);
            assert!(words.is_complete() && words.meant.is_none(), "{words:?}");
        }
    }

    #[test]
    fn lines_break_between_words_and_long_words_break_inside() {
        let text = "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh of the Vale";
        let broken = lines(text, 90.0, BODY, 20);
        assert!(broken.len() >= 4 && broken.iter().all(|line| BODY.width(line) <= 90.0), "{broken:?}");
        assert_eq!(broken[0], "Maximiliana");
        assert_eq!(broken.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(lines(text, 90.0, BODY, 2).len(), 2);
        assert_eq!(lines("", 90.0, BODY, 2), Vec::<String>::new());
        assert!(lines(&"x".repeat(100_000), 90.0, BODY, 2).len() == 2);
    }
}
