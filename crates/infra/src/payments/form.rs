//! Form bodies as bytes: what was signed is what was sent, so nothing is decoded to text before it is verified.

/// Pairs of a form as raw bytes, in the order sent. `None` when an escape is broken.
pub fn parse(body: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(middle + 1..).unwrap_or_default();
            Some((decode(&pair[..middle])?, decode(value)?))
        })
        .collect()
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            other => *other,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Writes pairs as a form.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_come_through() {
        let pairs = parse(b"a=%D6%D0&b=x+y%2B&c=&d").unwrap();
        assert_eq!(pairs[0], (b"a".to_vec(), vec![0xD6, 0xD0]));
        assert_eq!(pairs[1].1, b"x y+");
        assert_eq!((pairs[2].1.len(), pairs[3].1.len()), (0, 0));
        assert_eq!(parse(b"a=%4"), None);
        assert_eq!(parse(b"a=%zz"), None);
    }
}
