//! One connection's life: wait until the next request is due, send it, read the answer, note it.

use super::answer::{Head, Verdict, head};
use super::numbers::Numbers;
use super::{Load, Outcome};
use crate::figures::float;
use anyhow::{Context, bail};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for an answer before it is known how long it is.
const ANSWER_BYTES: usize = 16 * 1024;
/// How long a connection leaves a server alone that said it is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How much of a wrong answer is shown.
const SHOWN_BYTES: usize = 400;

/// What the connections of a run share.
struct Shared {
    outcome: RefCell<Outcome>,
    started: Instant,
    measured_from: Instant,
    deadline: Instant,
    rate: Option<f64>,
    next_slot: Cell<u64>,
    stopped: Cell<bool>,
}

/// Runs every connection until the time is over and each has its last answer.
pub(super) async fn run_all(load: &Load) -> anyhow::Result<Outcome> {
    let mut streams = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        let stream = TcpStream::connect(load.address).await.context("cannot connect to the server")?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let shared = Rc::new(Shared {
        outcome: RefCell::new(Outcome::new(load.duration)?),
        started,
        measured_from: started + load.warm_up,
        deadline: started + load.warm_up + load.duration,
        rate: load.rate,
        next_slot: Cell::new(0),
        stopped: Cell::new(false),
    });
    let start = |stream| tokio::task::spawn_local(converse(stream, load.clone(), shared.clone()));
    let tasks: Vec<_> = streams.into_iter().map(start).collect();
    for task in tasks {
        task.await??;
    }
    let shared = Rc::into_inner(shared).context("a connection is still open")?;
    Ok(shared.outcome.into_inner())
}

async fn converse(mut stream: TcpStream, mut load: Load, shared: Rc<Shared>) -> anyhow::Result<()> {
    let mut numbers = Numbers::new(load.accounts);
    let mut buffer = Vec::with_capacity(ANSWER_BYTES);
    while let Some(due) = shared.next_due().await {
        stream.write_all(load.template.next(&mut numbers)).await?;
        let head = read(&mut stream, &mut buffer).await?;
        let body = &buffer[head.length..];
        if shared.note(&load, due, head.status, body) == Verdict::Busy {
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Head> {
    buffer.clear();
    let mut known = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed a connection");
        }
        if known.is_none() {
            known = head(buffer)?;
        }
        match known {
            Some(head) if buffer.len() >= head.length + head.body => return Ok(head),
            _ => {}
        }
    }
}

impl Shared {
    /// When the next request should leave; `None` when the run is over.
    ///
    /// At a fixed rate whichever connection is free takes the next slot, and a late one is counted from its slot: a
    /// slow answer must not hide that others had to wait.
    async fn next_due(&self) -> Option<Instant> {
        let Some(rate) = self.rate else {
            let now = Instant::now();
            return (!self.stopped.get() && now < self.deadline).then_some(now);
        };
        let slot = self.next_slot.get();
        self.next_slot.set(slot + 1);
        let due = self.started + Duration::from_secs_f64(float(slot) / rate);
        if self.stopped.get() || due >= self.deadline {
            return None;
        }
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        Some(due)
    }

    /// At a fixed rate every slot of the measured time counts, however late its answer; else every answer in it.
    fn is_measured(&self, due: Instant, now: Instant) -> bool {
        match self.rate {
            Some(_) => due >= self.measured_from,
            None => now >= self.measured_from && now <= self.deadline,
        }
    }

    fn note(&self, load: &Load, due: Instant, status: u16, body: &[u8]) -> Verdict {
        let now = Instant::now();
        let verdict = load.expected.judge(status, body);
        let outcome = &mut *self.outcome.borrow_mut();
        *outcome.statuses.entry(status).or_default() += 1;
        match verdict {
            Verdict::Fine(events) => {
                outcome.recorded += events;
                if self.is_measured(due, now) {
                    outcome.answers += 1;
                    outcome.events += events;
                    let micros = now.duration_since(due).as_micros();
                    outcome.latency.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
                }
            }
            Verdict::Busy => {}
            Verdict::Wrong => {
                let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).into_owned();
                outcome.wrong.get_or_insert(format!("{status} {shown}"));
                self.stopped.set(true);
            }
        }
        verdict
    }
}
