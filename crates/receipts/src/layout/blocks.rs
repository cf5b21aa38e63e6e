//! The blocks of a receipt, from the title to the note.

use super::pages::{Cell, Column, Pages, Row};
use super::{MARGIN, RIGHT, Style, Tone};
use domain::billing::{Document, Mark as Weight, Party};

const BODY: f32 = RIGHT - MARGIN;
const GAP: f32 = 12.0;
const LABEL: Style = Style::quiet(8.0);
const TEXT: Style = Style::ink(9.5);
const NAME: Style = Style::strong(11.0);
const TITLE: Style = Style::strong(22.0);
const STAMP: Style = Style { size: 15.0, strong: true, tone: Tone::Warning };
const NOTE: Style = Style::quiet(8.0);
/// Space above and below the text of a row of the table.
const ROW_PADDING: f32 = 4.0;
/// The first is wide enough for a bill's number.
const FACTS: [Column; 3] = [
    Column { left: MARGIN, width: 214.0, at_right: false },
    Column { left: MARGIN + 228.0, width: 122.0, at_right: false },
    Column { left: MARGIN + 362.0, width: BODY - 362.0, at_right: false },
];

const WHOLE: Column = Column { left: MARGIN, width: BODY, at_right: false };
/// Description, quantity, rate, amount.
const TABLE: [Column; 4] = [
    Column { left: MARGIN, width: 212.0, at_right: false },
    Column { left: MARGIN + 220.0, width: 86.0, at_right: true },
    Column { left: MARGIN + 314.0, width: 86.0, at_right: true },
    Column { left: MARGIN + 408.0, width: BODY - 408.0, at_right: true },
];
const SUM_LABEL: Column = Column { left: MARGIN + 220.0, width: 140.0, at_right: false };
const SUM_VALUE: Column = Column { left: MARGIN + 368.0, width: BODY - 368.0, at_right: true };
/// Day, means, amount.
const PAYMENTS: [Column; 3] = [
    Column { left: MARGIN, width: 80.0, at_right: false },
    Column { left: MARGIN + 90.0, width: 270.0, at_right: false },
    Column { left: MARGIN + 368.0, width: BODY - 368.0, at_right: true },
];

/// Seller and buyer.
const HALVES: [Column; 2] = [
    Column { left: MARGIN, width: 214.0, at_right: false },
    Column { left: MARGIN + 228.0, width: BODY - 228.0, at_right: false },
];

/// Title, stamp, and the facts in a grid.
pub(super) fn heading(pages: &mut Pages<'_>, document: &Document) {
    let stamp = document.stamp.as_deref().unwrap_or_default();
    let at_right = Column { at_right: true, ..WHOLE };
    let title = pages.row(&[Cell::new(WHOLE, TITLE, &document.title), Cell::new(at_right, STAMP, stamp)]);
    pages.put(title);
    pages.skip(GAP);
    for facts in document.facts.chunks(FACTS.len()) {
        let placed = || FACTS.iter().zip(facts);
        let labels: Vec<_> = placed().map(|(column, fact)| Cell::new(*column, LABEL, &fact.label)).collect();
        let values: Vec<_> = placed().map(|(column, fact)| Cell::new(*column, TEXT, &fact.value)).collect();
        let (labels, values) = (pages.row(&labels), pages.row(&values));
        pages.put(labels);
        pages.put(values);
        pages.skip(6.0);
    }
    pages.skip(GAP);
}

/// Who sells and who buys, beside each other. Line by line, for together they may be longer than a page.
pub(super) fn parties(pages: &mut Pages<'_>, document: &Document) {
    let [left, right] = HALVES;
    let (seller, buyer) = (&document.seller, &document.buyer);
    let labels = pages.row(&[Cell::new(left, LABEL, &seller.0), Cell::new(right, LABEL, &buyer.0)]);
    pages.put(labels);
    let sellers = party_lines(pages, &seller.1, left.width);
    let buyers = party_lines(pages, &buyer.1, right.width);
    for index in 0..sellers.len().max(buyers.len()) {
        let cells = [(left, sellers.get(index)), (right, buyers.get(index))];
        let cells = cells.iter().filter_map(|(column, line)| line.map(|line| Cell::new(*column, line.0, &line.1)));
        let row = pages.row(&cells.collect::<Vec<_>>());
        pages.put(row);
    }
    pages.skip(GAP * 1.5);
}

fn party_lines(pages: &Pages<'_>, party: &Party, width: f32) -> Vec<(Style, String)> {
    let texts = std::iter::once((NAME, &party.name)).chain(party.lines.iter().map(|line| (TEXT, line)));
    let wrapped = texts.filter(|(_, text)| !text.is_empty());
    wrapped.flat_map(|(style, text)| pages.wrapped(style, text, width)).collect()
}

/// The table; its headings stand on every page that it reaches.
pub(super) fn lines(pages: &mut Pages<'_>, document: &Document) {
    let headings: Vec<_> = document.columns.iter().map(String::as_str).collect();
    table(pages, &TABLE, &headings, document.lines.iter().map(<[String; 4]>::as_slice));
    pages.skip(GAP / 2.0);
}

fn table<'a>(pages: &mut Pages<'_>, columns: &[Column], headings: &[&str], lines: impl Iterator<Item = &'a [String]>) {
    table_head(pages, columns, headings);
    for line in lines {
        let row = cells(pages, columns, line.iter().map(String::as_str), TEXT);
        let height = row.height + 2.0 * ROW_PADDING;
        if !pages.fits(height) {
            pages.turn();
            table_head(pages, columns, headings);
        }
        pages.skip(ROW_PADDING);
        pages.put(row);
        pages.skip(ROW_PADDING);
        pages.rule(MARGIN, 0.4);
    }
}

fn table_head(pages: &mut Pages<'_>, columns: &[Column], headings: &[&str]) {
    let row = cells(pages, columns, headings.iter().copied(), LABEL);
    // A heading alone at the foot of a page says nothing.
    if !pages.fits(row.height + 60.0) {
        pages.turn();
    }
    pages.put(row);
    pages.skip(3.0);
    pages.rule(MARGIN, 1.0);
}

fn cells<'a>(pages: &Pages<'_>, columns: &[Column], texts: impl Iterator<Item = &'a str>, style: Style) -> Row {
    let cells: Vec<_> = columns.iter().zip(texts).map(|(column, text)| Cell::new(*column, style, text)).collect();
    pages.row(&cells)
}

/// The sums, on one page.
pub(super) fn sums(pages: &mut Pages<'_>, document: &Document) {
    let rows = document.sums.iter().map(|sum| {
        let style = if sum.mark == Weight::Strong { Style::strong(11.0) } else { TEXT };
        pages.row(&[Cell::new(SUM_LABEL, style, &sum.label), Cell::new(SUM_VALUE, style, &sum.value)])
    });
    let rows: Vec<_> = rows.collect();
    let height: f32 = rows.iter().map(|row| row.height + 3.0).sum();
    if !pages.fits(height) {
        pages.turn();
    }
    for row in rows {
        pages.put(row);
        pages.skip(3.0);
    }
    pages.skip(GAP);
}

pub(super) fn payments(pages: &mut Pages<'_>, document: &Document) {
    if !document.payments.is_empty() {
        table(pages, &PAYMENTS, &[&document.payments_title], document.payments.iter().map(<[String; 3]>::as_slice));
        pages.skip(GAP);
    }
}

pub(super) fn note(pages: &mut Pages<'_>, document: &Document) {
    let row = pages.row(&[Cell::new(WHOLE, NOTE, &document.note)]);
    pages.skip(GAP / 2.0);
    pages.put(row);
}
