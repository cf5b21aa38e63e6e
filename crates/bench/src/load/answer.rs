//! Reading answers: the head's status and length, and what the body says about events.

use anyhow::{Context, bail};
use httparse::{EMPTY_HEADER, Response, Status};

const MAX_HEADERS: usize = 32;

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// Bytes up to the body.
    pub length: usize,
    /// Bytes of the body.
    pub body: usize,
}

/// The head, once all of it has arrived. Every answer of ours says how long it is.
pub fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = Response::new(&mut headers);
    let Status::Complete(length) = response.parse(bytes).context("an answer is not HTTP")? else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let said = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let Some(said) = said else {
        if status == 204 {
            return Ok(Some(Head { status, length, body: 0 }));
        }
        bail!("an answer {status} has no Content-Length")
    };
    let body = std::str::from_utf8(said.value)?.parse().context("a Content-Length is not a number")?;
    Ok(Some(Head { status, length, body }))
}

/// What a run expects of each answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// 201: one event was recorded, for the first time.
    Recorded,
    /// 200, and so many events accepted.
    Accepted(u64),
    /// As `Accepted`, or 503 because the queue is full.
    AcceptedOrBusy(u64),
    /// 200.
    Found,
}

/// What an answer means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected, with so many events recorded.
    Fine(u64),
    Busy,
    /// The run measures something else than it should, and ends.
    Wrong,
}

impl Expected {
    pub fn judge(self, status: u16, body: &[u8]) -> Verdict {
        match (self, status) {
            (Self::Recorded, 201) => Verdict::Fine(1),
            (Self::Found, 200) => Verdict::Fine(0),
            (Self::AcceptedOrBusy(_), 503) => Verdict::Busy,
            (Self::Accepted(events) | Self::AcceptedOrBusy(events), 200) if accepted(body) == events => {
                Verdict::Fine(events)
            }
            _ => Verdict::Wrong,
        }
    }
}

fn accepted(body: &[u8]) -> u64 {
    memchr::memmem::find_iter(body, br#""status":"accepted""#).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let whole = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\nContent-Type: text/plain\r\n\r\nhello";
        let complete = Head { status: 201, length: whole.len() - 5, body: 5 };
        assert_eq!(head(whole).unwrap(), Some(complete));
        for end in 0..complete.length {
            assert_eq!(head(&whole[..end]).unwrap(), None);
        }
    }

    #[test]
    fn what_is_not_http_or_has_no_length_is_an_error() {
        assert!(head(b"220 mail.example ESMTP\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n").is_err());
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().body, 0);
    }

    #[test]
    fn only_what_was_recorded_now_counts() {
        assert_eq!(Expected::Recorded.judge(201, b""), Verdict::Fine(1));
        for status in [200, 202, 401, 402, 500, 503] {
            assert_eq!(Expected::Recorded.judge(status, b""), Verdict::Wrong);
        }
        assert_eq!(Expected::Found.judge(200, b""), Verdict::Fine(0));
        assert_eq!(Expected::Found.judge(404, b""), Verdict::Wrong);
    }

    #[test]
    fn a_batch_with_one_event_not_accepted_is_wrong() {
        let two = br#"{"results":[{"status":"accepted"},{"status":"accepted"}]}"#;
        let one = br#"{"results":[{"status":"accepted"},{"status":"duplicate"}]}"#;
        assert_eq!(Expected::Accepted(2).judge(200, two), Verdict::Fine(2));
        assert_eq!(Expected::Accepted(2).judge(200, one), Verdict::Wrong);
        assert_eq!(Expected::Accepted(2).judge(503, b""), Verdict::Wrong);
        assert_eq!(Expected::AcceptedOrBusy(2).judge(503, b""), Verdict::Busy);
    }
}
