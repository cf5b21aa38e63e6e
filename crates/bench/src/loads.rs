//! The loads of the scenarios: which request, over how many connections.

use crate::arguments::Course;
use crate::database::rows::ID_PREFIX;
use crate::load::Load;
use crate::load::answer::Expected;
use crate::load::request::{ACCOUNT, KEY, Template};
use crate::stage::Stage;

/// Connections of the consume scenarios.
pub const CONNECTIONS: usize = 128;
/// Events of one call in the batch scenario, and its connections: as many events wait as fit well into the queue.
pub const BATCH_EVENTS: u64 = 100;
pub const BATCH_CONNECTIONS: usize = 16;
/// With so many events in each of so many calls, more wait than the queue of 10,000 takes.
pub const FULL_EVENTS: u64 = 20;
pub const FULL_CONNECTIONS: usize = 512;

/// From whom the load consumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// One account, by a key of its own.
    Hot,
    /// A random account each time, by a service key.
    Spread,
}

impl Whom {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Spread => "spread",
        }
    }

    fn event(self) -> String {
        let event = format!(r#""meter":"words","quantity":1,"key":"bench-{KEY}""#);
        match self {
            Self::Hot => format!("{{{event}}}"),
            Self::Spread => format!(r#"{{{event},"account":"acc_{ID_PREFIX}{ACCOUNT}"}}"#),
        }
    }

    fn key(self, stage: &Stage) -> &str {
        match self {
            Self::Hot => &stage.keys.hot,
            Self::Spread => &stage.keys.service,
        }
    }
}

impl Stage {
    /// One event a call.
    pub fn single(&self, whom: Whom, course: Course) -> anyhow::Result<Load> {
        let template = Template::post("/api/v1/usage", whom.key(self), &whom.event());
        self.load(template, CONNECTIONS, Expected::Recorded, course)
    }

    /// Single events that arrive so many a second, however fast they are answered.
    pub fn paced(&self, whom: Whom, rate: f64, course: Course) -> anyhow::Result<Load> {
        Ok(Load { rate: Some(rate), ..self.single(whom, course)? })
    }

    pub fn batch(&self, course: Course) -> anyhow::Result<Load> {
        self.batches(Whom::Hot, BATCH_CONNECTIONS, Expected::Accepted(BATCH_EVENTS), course)
    }

    /// More than the queue takes.
    pub fn full(&self, course: Course) -> anyhow::Result<Load> {
        self.batches(Whom::Spread, FULL_CONNECTIONS, Expected::AcceptedOrBusy(FULL_EVENTS), course)
    }

    /// Reads under a key that is known already.
    pub fn read(&self, path: &str, connections: usize, course: Course) -> anyhow::Result<Load> {
        self.load(Template::get(path, &self.keys.hot), connections, Expected::Found, course)
    }

    fn batches(&self, whom: Whom, connections: usize, expected: Expected, course: Course) -> anyhow::Result<Load> {
        let (Expected::Accepted(events) | Expected::AcceptedOrBusy(events)) = expected else {
            anyhow::bail!("a batch is answered with its events")
        };
        let events = (0..events).map(|_| whom.event()).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"events":[{events}]}}"#);
        let template = Template::post("/api/v1/usage/batch", whom.key(self), &body);
        self.load(template, connections, expected, course)
    }

    fn load(&self, template: Template, connections: usize, expected: Expected, course: Course) -> anyhow::Result<Load> {
        Ok(Load {
            address: self.server()?.address,
            connections,
            warm_up: course.warm_up,
            duration: course.duration,
            template,
            expected,
            accounts: self.accounts,
            rate: None,
        })
    }
}
