//! Reads `meters`.

use super::document::{Fields, Mistakes, Node};
use crate::plans::meter::MAX_SCALE;
use crate::plans::{Meter, MeterCode, MeterDisplay, MeterKind};
use std::collections::BTreeMap;

/// Longest name of a unit, in characters.
const MAX_UNIT: usize = 32;

/// Every meter with a code; `None` where it could not be read, so that plans naming it are not blamed.
pub(super) fn read(root: &Fields, mistakes: &mut Mistakes) -> BTreeMap<MeterCode, Option<Meter>> {
    let section = root.require("meters", mistakes).and_then(|node| node.entries(mistakes));
    let mut meters = BTreeMap::new();
    for (key, node) in section.unwrap_or_default() {
        match MeterCode::parse(key) {
            Some(code) => {
                let meter = read_meter(code.clone(), &node, mistakes);
                meters.insert(code, meter);
            }
            None => mistakes.add(node.path, "a meter's code is 1 to 32 of a-z, 0-9 and _, and begins with a letter"),
        }
    }
    meters
}

fn read_meter(code: MeterCode, node: &Node, mistakes: &mut Mistakes) -> Option<Meter> {
    let fields = node.fields(&["unit", "scale", "kind", "display"], mistakes)?;
    let unit = fields.require("unit", mistakes).and_then(|node| node.text(MAX_UNIT, mistakes));
    let scale = fields
        .require("scale", mistakes)
        .and_then(|node| node.whole(0..=i64::from(MAX_SCALE), mistakes))
        .and_then(|scale| u8::try_from(scale).ok());
    let kind =
        fields.require("kind", mistakes).and_then(|node| node.word("`counter` or `gauge`", parse_kind, mistakes));
    let display = match fields.get("display") {
        Some(node) => read_display(&node, mistakes),
        None => unit.map(|unit| MeterDisplay { name: unit.to_owned(), per: 1 }),
    };
    Some(Meter { code, unit: unit?.to_owned(), scale: scale?, kind: kind?, display: display? })
}

fn read_display(node: &Node, mistakes: &mut Mistakes) -> Option<MeterDisplay> {
    let fields = node.fields(&["name", "per"], mistakes)?;
    let name = fields.require("name", mistakes).and_then(|node| node.text(MAX_UNIT, mistakes));
    let per = fields.require("per", mistakes).and_then(|node| node.whole(1..=1_000_000_000, mistakes));
    Some(MeterDisplay { name: name?.to_owned(), per: per? })
}

fn parse_kind(word: &str) -> Option<MeterKind> {
    [MeterKind::Counter, MeterKind::Gauge].into_iter().find(|kind| kind.name() == word)
}
