//! What people may type as a name: one line of visible text, and the folding under which two names are the same.

use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Lower-cased compatibility form: `ＡＤＭＩＮ`, `Admin` and `admin` are one name on every database.
pub fn fold(text: &str) -> String {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    lower.nfkc().collect()
}

/// Reads one line of visible text of 1 to `most` characters, composed (NFC), without blanks around it.
pub fn visible_line(text: &str, most: usize) -> Result<String, &'static str> {
    let line: String = text.trim().nfc().collect();
    if line.is_empty() {
        return Err("must not be empty");
    }
    if line.chars().count() > most {
        return Err("is too long");
    }
    if line.chars().any(is_hidden) {
        return Err("must not contain control or invisible characters");
    }
    Ok(line)
}

/// Controls, line separators, bidirectional marks and zero-width characters. The joiner of emoji is not one of them.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}' | '\u{200C}'
            | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0E}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_fold_to_one_name() {
        assert_eq!(fold("ＡＤＭＩＮ"), "admin");
        assert_eq!(fold("e\u{301}"), fold("É"));
        assert_eq!(fold(&fold("İstanbul")), fold("İstanbul"));
    }

    #[test]
    fn rare_han_middle_dots_and_emoji_are_visible() {
        for name in ["𠮷野家", "阿依古丽·买买提", "👩\u{200D}💻"] {
            assert_eq!(visible_line(name, 20), Ok(name.to_owned()));
        }
    }

    #[test]
    fn controls_bidi_and_zero_width_are_refused_and_length_is_counted_in_characters() {
        for name in ["a\0b", "a\u{202E}b", "a\u{200B}b", "\u{FEFF}a", "a\nb"] {
            assert!(visible_line(name, 20).is_err(), "{name:?}");
        }
        assert!(visible_line("  ", 20).is_err());
        assert!(visible_line("字字字", 3).is_ok());
        assert!(visible_line("字字字字", 3).is_err());
    }
}
