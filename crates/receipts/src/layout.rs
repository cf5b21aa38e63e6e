//! From a document to pages of placed marks: what stands where, in points from the top left corner of A4.

mod blocks;
mod pages;

use crate::font::Face;
use domain::billing::Document;
pub(crate) use pages::Page;

/// A4 in points.
pub(crate) const PAGE_WIDTH: f32 = 595.28;
pub(crate) const PAGE_HEIGHT: f32 = 841.89;
/// Left and right.
const MARGIN: f32 = 50.0;
/// Where the body begins and ends; below it stands the footer.
const TOP: f32 = 56.0;
const BOTTOM: f32 = PAGE_HEIGHT - 64.0;
const RIGHT: f32 = PAGE_WIDTH - MARGIN;
/// From one line's base to the next, in sizes.
const LEADING: f32 = 1.5;

/// What a mark looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Ink,
    Quiet,
    Warning,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    /// In points.
    pub size: f32,
    pub strong: bool,
    pub tone: Tone,
}

impl Style {
    const fn ink(size: f32) -> Self {
        Self { size, strong: false, tone: Tone::Ink }
    }

    const fn quiet(size: f32) -> Self {
        Self { size, strong: false, tone: Tone::Quiet }
    }

    const fn strong(size: f32) -> Self {
        Self { size, strong: true, tone: Tone::Ink }
    }
}

/// One thing on a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A line of text; `y` is its base.
    Text { x: f32, y: f32, style: Style, text: String },
    /// A level line.
    Rule { from: f32, to: f32, y: f32, weight: f32 },
}

/// The pages of a document, at least one.
pub(crate) fn lay_out(face: &Face, document: &Document) -> Vec<Page> {
    let mut pages = pages::Pages::new(face);
    blocks::heading(&mut pages, document);
    blocks::parties(&mut pages, document);
    blocks::lines(&mut pages, document);
    blocks::sums(&mut pages, document);
    blocks::payments(&mut pages, document);
    blocks::note(&mut pages, document);
    pages.finish(document)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
