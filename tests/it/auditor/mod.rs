//! `suanpan audit`: finds everything that is wrong, and nothing where nothing is.

mod load;
pub mod market;
mod seeded;
mod seeds;
mod seeds_of_money;
mod world;
