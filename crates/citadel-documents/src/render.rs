//! From paper to PDF. With `tags`, the only place that knows the PDF library.

use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, Configuration, ConfigurationBuilder},
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    page::PageSettings,
    paint::Fill,
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag},
    text::TextDirection,
};

use crate::{
    DocumentError,
    sheet::{HEIGHT, Mark, Part, Sheet, Tone, WIDTH},
    tags,
};

/// The language of every document.
const LANGUAGE: &str = "en-US";

/// Writes the pages and, at the foot of each, the footer and the page number.
pub(crate) fn pdf(mut sheet: Sheet, footer: Option<&str>) -> Result<Vec<u8>, DocumentError> {
    sheet.finish(footer);
    let settings = SerializeSettings { configuration: configuration(&sheet), ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(&sheet));
    let mut texts = Vec::new();
    for marks in &sheet.pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).expect("US Letter is a page size");
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            texts.extend(draw(&mut surface, mark));
        }
        surface.finish();
        page.finish();
    }
    document.set_outline(tags::outline(&sheet.contents));
    document.set_tag_tree(tags::tree(sheet.parts, &texts, LANGUAGE));
    document.finish().map_err(|error| DocumentError(format!("{error:?}")))
}

/// PDF/UA-1, for people who do not see the page, and PDF/A-2a, for those who open it in thirty years. PDF/A wants to know when
/// the document was made, and of one without any date nobody can say: it claims PDF/UA alone.
fn configuration(sheet: &Sheet) -> Configuration {
    let accessible = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1);
    let builder = match sheet.date {
        Some(_) => accessible.with_archival_validator(Archival::A2_A),
        None => accessible,
    };
    builder.finish().expect("PDF/A-2 and PDF/UA-1 are both for PDF 1.7")
}

fn metadata(sheet: &Sheet) -> Metadata {
    let metadata = Metadata::new()
        .title(sheet.title.clone())
        .language(LANGUAGE.to_owned())
        .creator("Citadel".to_owned())
        .producer("Citadel".to_owned());
    let Some(day) = sheet.date else { return metadata };
    let created = DateTime::new(day.year().unsigned_abs());
    metadata.creation_date(created.month(day.month().unsigned_abs()).day(day.day().unsigned_abs()))
}

/// The number of a text in the document's structure, and its place in the file.
fn draw(surface: &mut Surface<'_>, mark: &Mark) -> Option<(usize, Identifier)> {
    match mark {
        Mark::Text { x, y, style, words, part } => {
            let id = surface.start_tagged(match part {
                Part::Text(_) => ContentTag::Span(SpanTag::empty().with_actual_text(words.meant.as_deref())),
                Part::Header => artifact(ArtifactType::Header),
                Part::Footer => artifact(ArtifactType::Footer),
                Part::PageNumber => artifact(ArtifactType::PageNumber),
                Part::Repeat => artifact(ArtifactType::PaginationOther),
            });
            surface.set_fill(Some(fill(style.tone)));
            let start = Point::from_xy(*x, *y);
            let font = style.weight.font();
            surface.draw_text(start, font, style.size, &words.shown, false, TextDirection::LeftToRight);
            surface.end_tagged();
            match part {
                Part::Text(number) => Some((*number, id)),
                _ => None,
            }
        }
        Mark::Area { x, y, width, height, tone } => {
            area(surface, Rect::from_xywh(*x, *y, *width, *height)?, *tone);
            None
        }
    }
}

fn area(surface: &mut Surface<'_>, rect: Rect, tone: Tone) {
    let mut path = PathBuilder::new();
    path.push_rect(rect);
    // An area without extent leaves no mark.
    let Some(path) = path.finish() else { return };
    surface.start_tagged(artifact(ArtifactType::Layout));
    surface.set_fill(Some(fill(tone)));
    surface.draw_path(&path);
    surface.end_tagged();
}

fn artifact(kind: ArtifactType) -> ContentTag<'static> {
    ContentTag::Artifact(Artifact::with_kind(kind))
}

fn fill(tone: Tone) -> Fill {
    let color = match tone {
        Tone::Ink => rgb::Color::new(24, 28, 36),
        Tone::Quiet => rgb::Color::new(92, 100, 114),
        Tone::Line => rgb::Color::new(198, 204, 214),
        Tone::Tint => rgb::Color::new(241, 243, 247),
    };
    Fill { paint: color.into(), ..Fill::default() }
}
