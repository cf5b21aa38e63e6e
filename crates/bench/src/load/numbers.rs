//! Numbers that make each request another one: usage keys that never repeat, and random accounts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Digits of a key's changing part.
pub const KEY_DIGITS: usize = 16;
/// Digits of an account's changing part.
pub const ACCOUNT_DIGITS: usize = 12;
/// Numbers one source may give out: more than any connection sends.
const BLOCK: u64 = 1 << 32;

/// Every source takes a block of its own, so that no two connections of a process share a number.
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);

/// One connection's source.
pub struct Numbers {
    next: u64,
    accounts: u64,
}

impl Numbers {
    /// Accounts are numbered from 0 up to but not including `accounts`.
    pub fn new(accounts: u64) -> Self {
        Self { next: NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK, accounts: accounts.max(1) }
    }

    /// A number that no other call in this process returned, scattered as keys of many clients are.
    pub fn key(&mut self) -> u64 {
        self.next += 1;
        scatter(self.next)
    }

    pub fn account(&mut self) -> u64 {
        self.next += 1;
        scatter(self.next) % self.accounts
    }
}

/// The finaliser of SplitMix64: a permutation of all 64-bit numbers.
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Writes the lowest digits in lower-case hexadecimal, with leading zeros.
pub fn write_hex(number: u64, digits: &mut [u8]) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(rest & 15) as usize];
        rest >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_of_two_sources_never_meet() {
        let (mut one, mut other) = (Numbers::new(10), Numbers::new(10));
        let keys: HashSet<u64> = (0..5_000).flat_map(|_| [one.key(), other.key()]).collect();
        assert_eq!(keys.len(), 10_000);
    }

    #[test]
    fn every_account_is_drawn_about_as_often() {
        let mut numbers = Numbers::new(10);
        let mut drawn = [0_u32; 10];
        (0..10_000).for_each(|_| drawn[usize::try_from(numbers.account()).unwrap()] += 1);
        assert!(drawn.iter().all(|times| (800..1200).contains(times)), "{drawn:?}");
    }

    #[test]
    fn numbers_are_written_with_leading_zeros() {
        let mut digits = [0; 12];
        write_hex(0x1f, &mut digits);
        assert_eq!(&digits, b"00000000001f");
    }
}
