//! The disk that databases and runs share: whether it has done what was asked of it before.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Writes that are timed for one look.
const WRITES: usize = 50;
/// Bytes of each: a page or two, as a small commit has.
const BYTES: usize = 8_192;
/// How many times the usual duration of a write is still a quiet disk.
const QUIET: f64 = 1.5;
/// How long to wait for one that never is.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// A folder on the disk, and how long a write took there that waited for it, before the runs.
pub struct Disk {
    folder: PathBuf,
    usual: Duration,
}

impl Disk {
    pub fn of(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.to_owned();
        Ok(Self { usual: typical(&folder)?, folder })
    }

    /// Waits until writes take what they took at first; the answer is for how long. A disk that has become slower for
    /// good is not waited for longer than five minutes.
    pub async fn rest(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        // Where there is no such command the writes below tell as well, later.
        let _absent = Command::new("sync").status();
        while !self.is_quiet_at(typical(&self.folder)?) && began.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(began.elapsed())
    }

    fn is_quiet_at(&self, write: Duration) -> bool {
        write <= self.usual.mul_f64(QUIET)
    }
}

/// The median duration of writes to a new file, each of which waits for the disk.
fn typical(folder: &Path) -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile_in(folder)?;
    let mut durations = [Duration::ZERO; WRITES];
    for duration in &mut durations {
        let began = Instant::now();
        file.write_all(&[1; BYTES])?;
        file.sync_data()?;
        *duration = began.elapsed();
    }
    durations.sort_unstable();
    Ok(durations[WRITES / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_quiet_again_when_writes_take_about_what_they_took_before() {
        let disk = Disk { folder: PathBuf::new(), usual: Duration::from_millis(2) };
        assert!(disk.is_quiet_at(Duration::from_millis(1)) && disk.is_quiet_at(Duration::from_millis(3)));
        assert!(!disk.is_quiet_at(Duration::from_millis(4)));
    }
}
