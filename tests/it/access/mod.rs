//! Who may call what: every route of the OpenAPI document by everybody there is, against one table; and that one tenant
//! reaches nothing of another's.

pub mod dump;
mod matrix;
mod page;
mod samples;
mod table;
mod tenants;
mod world;
