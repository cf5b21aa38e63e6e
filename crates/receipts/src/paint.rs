//! From placed marks to a PDF. Nothing in it depends on the clock, the machine or chance.

use crate::font::Face;
use crate::layout::{Mark, PAGE_HEIGHT, PAGE_WIDTH, Page, Style, Tone};
use chrono::{DateTime, Datelike, Timelike, Utc};
use domain::billing::Document;
use domain::error::{Error, Result};
use domain::notices::Locale;
use krilla::SerializeSettings;
use krilla::color::rgb::Color;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime as PdfTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};

/// How much wider the strokes of strong text are, in sizes: the font has one weight.
const STRONG_STROKE: f32 = 0.028;

/// Writes the pages.
pub(crate) fn paint(face: &Face, document: &Document, pages: &[Page], compress: bool) -> Result<Vec<u8>> {
    let settings =
        SerializeSettings { compress_content_streams: compress, xmp_metadata: false, ..SerializeSettings::default() };
    let mut pdf = krilla::Document::new_with(settings);
    pdf.set_metadata(metadata(document));
    let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).ok_or(Error::Unavailable)?;
    for page in pages {
        let mut sheet = pdf.start_page_with(size.clone());
        let mut surface = sheet.surface();
        for mark in &page.marks {
            draw(&mut surface, face, mark);
        }
        surface.finish();
        sheet.finish();
    }
    pdf.finish().map_err(|error| {
        tracing::error!(?error, number = document.number, "a receipt could not be written");
        Error::Unavailable
    })
}

fn metadata(document: &Document) -> Metadata {
    let language = match document.locale {
        Locale::Chinese => "zh-CN",
        Locale::English => "en",
    };
    Metadata::new()
        .title(format!("{} {}", document.title, document.number))
        .language(language.to_owned())
        .creator("Suanpan".to_owned())
        .document_id(document.number.clone())
        .creation_date(pdf_time(document.issued_at))
}

fn pdf_time(time: DateTime<Utc>) -> PdfTime {
    let small = |value: u32| u8::try_from(value).unwrap_or(0);
    PdfTime::new(u16::try_from(time.year()).unwrap_or(0))
        .month(small(time.month()))
        .day(small(time.day()))
        .hour(small(time.hour()))
        .minute(small(time.minute()))
        .second(small(time.second()))
        .utc_offset_hour(0)
}

fn draw(surface: &mut Surface<'_>, face: &Face, mark: &Mark) {
    match mark {
        Mark::Text { x, y, style, text } => draw_text(surface, face, Point::from_xy(*x, *y), *style, text),
        Mark::Rule { from, to, y, weight } => draw_rule(surface, *from, *to, *y, *weight),
    }
}

fn draw_text(surface: &mut Surface<'_>, face: &Face, at: Point, style: Style, text: &str) {
    let color = color(style.tone);
    let stroke = Stroke { paint: color.into(), width: style.size * STRONG_STROKE, ..Stroke::default() };
    surface.set_fill(Some(Fill { paint: color.into(), ..Fill::default() }));
    surface.set_stroke(style.strong.then_some(stroke));
    // The ranges keep what was written, so that a name copied from the page is the name, even where □ is shown.
    let glyphs: Vec<_> = text
        .char_indices()
        .map(|(start, letter)| {
            let glyph = face.glyph(letter);
            let range = start..start + letter.len_utf8();
            KrillaGlyph::new(GlyphId::new(glyph.id), glyph.advance, 0.0, 0.0, 0.0, range, None)
        })
        .collect();
    surface.draw_glyphs(at, &glyphs, face.font.clone(), text, style.size, false);
}

fn draw_rule(surface: &mut Surface<'_>, from: f32, to: f32, y: f32, weight: f32) {
    let Some(rect) = Rect::from_ltrb(from, y, to, y + weight) else { return };
    let mut path = PathBuilder::new();
    path.push_rect(rect);
    let Some(path) = path.finish() else { return };
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: Color::new(203, 208, 216).into(), ..Fill::default() }));
    surface.draw_path(&path);
}

fn color(tone: Tone) -> Color {
    match tone {
        Tone::Ink => Color::new(24, 28, 36),
        Tone::Quiet => Color::new(104, 111, 122),
        Tone::Warning => Color::new(178, 42, 42),
    }
}
