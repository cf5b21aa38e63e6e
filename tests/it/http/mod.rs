//! The API over HTTP, on SQLite.

mod identity;
