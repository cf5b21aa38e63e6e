//! One thread, many tasks: whoever calls says which ready task runs next, so that a seed decides the whole order.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks by slot; a slot is a client, and has one task at a time.
#[derive(Default)]
pub struct Executor {
    slots: Vec<Option<(Task, Waker)>>,
    woken: Arc<Mutex<Vec<usize>>>,
    ready: Vec<usize>,
}

struct Bell {
    slot: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.slot);
    }
}

impl Executor {
    /// Puts a task into a slot; what was there is dropped where it stood.
    pub fn start(&mut self, slot: usize, task: Task) {
        while self.slots.len() <= slot {
            self.slots.push(None);
        }
        let waker = Waker::from(Arc::new(Bell { slot, woken: self.woken.clone() }));
        self.slots[slot] = Some((task, waker));
        self.mark(slot);
    }

    /// Drops the task of a slot where it stands.
    pub fn stop(&mut self, slot: usize) {
        if let Some(entry) = self.slots.get_mut(slot) {
            *entry = None;
        }
        self.ready.retain(|ready| *ready != slot);
    }

    pub fn is_idle(&self, slot: usize) -> bool {
        self.slots.get(slot).is_none_or(Option::is_none)
    }

    /// The slots whose task can go on, in ascending order.
    pub fn ready(&mut self) -> &[usize] {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner));
        for slot in woken {
            self.mark(slot);
        }
        &self.ready
    }

    /// Runs a task until it waits; true when it is done.
    pub fn run(&mut self, slot: usize) -> bool {
        self.ready.retain(|ready| *ready != slot);
        let Some(Some((task, waker))) = self.slots.get_mut(slot) else { return false };
        let done = task.as_mut().poll(&mut Context::from_waker(waker)) == Poll::Ready(());
        if done {
            self.slots[slot] = None;
        }
        done
    }

    fn mark(&mut self, slot: usize) {
        let alive = self.slots.get(slot).is_some_and(Option::is_some);
        if let (true, Err(place)) = (alive, self.ready.binary_search(&slot)) {
            self.ready.insert(place, slot);
        }
    }
}

/// Lets every other task go first, if the scheduler wants it so.
#[derive(Default)]
pub struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
