//! The two weights of IBM Plex Sans (SIL Open Font License, `fonts/OFL.txt`). Its figures are all of one width, so
//! columns of amounts line up.

use std::sync::LazyLock;

use krilla::text::Font;
use ttf_parser::Face;

/// A weight of the type face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

impl Weight {
    /// The font as the PDF library wants it.
    pub(crate) fn font(self) -> Font {
        self.loaded().font.clone()
    }

    /// How wide a text is at a size, in points. Kerning is left out; it does not touch figures.
    pub(crate) fn width(self, text: &str, size: f32) -> f32 {
        let face = &self.loaded().face;
        let advance = |character| {
            let glyph = face.glyph_index(character).unwrap_or_default();
            f32::from(face.glyph_hor_advance(glyph).unwrap_or_default())
        };
        text.chars().map(advance).sum::<f32>() * size / f32::from(face.units_per_em())
    }

    fn loaded(self) -> &'static Loaded {
        static REGULAR: LazyLock<Loaded> =
            LazyLock::new(|| Loaded::new(include_bytes!("../fonts/IBMPlexSans-Regular.ttf")));
        static SEMI_BOLD: LazyLock<Loaded> =
            LazyLock::new(|| Loaded::new(include_bytes!("../fonts/IBMPlexSans-SemiBold.ttf")));
        match self {
            Self::Regular => &REGULAR,
            Self::SemiBold => &SEMI_BOLD,
        }
    }
}

/// Whether the type face has a glyph for a character. Both weights have the same ones.
pub(crate) fn has(character: char) -> bool {
    Weight::Regular.loaded().face.glyph_index(character).is_some_and(|glyph| glyph.0 != 0)
}

struct Loaded {
    font: Font,
    face: Face<'static>,
}

impl Loaded {
    fn new(bytes: &'static [u8]) -> Self {
        Self {
            font: Font::new(bytes.into(), 0).expect("the font in the project is a good one"),
            face: Face::parse(bytes, 0).expect("the font in the project is a good one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_have_the_same_characters() {
        for character in '\0'..='\u{1FFFF}' {
            let in_semi_bold = Weight::SemiBold.loaded().face.glyph_index(character);
            assert_eq!(has(character), in_semi_bold.is_some_and(|glyph| glyph.0 != 0), "{character:?}");
        }
        assert!(has('\u{FFFD}') && has('…') && has('•') && has('–'));
    }

    #[test]
    fn figures_are_all_of_one_width() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            let widths: Vec<f32> =
                ('0'..='9').map(|figure| weight.width(&figure.to_string(), 10.0)).collect();
            assert!(widths.iter().all(|width| (width - widths[0]).abs() < 0.001), "{widths:?}");
        }
    }
}
