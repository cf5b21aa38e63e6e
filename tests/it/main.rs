//! The one binary of integration tests.

#[cfg(test)]
mod db;
#[cfg(test)]
mod http;
