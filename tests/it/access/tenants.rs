//! Two tenants: whoever asks with ids of the other's finds nothing, learns nothing and changes nothing.

use super::dump;
use super::samples::{Route, routes};
use super::table::{self, CALLERS};
use super::world::{CARDS, Ids, SETTINGS, World};
use harness::app::{Answer, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Objects of the server, which every tenant may name.
const SHARED: [&str; 2] = ["{provider}", "manual"];
/// Who was sent back from a payment has no session yet, and hears how it stands: the id is the secret.
const OPEN: [&str; 1] = ["GET /payments/{payment}/return"];

/// The ids of nobody: as the real ones, with other digits.
fn made_up(ids: &Ids) -> Ids {
    let other = |id: &String| match id.split_once('_') {
        Some((prefix, rest)) if rest.len() == 32 => format!("{prefix}_{}", Uuid::now_v7().simple()),
        _ => id.clone(),
    };
    ids.iter().map(|(name, id)| (*name, other(id))).collect()
}

/// Whether a route can name something of a tenant's.
fn is_of_tenant(route: &Route) -> bool {
    let names_object = route.parameters().iter().any(|name| !SHARED.contains(name));
    (names_object || route.names_account()) && !OPEN.contains(&route.name.as_str())
}

/// What the answer must be: operators' routes are nobody else's, and some are not for keys, whatever they name.
fn expected(route: &Route, by_key: bool) -> u16 {
    let cells = &table::read()[&route.name];
    let cell = |caller: &str| cells[CALLERS.iter().position(|known| *known == caller).unwrap()].as_str();
    let is_shut = if by_key { ["key:read", "key:write"].map(cell) == ["403"; 2] } else { cell("owner") == "403" };
    if is_shut { 403 } else { 404 }
}

/// Of a batch, as its first event.
fn status(answer: &Answer) -> u64 {
    let first = answer.body.pointer("/results/0/problem/status").and_then(Value::as_u64);
    first.unwrap_or_else(|| u64::from(answer.status))
}

/// What was said, without the number of the request.
fn said(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    let of_first = body.pointer_mut("/results/0/problem").map(Value::take);
    let problem = of_first.unwrap_or(body);
    match problem {
        Value::Object(fields) => fields.into_iter().filter(|(name, _)| name != "request_id").collect(),
        other => other,
    }
}

struct Tenants {
    app: TestApp,
    a: World,
    b: World,
    plain: sea_orm::DatabaseConnection,
}

impl Tenants {
    async fn new(url: &str) -> Self {
        let app = TestApp::with(url, &SETTINGS).await;
        let (a, b) = (World::new(&app, CARDS[0]).await, World::new(&app, CARDS[1]).await);
        Self { app, a, b, plain: sea_orm::Database::connect(url).await.unwrap() }
    }

    /// The ways to name something of A's: everything; A's object in B's; and A's in the path or in the rest only.
    fn ways(&self, route: &Route, theirs: &Ids) -> Vec<(String, Option<String>)> {
        let own = &self.b.ids;
        let mut ways = vec![route.filled(&[], theirs)];
        match route.parameters().len() {
            1 if route.names_more() => {
                ways.push(route.filled(&[theirs], own));
                ways.push(route.filled(&[own], theirs));
            }
            0 | 1 => {}
            _ => ways.push(route.filled(&[own, theirs], theirs)),
        }
        ways
    }

    async fn try_all(&self, route: &Route, wrong: &mut Vec<String>) {
        let nobody = made_up(&self.a.ids);
        for (by_key, token) in [(false, &self.b.owner.token), (true, &self.b.keys["owner's key"])] {
            let (real, unreal) = (self.ways(route, &self.a.ids), self.ways(route, &nobody));
            for ((path, body), (unreal_path, unreal_body)) in real.into_iter().zip(unreal) {
                let answer = route.call(self.app.by(token), &path, body.as_deref()).await;
                let unreal = route.call(self.app.by(token), &unreal_path, unreal_body.as_deref()).await;
                let expected = expected(route, by_key);
                if status(&answer) != u64::from(expected) {
                    wrong.push(format!("{} {path} (key: {by_key}): {} {}", route.method, answer.status, answer.body));
                } else if said(&answer) != said(&unreal) {
                    wrong
                        .push(format!("{} {path} is told from nothing: {} {}", route.method, answer.body, unreal.body));
                }
            }
        }
    }

    /// Lines that came or went, and name anything of A's.
    fn touched(&self, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
        let names: Vec<String> = self.a.ids.values().filter_map(|id| Some(id.split_once('_')?.1.to_owned())).collect();
        let names_a = |line: &&String| names.iter().any(|name| name.len() == 32 && line.contains(name.as_str()));
        before.symmetric_difference(after).filter(names_a).cloned().collect()
    }
}

async fn one_tenant_reaches_nothing_of_anothers(fresh: &Fresh) {
    let tenants = Tenants::new(&fresh.url).await;
    let before = dump::rows(&tenants.plain).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for route in routes(&tenants.app).await.iter().filter(|route| is_of_tenant(route)) {
        tenants.try_all(route, &mut wrong).await;
        tried += 1;
    }
    assert!(wrong.is_empty(), "{} of {tried} routes:\n{}", wrong.len(), wrong.join("\n"));
    let after = dump::rows(&tenants.plain).await;
    let touched = tenants.touched(&before, &after);
    assert!(touched.is_empty(), "{touched:#?}");
    // The same look sees what A's owner does.
    let path = format!("/teams/{}", tenants.a.ids["teams"]);
    let rename = serde_json::json!({"name": "Renamed"});
    tenants.app.by(&tenants.a.owner.token).patch(&path, &rename).await.expect(200);
    assert!(!tenants.touched(&after, &dump::rows(&tenants.plain).await).is_empty());
}
db_test!(two_tenants, one_tenant_reaches_nothing_of_anothers);
