//! Inputs: the corpus of a target, and what bytes of it become when they are cut, doubled, swapped and joined.
#![expect(clippy::disallowed_methods, reason = "a run by the clock is asked for in the environment")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What readers stumble over.
const DICTIONARY: [&[u8]; 32] = [
    b"\0",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"+1",
    b"1e3",
    b"0x10",
    b"00",
    b".5",
    b"5.",
    b"9223372036854775807",
    b"9223372036854775808",
    b"99999999999999999999999",
    b"0.0000000001",
    b"-0",
    b"NaN",
    b"null",
    b"true",
    b"'",
    b"\r\n",
    b"=cmd",
    b"\xff\xfe",
    "９".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
];
/// Longer inputs are another test's business.
const LONGEST: usize = 64 * 1024;

/// A source of inputs that ends.
pub struct Inputs {
    target: &'static str,
    corpus: Vec<Vec<u8>>,
    random: u64,
    seed: u64,
    given: usize,
    most: usize,
    until: Option<Instant>,
}

impl Inputs {
    /// The committed corpus of a target; `most` inputs, or as many as fit into the time that was asked for.
    pub fn of(target: &'static str, most: usize) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fuzz").join(target);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        Self::over(target, files.iter().map(|file| fs::read(file).unwrap()).collect(), most)
    }

    pub fn over(target: &'static str, corpus: Vec<Vec<u8>>, most: usize) -> Self {
        assert!(!corpus.is_empty(), "{target} has a corpus");
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let seed = number("SUANPAN_FUZZ_SEED").unwrap_or(20_261_126);
        let until = number("SUANPAN_FUZZ_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
        Self { target, corpus, random: seed, seed, given: 0, most, until }
    }

    /// SplitMix64.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_random() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn is_over(&self) -> bool {
        self.until.map_or(self.given >= self.most, |until| Instant::now() >= until)
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.below(16)).min(input.len());
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 => {
                let word = DICTIONARY[self.below(DICTIONARY.len())];
                input.splice(at..at, word.iter().copied());
            }
            2 if at < end => drop(input.drain(at..end)),
            3 if at < end => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            4 => input.truncate(at),
            5 => {
                let other = self.below(self.corpus.len());
                let from = self.below(self.corpus[other].len() + 1);
                let tail = self.corpus[other][from..].to_vec();
                input.truncate(at);
                input.extend(tail);
            }
            6 if at < end => {
                let word = DICTIONARY[self.below(DICTIONARY.len())];
                input.splice(at..end, word.iter().copied());
            }
            _ if at < input.len() => {
                input[at] = input[at].wrapping_add(u8::try_from(self.below(3)).unwrap());
            }
            _ => {}
        }
        input.truncate(LONGEST);
    }
}

impl Iterator for Inputs {
    type Item = Vec<u8>;

    /// First the corpus as it is, then what becomes of it.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.is_over() {
            println!("fuzz {}: {} inputs, seed {}", self.target, self.given, self.seed);
            return None;
        }
        let (given, of) = (self.given, self.corpus.len());
        self.given += 1;
        if given < of {
            return Some(self.corpus[given].clone());
        }
        let chosen = self.below(of);
        let mut input = self.corpus[chosen].clone();
        for _ in 0..=self.below(4) {
            self.mutate(&mut input);
        }
        Some(input)
    }
}
