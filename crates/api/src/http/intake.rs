//! The bytes of bodies: each within a size and a time, and all that are being read within one store of memory, so that
//! neither a slow client nor many of them hold what others need.

use super::problem::{ApiError, ApiResult};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::rt::time;
use actix_web::web::BytesMut;
use domain::error::Error;
use futures_util::StreamExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a body may hold without asking, so that ordinary calls go on while others flood.
const OWN_BYTES: usize = 8 << 10;
/// What a body makes its connection hold besides: a buffer as long as what came of it at once, which the socket bounds.
const CONNECTION_BYTES: usize = 64 << 10;
/// What all bodies may hold together beyond that.
const SHARED_BYTES: usize = 48 << 20;

/// How bodies are read; one for the whole server.
pub struct Intake {
    /// Most bytes of a body, unless its route takes fewer.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub within: Duration,
    held: AtomicUsize,
}

/// What one body holds of the shared memory, until it is dropped.
struct Share<'a> {
    of: &'a Intake,
    bytes: usize,
}

impl Intake {
    pub fn new(body_bytes: usize, within: Duration) -> Self {
        Self { body_bytes, within, held: AtomicUsize::new(0) }
    }

    /// Reads a body to its end, at most `most` bytes of it.
    pub async fn read(&self, payload: Payload, most: usize) -> ApiResult<BytesMut> {
        let late = |_| {
            let detail = format!("The body did not arrive within {} seconds.", self.within.as_secs());
            ApiError::plain(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
        };
        time::timeout(self.within, self.collect(payload, most)).await.map_err(late)?
    }

    /// Room is made for what has come, never for what is announced: memory that was used before is there at once, so that
    /// an announcement alone would hold as much as a body.
    async fn collect(&self, mut payload: Payload, most: usize) -> ApiResult<BytesMut> {
        let mut bytes = BytesMut::new();
        let mut share = Share { of: self, bytes: 0 };
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| ApiError::malformed("The body could not be read."))?;
            let come = bytes.len() + chunk.len();
            if come > most {
                let detail = format!("The body has more than {most} bytes.");
                return Err(ApiError::plain(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
            }
            bytes.reserve(chunk.len());
            share.grow_to((bytes.capacity() + come.min(CONNECTION_BYTES)).saturating_sub(OWN_BYTES))?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

impl Share<'_> {
    fn grow_to(&mut self, bytes: usize) -> ApiResult<()> {
        let more = bytes.saturating_sub(self.bytes);
        let before = self.of.held.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        if before + more > SHARED_BYTES { Err(Error::Unavailable.into()) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.of.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake() -> Intake {
        Intake::new(1 << 20, Duration::from_secs(1))
    }

    #[test]
    fn all_bodies_share_one_store_and_give_back_what_they_took() {
        let intake = intake();
        let mut large = Share { of: &intake, bytes: 0 };
        assert!(large.grow_to(SHARED_BYTES - 1).is_ok());
        let mut other = Share { of: &intake, bytes: 0 };
        assert!(other.grow_to(1).is_ok() && other.grow_to(2).is_err());
        drop(other);
        assert!(large.grow_to(SHARED_BYTES).is_ok());
        drop(large);
        assert_eq!(intake.held.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn a_body_that_stops_arriving_is_too_slow() {
        let payload = Payload::Stream { payload: futures_util::stream::pending().boxed_local() };
        let intake = Intake::new(10, Duration::from_millis(10));
        let problem = intake.read(payload, 10).await.unwrap_err().problem();
        assert_eq!((problem.0, problem.1.code), (StatusCode::REQUEST_TIMEOUT, "too_slow"));
    }
}
