//! Finding COMMIT in what a client sends to PostgreSQL or MariaDB.

use suanpan_bench::database::Engine;

/// Longest message that is looked into; a COMMIT is short.
const LOOKED_INTO: usize = 64;

/// Cuts a client's bytes into messages.
pub struct Messages {
    engine: Engine,
    /// Of the message that has begun.
    header: Vec<u8>,
    payload: Vec<u8>,
    /// Bytes of it that are still to come.
    missing: usize,
    /// PostgreSQL's first message has no type.
    greeted: bool,
}

impl Messages {
    pub fn new(engine: Engine) -> Self {
        Self { engine, header: Vec::new(), payload: Vec::new(), missing: 0, greeted: false }
    }

    /// Whether a COMMIT is complete with these bytes.
    pub fn has_commit(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.missing == 0 {
                self.header.push(byte);
                bytes = rest;
                self.begin();
            } else {
                let taken = bytes.len().min(self.missing);
                let room = LOOKED_INTO.saturating_sub(self.payload.len()).min(taken);
                self.payload.extend_from_slice(&bytes[..room]);
                self.missing -= taken;
                bytes = &bytes[taken..];
            }
            if self.missing == 0 && self.header.is_empty() {
                found |= self.is_commit();
                self.payload.clear();
            }
        }
        found
    }

    /// Once the header is complete: how long the message is.
    fn begin(&mut self) {
        let length = match (self.engine, self.header.as_slice()) {
            (Engine::Postgres, &[a, b, c, d]) if !self.greeted => length_of([a, b, c, d]).saturating_sub(4),
            (Engine::Postgres, &[_, a, b, c, d]) => length_of([a, b, c, d]).saturating_sub(4),
            (Engine::MariaDb, &[a, b, c, _]) => length_of([0, c, b, a]),
            _ => return,
        };
        let typed = self.engine == Engine::Postgres && self.greeted;
        self.payload = if typed { vec![self.header[0]] } else { Vec::new() };
        self.greeted = true;
        self.missing = length;
        self.header.clear();
    }

    fn is_commit(&self) -> bool {
        let text = match (self.engine, self.payload.split_first()) {
            (Engine::Postgres, Some((b'Q', text))) => text.strip_suffix(b"\0").unwrap_or(text),
            (Engine::MariaDb, Some((3, text))) => text,
            _ => return false,
        };
        text.trim_ascii().trim_ascii_end().eq_ignore_ascii_case(b"COMMIT")
            || text.trim_ascii().eq_ignore_ascii_case(b"COMMIT;")
    }
}

fn length_of(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(kind: u8, text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), text].concat()
    }

    fn mariadb(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        [&length[..3], &[0], payload].concat()
    }

    fn found_at(engine: Engine, bytes: &[u8], piece: usize) -> usize {
        let mut messages = Messages::new(engine);
        bytes.chunks(piece).filter(|chunk| messages.has_commit(chunk)).count()
    }

    #[test]
    fn postgres_commits_are_found_however_the_bytes_are_cut() {
        let greeting = [&8_u32.to_be_bytes()[..], &[0, 3, 0, 0]].concat();
        let long = vec![b'x'; 500];
        let bytes = [
            greeting,
            postgres(b'P', &long),
            postgres(b'Q', b"COMMIT\0"),
            postgres(b'Q', b"ROLLBACK\0"),
            postgres(b'D', b"COMMIT\0"),
            postgres(b'Q', b"COMMIT\0"),
        ]
        .concat();
        for piece in [1, 2, 7, 12] {
            assert_eq!(found_at(Engine::Postgres, &bytes, piece), 2, "{piece}");
        }
    }

    #[test]
    fn mariadb_commits_are_found_and_no_other_statement() {
        let bytes = [mariadb(b"\x03COMMIT"), mariadb(b"\x03BEGIN"), mariadb(b"\x16COMMIT"), mariadb(&[])].concat();
        for piece in [1, 3, 64] {
            assert_eq!(found_at(Engine::MariaDb, &bytes, piece), 1, "{piece}");
        }
    }
}
