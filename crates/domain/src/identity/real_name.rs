//! A name as it stands on an identity card, in one spelling.

use crate::text::visible_line;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

const MIN_LENGTH: usize = 2;
const MAX_LENGTH: usize = 50;
const DOT: char = '·';
/// What people type for the dot within a name.
const DOTS: [char; 6] = ['•', '・', '･', '‧', '∙', '．'];

/// 2 to 50 letters of any script, with single blanks, dots, hyphens and apostrophes between them.
#[derive(Clone, PartialEq, Eq)]
pub struct RealName(String);

impl RealName {
    /// Reads a name as somebody typed it. The reason never repeats the name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let dotted: String = text.chars().map(|letter| if DOTS.contains(&letter) { DOT } else { letter }).collect();
        let wide: String = dotted.nfkc().collect();
        let name = visible_line(&wide, MAX_LENGTH)?.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.chars().count() < MIN_LENGTH {
            return Err("must have 2 to 50 characters");
        }
        let between = |letter: char| letter == DOT || " -'’.".contains(letter);
        if !name.chars().all(|letter| letter.is_alphabetic() || is_mark(letter) || between(letter)) {
            return Err("may have letters, and blanks, dots, hyphens and apostrophes between them");
        }
        let ends = [name.chars().next(), name.chars().next_back()];
        let bare = |end: &Option<char>| end.is_some_and(|letter| letter == DOT || "-'’".contains(letter));
        if ends.iter().any(bare) || !name.chars().any(char::is_alphabetic) {
            return Err("must begin and end with a letter");
        }
        Ok(Self(name))
    }

    /// A name read back from where it was kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name for those who may see it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first character and two stars, whatever the length.
    pub fn masked(&self) -> String {
        let first: String = self.0.chars().take(1).collect();
        format!("{first}**")
    }
}

/// Vowel signs and the like, which several scripts write after their letters.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036F}' | '\u{0900}'..='\u{0DFF}' | '\u{0E30}'..='\u{0E4E}' | '\u{0F00}'..='\u{0FBC}')
}

impl fmt::Debug for RealName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RealName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for (typed, name) in [
            ("张小三", "张小三"),
            (" 张小三 ", "张小三"),
            ("𠮷野家", "𠮷野家"),
            ("阿依古丽•买买提", "阿依古丽·买买提"),
            ("阿依古丽．买买提", "阿依古丽·买买提"),
            ("阿依古丽・买买提", "阿依古丽·买买提"),
            ("Ｚｈａｎｇ　San", "Zhang San"),
            ("Jean-Luc  O'Neill Jr.", "Jean-Luc O'Neill Jr."),
        ] {
            assert_eq!(RealName::parse(typed).map(|name| name.0), Ok(name.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for typed in
            ["", "张", "·张三", "张三·", "张3三", "张\u{200B}三", "张\0三", "<b>张</b>", "张三\n李四", "..", "- -"]
        {
            assert!(RealName::parse(typed).is_err(), "{typed:?}");
        }
        assert!(RealName::parse(&"张".repeat(50)).is_ok());
        assert!(RealName::parse(&"张".repeat(51)).is_err());
    }

    #[test]
    fn a_name_is_masked_and_not_printed() {
        let name = RealName::parse("欧阳小三").unwrap();
        assert_eq!(name.masked(), "欧**");
        assert_eq!(format!("{name:?}"), "RealName(…)");
    }
}
