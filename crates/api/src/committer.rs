//! Group commit: requests wait in memory while a commit runs, and the next one takes them all.
//!
//! A caller is answered only after its commit. The commands that wait are bounded: past that the answer is 503
//! at once. A batch that fails is split, so that one poisonous command fails alone; when the database is away
//! every caller hears so at once.

use crate::metrics::{BATCH, COMMIT, QUEUE};
use domain::error::{Error, Result};
use domain::metering::{Command, Consume, Decided, MeteringService, Outcome, receipts};
use domain::store::StoreError;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How much waits, and how much of it one commit takes.
#[derive(Clone, Copy, Debug)]
pub struct CommitBounds {
    /// Most commands that wait or are being committed.
    pub queue: usize,
    /// A commit with so many commands takes no further caller; 1 commits every caller alone.
    pub batch: usize,
}

/// One caller's commands, their places in the queue, and where its outcomes go.
struct Waiting {
    commands: Vec<Command>,
    answer: oneshot::Sender<Result<Vec<Decided>>>,
    _places: OwnedSemaphorePermit,
}

/// The queues before the commits; accounts are spread over them, so that one account's commands meet in one.
pub struct Committer {
    queues: Vec<UnboundedSender<Waiting>>,
    /// One place for each command that waits or is being committed: what bounds the queues.
    places: Arc<Semaphore>,
    capacity: usize,
}

impl Committer {
    /// Starts `shards` committers, which share the bound of the queue.
    pub fn start(metering: &Arc<MeteringService>, shards: usize, bounds: CommitBounds, runtime: &Handle) -> Self {
        let start = |_| {
            let (sender, receiver) = unbounded_channel();
            runtime.spawn(commit_all(metering.clone(), receiver, bounds.batch));
            sender
        };
        let capacity = bounds.queue.clamp(1, Semaphore::MAX_PERMITS);
        Self { queues: (0..shards.max(1)).map(start).collect(), places: Arc::new(Semaphore::new(capacity)), capacity }
    }

    /// [`Self::book`] for uses only.
    pub async fn consume(&self, commands: Vec<Consume>) -> Result<Vec<Outcome>> {
        Ok(receipts(self.book(commands.into_iter().map(Command::Consume).collect()).await?))
    }

    /// Books the commands together with whatever else waits; outcomes come in their order.
    pub async fn book(&self, commands: Vec<Command>) -> Result<Vec<Decided>> {
        let Some(first) = commands.first() else { return Ok(Vec::new()) };
        let mut hasher = DefaultHasher::new();
        first.account().hash(&mut hasher);
        let shard = usize::try_from(hasher.finish() % self.queues.len() as u64).unwrap_or_default();
        // A batch larger than the whole queue takes all of it rather than never getting in.
        let wanted = u32::try_from(commands.len().min(self.capacity)).unwrap_or(u32::MAX);
        let places = self.places.clone().try_acquire_many_owned(wanted).map_err(|_| Error::Unavailable)?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { commands, answer, _places: places };
        self.queues[shard].send(waiting).map_err(|_| Error::Unavailable)?;
        answered.await.unwrap_or(Err(Error::Unavailable))
    }
}

async fn commit_all(metering: Arc<MeteringService>, mut queue: UnboundedReceiver<Waiting>, most: usize) {
    while let Some(first) = queue.recv().await {
        let mut batch = vec![first];
        let mut size = batch[0].commands.len();
        while size < most {
            let Ok(next) = queue.try_recv() else { break };
            size += next.commands.len();
            batch.push(next);
        }
        metrics::gauge!(QUEUE).set(f64::from(u32::try_from(queue.len()).unwrap_or(u32::MAX)));
        metrics::histogram!(BATCH).record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        let started = Instant::now();
        let metering = metering.clone();
        // In a task of its own: a panic fails its callers, and the queue goes on.
        if let Err(error) = tokio::spawn(async move { commit(&metering, batch).await }).await {
            tracing::error!(%error, "a commit panicked");
        }
        metrics::histogram!(COMMIT).record(started.elapsed().as_secs_f64());
    }
}

async fn commit(metering: &MeteringService, mut batch: Vec<Waiting>) {
    let sizes: Vec<usize> = batch.iter().map(|waiting| waiting.commands.len()).collect();
    let commands: Vec<Command> = batch.iter_mut().flat_map(|waiting| std::mem::take(&mut waiting.commands)).collect();
    match metering.book(&commands).await {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            for (waiting, size) in batch.into_iter().zip(sizes) {
                let own = outcomes.by_ref().take(size).collect();
                // A caller that went away has left its outcome in the database.
                let _gone = waiting.answer.send(Ok(own));
            }
        }
        Err(error @ Error::Store(StoreError::Unavailable(_) | StoreError::Contended)) => {
            tracing::warn!(error = ?error, callers = batch.len(), "nothing can be committed now");
            for waiting in batch {
                let _gone = waiting.answer.send(Err(Error::Unavailable));
            }
        }
        Err(error) => one_by_one(metering, batch, (&commands, &sizes), error).await,
    }
}

/// Nothing of the batch was booked. The callers are tried alone, so that only the one at fault hears of it.
async fn one_by_one(
    metering: &MeteringService,
    mut batch: Vec<Waiting>,
    (commands, sizes): (&[Command], &[usize]),
    error: Error,
) {
    if batch.len() == 1
        && let Some(only) = batch.pop()
    {
        let _gone = only.answer.send(Err(error));
        return;
    }
    tracing::warn!(error = ?error, callers = batch.len(), "a commit failed; its callers are tried one by one");
    let mut rest = commands;
    for (waiting, size) in batch.into_iter().zip(sizes) {
        let (own, after) = rest.split_at(*size);
        rest = after;
        let _gone = waiting.answer.send(metering.book(own).await);
    }
}
