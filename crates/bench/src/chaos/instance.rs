//! A database server of the experiment's own, which it may kill: a fresh folder, a free port, the durability of defaults.

use anyhow::{Context, bail, ensure};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use suanpan_bench::database::Engine;
use suanpan_bench::process::free_address;
use tempfile::TempDir;

/// Where Debian keeps PostgreSQL's programs, by version.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// PostgreSQL does not run as root.
const POSTGRES_USER: &str = "postgres";
/// With its defaults of 96 and 128 MiB MariaDB writes pages in bursts, and its rate rises and falls while nothing is broken.
const MARIADB_ROOM: [&str; 2] = ["--innodb-log-file-size=1G", "--innodb-buffer-pool-size=1G"];
/// Recovery from a crash included.
const UP_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// A running server; it is killed and its folder removed when dropped.
pub struct Instance {
    engine: Engine,
    folder: TempDir,
    port: u16,
    /// MariaDB's process; PostgreSQL's is kept by `pg_ctl`.
    child: Option<Child>,
}

impl Instance {
    /// Makes and starts one. It blocks.
    pub fn start(engine: Engine) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut instance = Self { engine, folder, port: free_address()?.port(), child: None };
        match engine {
            Engine::Postgres => instance.make_postgres()?,
            Engine::MariaDb => instance.make_mariadb()?,
            Engine::Sqlite => bail!("SQLite has no server"),
        }
        instance.up()?;
        Ok(instance)
    }

    pub fn url(&self) -> String {
        match self.engine {
            Engine::Postgres => format!("postgres://{POSTGRES_USER}@127.0.0.1:{}", self.port),
            _ => format!("mysql://root@127.0.0.1:{}", self.port),
        }
    }

    /// Starts it and waits until it takes connections.
    pub fn up(&mut self) -> anyhow::Result<()> {
        match self.engine {
            Engine::Postgres => {
                let settings = format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, self.data().display());
                let log = self.data().join("log").display().to_string();
                self.pg_ctl(&["-w", "-t", "60", "-o", &settings, "-l", &log, "start"])?;
            }
            _ => self.child = Some(self.mariadbd()?),
        }
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            ensure!(began.elapsed() < UP_WITHIN, "{} did not start", self.engine);
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// As if the machine had lost it: no checkpoint, no goodbye.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        match &mut self.child {
            Some(child) => {
                child.kill()?;
                child.wait()?;
                Ok(())
            }
            None => self.pg_ctl(&["-m", "immediate", "stop"]),
        }
    }

    /// As an operator stops it.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        match &mut self.child {
            Some(child) => {
                run(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
                child.wait()?;
                Ok(())
            }
            None => self.pg_ctl(&["-m", "fast", "stop"]),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn make_postgres(&self) -> anyhow::Result<()> {
        if is_root() {
            run(Command::new("chown").arg(POSTGRES_USER).arg(self.folder.path()))?;
        }
        let data = self.data().display().to_string();
        run(as_postgres("initdb")
            .args(["-A", "trust", "-U", POSTGRES_USER, "-E", "UTF8", "--locale", "C.UTF-8"])
            .arg(data))
    }

    fn make_mariadb(&self) -> anyhow::Result<()> {
        let mut make = Command::new("mariadb-install-db");
        make.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(make.args(as_self()).arg(format!("--datadir={}", self.data().display())))
    }

    fn mariadbd(&self) -> anyhow::Result<Child> {
        let on_path = Path::new("/usr/sbin/mariadbd");
        let mut command = Command::new(if on_path.is_file() { on_path } else { Path::new("mariadbd") });
        command.arg("--no-defaults").args(as_self()).args(MARIADB_ROOM);
        command.arg(format!("--datadir={}", self.data().display()));
        command.arg(format!("--socket={}", self.folder.path().join("socket").display()));
        command.args(["--bind-address=127.0.0.1", &format!("--port={}", self.port)]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("cannot start mariadbd")
    }

    fn pg_ctl(&self, words: &[&str]) -> anyhow::Result<()> {
        run(as_postgres("pg_ctl").arg("-D").arg(self.data()).args(words))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Fails when it is down, which is what is wanted.
        let _down = self.crash();
    }
}

/// One of PostgreSQL's programs, run by a user who may.
fn as_postgres(program: &str) -> Command {
    let versions = std::fs::read_dir(POSTGRES_VERSIONS).into_iter().flatten().flatten();
    let newest = versions.max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let program = newest.map_or_else(|| PathBuf::from(program), |entry| entry.path().join("bin").join(program));
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", POSTGRES_USER, "--"]).arg(program);
    command
}

/// MariaDB runs as root when it is told to.
fn as_self() -> Option<&'static str> {
    is_root().then_some("--user=root")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Without a word unless it fails. A server that goes on holds none of our pipes, so nothing is read from it.
fn run(command: &mut Command) -> anyhow::Result<()> {
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
