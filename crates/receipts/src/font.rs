//! The one font: which glyph a character has and how wide it is.
//!
//! Noto Sans CJK SC reduced to GB 2312 and Latin, compiled in (`fonts/README.md`). It is only read when the first
//! receipt is made, so an idle server does not hold it in memory.

use domain::error::{Error, Result};
use krilla::text::Font;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

static BYTES: &[u8] = include_bytes!("../fonts/NotoSansCJKsc-gb2312-subset.otf");
/// What stands for a character that the font lacks: seen by everybody, mistaken by nobody.
pub(crate) const MISSING: char = '□';

/// A glyph and its width in ems.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyph {
    pub id: u32,
    pub advance: f32,
}

pub(crate) struct Face {
    charmap: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
    units_per_em: f32,
    missing: Glyph,
    /// The same font for writing; cloning is cheap.
    pub font: Font,
}

impl Face {
    /// Reads the font. Fails only when the file in the repository is broken.
    pub fn load() -> Result<Self> {
        let font = Font::new(BYTES.into(), 0).ok_or(Error::Unavailable)?;
        let reference = FontRef::new(BYTES).map_err(|_| Error::Unavailable)?;
        let mut face = Self {
            charmap: reference.charmap(),
            metrics: reference.glyph_metrics(Size::unscaled(), LocationRef::default()),
            units_per_em: font.units_per_em(),
            missing: Glyph { id: 0, advance: 1.0 },
            font,
        };
        face.missing = face.find(MISSING).unwrap_or(face.missing);
        Ok(face)
    }

    /// The glyph of a character, or the one that says that there is none.
    pub fn glyph(&self, letter: char) -> Glyph {
        self.find(letter).unwrap_or(self.missing)
    }

    pub fn knows(&self, letter: char) -> bool {
        self.find(letter).is_some()
    }

    /// Width in points at a size in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.glyph(letter).advance).sum::<f32>() * size
    }

    fn find(&self, letter: char) -> Option<Glyph> {
        let id = self.charmap.map(letter)?;
        let advance = self.metrics.advance_width(id)? / self.units_per_em;
        Some(Glyph { id: id.to_u32(), advance })
    }
}
