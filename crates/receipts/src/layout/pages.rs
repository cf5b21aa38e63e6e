//! Pages while they are being filled: rows go below each other, and a new page begins when one does not fit.

use super::{BOTTOM, LEADING, MARGIN, Mark, PAGE_HEIGHT, RIGHT, Style, TOP};
use crate::font::Face;
use crate::wrap::wrap;
use domain::billing::Document;

/// Where the footer's line stands.
const FOOTER: f32 = PAGE_HEIGHT - 36.0;
const FOOTER_STYLE: Style = Style::quiet(8.0);

#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub marks: Vec<Mark>,
}

/// From `left` over `width`; numbers stand at the right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub left: f32,
    pub width: f32,
    pub at_right: bool,
}

/// Text in a column; it may take several lines.
pub(super) struct Cell<'a> {
    pub column: Column,
    pub style: Style,
    pub text: &'a str,
}

impl<'a> Cell<'a> {
    pub fn new(column: Column, style: Style, text: &'a str) -> Self {
        Self { column, style, text }
    }
}

/// Cells side by side, wrapped.
pub(super) struct Row {
    lines: Vec<(Column, Style, Vec<String>)>,
    pub height: f32,
}

pub(super) struct Pages<'f> {
    face: &'f Face,
    done: Vec<Page>,
    open: Page,
    /// Where the next row begins.
    y: f32,
}

impl<'f> Pages<'f> {
    pub fn new(face: &'f Face) -> Self {
        Self { face, done: Vec::new(), open: Page::default(), y: TOP }
    }

    pub fn row(&self, cells: &[Cell<'_>]) -> Row {
        let lines = cells.iter().map(|cell| {
            let lines = wrap(self.face, cell.text, cell.style.size, cell.column.width);
            (cell.column, cell.style, lines)
        });
        let lines: Vec<_> = lines.collect();
        let heights = lines.iter().map(|(_, style, lines)| in_points(lines.len()) * style.size * LEADING);
        let height = heights.fold(0.0, f32::max);
        Row { lines, height }
    }

    /// The lines of a text, each with its style.
    pub fn wrapped(&self, style: Style, text: &str, width: f32) -> Vec<(Style, String)> {
        wrap(self.face, text, style.size, width).into_iter().map(|line| (style, line)).collect()
    }

    /// Whether so much still fits on the page.
    pub fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Begins a page, unless this one is still empty.
    pub fn turn(&mut self) {
        if self.y > TOP {
            self.done.push(std::mem::take(&mut self.open));
            self.y = TOP;
        }
    }

    /// Puts a row down whole; on the next page if it does not fit here.
    pub fn put(&mut self, row: Row) {
        if !self.fits(row.height) {
            self.turn();
        }
        for (column, style, lines) in row.lines {
            for (index, text) in lines.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                let y = self.y + style.size * (LEADING * in_points(index) + 1.05);
                self.text(column, y, style, text);
            }
        }
        self.y += row.height;
    }

    /// A line of text whose base is at `y`.
    pub fn text(&mut self, column: Column, y: f32, style: Style, text: String) {
        let room = column.width - self.face.width(&text, style.size);
        let x = if column.at_right { column.left + room } else { column.left };
        self.open.marks.push(Mark::Text { x, y, style, text });
    }

    /// A level line over the body.
    pub fn rule(&mut self, from: f32, weight: f32) {
        self.open.marks.push(Mark::Rule { from, to: RIGHT, y: self.y, weight });
    }

    pub fn skip(&mut self, height: f32) {
        self.y += height;
    }

    /// Numbers the pages.
    pub fn finish(mut self, document: &Document) -> Vec<Page> {
        self.done.push(std::mem::take(&mut self.open));
        let mut pages = std::mem::take(&mut self.done);
        let count = pages.len().to_string();
        for (index, page) in pages.iter_mut().enumerate() {
            let page_of = document.page_of.replace("{pages}", &count).replace("{page}", &(index + 1).to_string());
            std::mem::swap(&mut self.open, page);
            let number = first_line(self.face, &document.number);
            self.text(Column { left: MARGIN, width: 300.0, at_right: false }, FOOTER, FOOTER_STYLE, number);
            self.text(Column { left: RIGHT - 150.0, width: 150.0, at_right: true }, FOOTER, FOOTER_STYLE, page_of);
            std::mem::swap(&mut self.open, page);
        }
        pages
    }
}

fn first_line(face: &Face, text: &str) -> String {
    wrap(face, text, FOOTER_STYLE.size, 300.0).swap_remove(0)
}

/// A count as a coordinate; counts of lines are small.
fn in_points(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}
