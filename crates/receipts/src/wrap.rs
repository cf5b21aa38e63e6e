//! Breaking text into lines: between words in Latin, between any two characters in Chinese.

use crate::font::Face;

/// Chinese and everything else that is written without blanks begins here (CJK radicals).
const FIRST_WIDE: char = '\u{2E80}';
/// No line begins with one of these (GB/T 15834, CLREQ).
const NOT_FIRST: &str = "，。、；：？！）」』】》〉〕”’…—·％,.;:?!)]}%";
/// No line ends with one of these.
const NOT_LAST: &str = "（「『【《〈〔“‘([{";

/// The lines of `text` at a size, none wider than `width` points unless a single character is. At least one line.
pub(crate) fn wrap(face: &Face, text: &str, size: f32, width: f32) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    let (mut start, mut chance, mut used) = (0, None, 0.0);
    let mut at = 0;
    while at < letters.len() {
        if at > start && may_break(letters[at - 1], letters[at]) {
            chance = Some(at);
        }
        let advance = face.glyph(letters[at]).advance * size;
        if used + advance > width && at > start && letters[at] != ' ' {
            let end = chance.take().unwrap_or(at);
            lines.push(line(&letters[start..end]));
            // What follows the break is measured again, from the next line's beginning.
            (start, at, used) = (end, end, 0.0);
            continue;
        }
        used += advance;
        at += 1;
    }
    if start < letters.len() || lines.is_empty() {
        lines.push(line(&letters[start..]));
    }
    lines
}

fn line(letters: &[char]) -> String {
    letters.iter().collect::<String>().trim().to_owned()
}

fn may_break(before: char, after: char) -> bool {
    if NOT_FIRST.contains(after) || NOT_LAST.contains(before) || after == ' ' {
        return false;
    }
    before == ' ' || before == '-' || before == '/' || before >= FIRST_WIDE || after >= FIRST_WIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: f32) -> Vec<String> {
        wrap(&Face::load().unwrap(), text, 10.0, width)
    }

    #[test]
    fn latin_breaks_between_words_and_long_words_break_anywhere() {
        assert_eq!(lines("one two three", 40.0), ["one two", "three"]);
        let long = lines(&"x".repeat(100), 40.0);
        assert!(long.len() > 5 && long.concat() == "x".repeat(100), "{long:?}");
    }

    #[test]
    fn chinese_breaks_anywhere_but_not_before_closing_or_after_opening_marks() {
        assert_eq!(lines("一二三四五六", 30.0), ["一二三", "四五六"]);
        assert_eq!(lines("一二三，四五", 30.0), ["一二", "三，四", "五"]);
        assert_eq!(lines("一二（三四五", 30.0), ["一二", "（三四", "五"]);
    }

    #[test]
    fn nothing_is_lost_and_no_line_is_too_wide() {
        let face = Face::load().unwrap();
        let text = "专业版 professional：字 words、storage 存储（1 024 MB）— https://example.com/a/very/long/path?with=things 𠮷□";
        for width in [10.0, 25.0, 60.0, 200.0] {
            let lines = wrap(&face, text, 9.0, width);
            let squeezed = |text: &str| text.replace(' ', "");
            assert_eq!(squeezed(&lines.concat()), squeezed(text));
            for line in lines.iter().filter(|line| line.chars().count() > 1) {
                assert!(face.width(line, 9.0) <= width + 0.01, "{line} at {width}");
            }
        }
    }

    #[test]
    fn an_empty_text_is_one_empty_line_and_blanks_alone_end() {
        assert_eq!(lines("", 10.0), [""]);
        assert_eq!(lines(&" ".repeat(1_000), 10.0), [""]);
    }
}
