//! From paper to PDF. No other file knows the PDF library.

use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    page::PageSettings,
    paint::Fill,
    surface::Surface,
    text::TextDirection,
};

use crate::{
    DocumentError,
    sheet::{HEIGHT, LABEL, LEFT, Mark, RIGHT, Sheet, Style, Tone, WIDTH},
};

const FOOTER_LINE: f32 = HEIGHT - 40.0;

/// Writes the pages and, at the foot of each, the footer and the page number.
pub(crate) fn pdf(sheet: &Sheet, footer: Option<&str>) -> Result<Vec<u8>, DocumentError> {
    let mut document = Document::new();
    document.set_metadata(metadata(sheet));
    let count = sheet.pages.len();
    for (index, marks) in sheet.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).expect("US Letter is a page size");
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, mark);
        }
        if let Some(footer) = footer {
            text(&mut surface, LEFT, FOOTER_LINE, LABEL, footer);
        }
        if count > 1 {
            let number = format!("Page {} of {count}", index + 1);
            let start = RIGHT - LABEL.weight.width(&number, LABEL.size);
            text(&mut surface, start, FOOTER_LINE, LABEL, &number);
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| DocumentError(format!("{error:?}")))
}

fn metadata(sheet: &Sheet) -> Metadata {
    let metadata = Metadata::new()
        .title(sheet.title.clone())
        .language("en-US".to_owned())
        .producer("Citadel".to_owned());
    let Some(day) = sheet.date else { return metadata };
    let created = DateTime::new(day.year().unsigned_abs());
    metadata.creation_date(created.month(day.month().unsigned_abs()).day(day.day().unsigned_abs()))
}

fn draw(surface: &mut Surface<'_>, mark: &Mark) {
    match mark {
        Mark::Text { x, y, size, weight, tone, text: words } => {
            text(surface, *x, *y, Style { size: *size, weight: *weight, tone: *tone }, words);
        }
        Mark::Area { x, y, width, height, tone } => {
            let mut path = PathBuilder::new();
            // An area without extent leaves no mark.
            let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { return };
            path.push_rect(rect);
            let Some(path) = path.finish() else { return };
            surface.set_fill(Some(fill(*tone)));
            surface.draw_path(&path);
        }
    }
}

fn text(surface: &mut Surface<'_>, x: f32, y: f32, style: Style, text: &str) {
    surface.set_fill(Some(fill(style.tone)));
    let start = Point::from_xy(x, y);
    surface.draw_text(start, style.weight.font(), style.size, text, false, TextDirection::LeftToRight);
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
