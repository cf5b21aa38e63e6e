//! The server: settings, routes, background loops and their wiring.

mod plans_check;
pub mod settings;

pub use plans_check::plans_check;
