//! From the catalogue's text to a statement: marks become bound values.
//!
//! `{in c.account_id}` bounds a column to the chunk's accounts, `{gauges}` lists the meters that are levels,
//! `{a minute ago}` is a time, `{long after a: b}` asks whether `b` is more than five seconds after `a`, `{hex a}`
//! writes an id as its digits, and `{id of a}` reads the id at the end of a reference such as `pay_…`.

use crate::db::columns::hex;
use crate::db::entity::option;
use crate::db::error::store_error;
use chrono::{DateTime, TimeDelta, Utc};
use domain::store::{StoreError, StoreResult};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder, QuerySelect, Statement, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What is due may be so late.
const GRACE: TimeDelta = TimeDelta::seconds(60);

const LONG_AFTER: &str = "long after ";
const HEX: &str = "hex ";
const ID_OF: &str = "id of ";

/// Accounts after the first id, up to and with the second.
pub(super) type Chunk = (Uuid, Uuid);

/// Chunks that together hold every id there can be, so that rows of accounts that do not exist are seen too.
pub(super) struct Bounds {
    chunks: Vec<Chunk>,
}

impl Bounds {
    pub const EVERYTHING: Chunk = (Uuid::nil(), Uuid::max());

    pub async fn read<C: ConnectionTrait>(connection: &C, size: u64) -> StoreResult<Self> {
        use crate::db::entity::account::{Column, Entity};
        use sea_orm::{ColumnTrait, QueryFilter};
        let mut chunks = Vec::new();
        let mut after = Uuid::nil();
        loop {
            let query = Entity::find().select_only().column(Column::Id).filter(Column::Id.gt(after));
            let last = query.order_by_asc(Column::Id).offset(size - 1).limit(1).into_tuple::<Uuid>();
            let Some(last) = last.one(connection).await.map_err(store_error)? else { break };
            chunks.push((after, last));
            after = last;
        }
        chunks.push((after, Uuid::max()));
        Ok(Self { chunks })
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }
}

/// What the rules need to know beside the rows.
pub(super) struct Facts {
    gauges: Vec<String>,
    now: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Agreement {
    meters: BTreeMap<String, AgreedMeter>,
}

#[derive(Deserialize)]
struct AgreedMeter {
    kind: String,
}

impl Facts {
    /// Which meters are gauges is written where the server keeps what it agreed on at its first start.
    pub async fn read<C: ConnectionTrait>(connection: &C, now: Option<DateTime<Utc>>) -> StoreResult<Self> {
        let row = option::Entity::find_by_id("agreement").one(connection).await.map_err(store_error)?;
        let Some(row) = row else { return Ok(Self { gauges: Vec::new(), now }) };
        let unreadable = StoreError::Corrupt { table: "options", column: "value" };
        let agreement: Agreement = serde_json::from_str(&row.value).map_err(|_| unreadable)?;
        let gauges = agreement.meters.into_iter().filter(|(_, meter)| meter.kind == "gauge");
        Ok(Self { gauges: gauges.map(|(code, _)| code).collect(), now })
    }
}

/// The statement of a rule for a chunk.
pub(super) fn render(backend: DbBackend, sql: &str, chunk: Chunk, facts: &Facts) -> Statement {
    let mut text = String::with_capacity(sql.len() * 2);
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        if backend == DbBackend::Postgres { format!("${}", values.len()) } else { "?".to_owned() }
    };
    let mut rest = sql;
    while let Some((before, mark, after)) = next_mark(rest) {
        text.push_str(before);
        match mark {
            "gauges" if facts.gauges.is_empty() => text.push_str("''"),
            "gauges" => {
                let marks: Vec<_> = facts.gauges.iter().map(|code| bind(code.clone().into())).collect();
                text.push_str(&marks.join(", "));
            }
            "a minute ago" => {
                let due = facts.now.unwrap_or(DateTime::UNIX_EPOCH) - GRACE;
                text.push_str(&bind(due.into()));
            }
            mark if mark.starts_with(LONG_AFTER) => {
                let (before, after) = mark[LONG_AFTER.len()..].split_once(": ").unwrap_or_default();
                text.push_str(&long_after(backend, before, after));
            }
            mark if mark.starts_with(HEX) => text.push_str(&hex(backend, &mark[HEX.len()..])),
            mark if mark.starts_with(ID_OF) => text.push_str(&id_of(backend, &mark[ID_OF.len()..])),
            mark => {
                let column = mark.trim_start_matches("in ");
                let (after, last) = (bind(chunk.0.into()), bind(chunk.1.into()));
                text.push_str(&[column, " > ", &after, " AND ", column, " <= ", &last].concat());
            }
        }
        rest = after;
    }
    text.push_str(rest);
    Statement::from_sql_and_values(backend, text, values)
}

/// A removal notes the time at which it was asked for, and holds from its commit on.
fn long_after(backend: DbBackend, before: &str, after: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("{after} > {before} + INTERVAL '5 seconds'"),
        DbBackend::MySql => format!("{after} > {before} + INTERVAL 5 SECOND"),
        _ => format!("julianday({after}) > julianday({before}) + 5.0 / 86400"),
    }
}

/// The id that a reference ends with, after a prefix of three letters; NULL where it is something else.
fn id_of(backend: DbBackend, reference: &str) -> String {
    match backend {
        DbBackend::Postgres => format!(
            "CASE WHEN {reference} ~ '^[a-z]{{3}}_[0-9a-f]{{32}}$' THEN CAST(SUBSTR({reference}, 5) AS UUID) END"
        ),
        _ => format!("UNHEX(SUBSTR({reference}, 5))"),
    }
}

fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (mark, after) = rest.split_once('}')?;
    Some((before, mark, after))
}
