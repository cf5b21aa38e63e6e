//! `suanpan audit`: finds everything that is wrong, and nothing where nothing is.

mod load;
mod seeded;
mod seeds;
mod world;
