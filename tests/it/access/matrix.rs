//! Calls every route as everybody, and compares with the table.

use super::samples::{Route, class, routes};
use super::table::{self, CALLERS, PROOF};
use super::world::{CARDS, SETTINGS, World, id_of};
use harness::app::TestApp;
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A server whose database is as it was before the last call that changed something.
struct Theatre {
    folder: tempfile::TempDir,
    snapshot: PathBuf,
    copies: usize,
    operator: String,
    world: World,
    /// `None` is nobody's.
    tokens: BTreeMap<&'static str, Option<String>>,
}

impl Theatre {
    async fn new() -> Self {
        let fresh = harness::databases::sqlite().await;
        let app = TestApp::with(&fresh.url, &SETTINGS).await;
        let world = World::new(&app, CARDS[0]).await;
        let tokens = tokens(&app, &world).await;
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("snapshot.db");
        let plain = sea_orm::Database::connect(&fresh.url).await.unwrap();
        plain.execute_unprepared(&format!("VACUUM INTO '{}'", snapshot.display())).await.unwrap();
        Self { folder, snapshot, copies: 0, operator: app.operator.clone(), world, tokens }
    }

    async fn app(&mut self) -> TestApp {
        self.copies += 1;
        let copy = self.folder.path().join(format!("{}.db", self.copies));
        std::fs::copy(&self.snapshot, &copy).unwrap();
        let mut app = TestApp::start(&format!("sqlite://{}", copy.display()), &SETTINGS).await;
        app.operator.clone_from(&self.operator);
        app
    }

    async fn cells(&mut self, app: &mut TestApp, route: &Route) -> Vec<String> {
        let (path, body) = route.filled(&[], &self.world.ids);
        let mut cells = Vec::new();
        for caller in CALLERS {
            let token = self.tokens[caller].clone();
            let by = token.map_or_else(|| app.anonymous(), |token| app.by(&token));
            let answer = route.call(by, &path, body.as_deref()).await;
            assert!(
                answer.status < 500 || answer.code() == "not_available",
                "{} by {caller}: {} {}",
                route.name,
                answer.status,
                answer.body
            );
            cells.push(class(&answer));
            if answer.status < 400 && route.method != "GET" {
                *app = self.app().await;
            }
        }
        cells
    }
}

async fn tokens(app: &TestApp, world: &World) -> BTreeMap<&'static str, Option<String>> {
    let (stranger, operator) = (app.user(None).await, app.user(None).await);
    let path = format!("/admin/users/{}", id_of(&operator));
    app.by(&app.operator).patch(&path, &json!({"role": "admin"})).await.expect(200);
    let mut tokens = BTreeMap::from([
        ("nobody", None),
        ("stranger", Some(stranger.token)),
        ("member", Some(world.member.token.clone())),
        ("admin", Some(world.admin.token.clone())),
        ("owner", Some(world.owner.token.clone())),
        ("root", Some(app.operator.clone())),
    ]);
    for name in ["member's key", "key:read", "key:write"] {
        tokens.insert(name, Some(world.keys[name].clone()));
    }
    for (name, scope) in [("key:service", "service"), ("key:admin", "admin")] {
        let wish = json!({"name": scope, "scopes": [scope]});
        let made = app.by(&operator.token).post("/api-keys", &wish).await.expect(201);
        tokens.insert(name, Some(made.text("/key")));
    }
    tokens.insert("operator", Some(operator.token));
    tokens
}

/// The cells as the table would say them: refused to all alike may be for want of a proof.
fn matches(said: &[String], seen: &[String]) -> bool {
    if said.iter().all(|cell| cell == PROOF) {
        return seen.iter().all(|cell| cell != "in" && *cell == seen[0]);
    }
    said == seen
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says() {
    let mut theatre = Theatre::new().await;
    let mut app = theatre.app().await;
    let mut table = table::read();
    let mut wrong = Vec::new();
    for route in routes(&app).await {
        let seen = theatre.cells(&mut app, &route).await;
        let said = table.remove(&route.name);
        if !said.as_ref().is_some_and(|said| matches(said, &seen)) {
            wrong.push(table::line(&route.name, &seen));
        }
    }
    assert!(wrong.is_empty(), "tests/it/access/table.txt does not say:\n{}", wrong.join("\n"));
    assert!(table.is_empty(), "no route any more: {:?}", table.keys());
}

/// The table itself: what may not be in it, whatever the server does.
#[test]
fn the_table_lets_nobody_in_who_must_not_be() {
    let place = |caller: &str| CALLERS.iter().position(|known| *known == caller).unwrap();
    let open: BTreeSet<String> =
        table::read().into_iter().filter(|(_, cells)| cells[place("nobody")] != "401").map(|(name, _)| name).collect();
    let public = |name: &str| {
        ["/auth/", "/plans", "/meters", "/products", "/setup", "/webhooks/", "/payments/{payment}/return"]
            .iter()
            .any(|part| name.contains(part))
    };
    assert!(open.iter().all(|name| public(name) && !name.contains("/admin/")), "{open:#?}");
    for (name, cells) in table::read().into_iter().filter(|(name, _)| name.contains("/admin/")) {
        for caller in CALLERS.iter().filter(|caller| !["nobody", "key:admin", "operator", "root"].contains(caller)) {
            assert_eq!(cells[place(caller)], "403", "{name} by {caller}");
        }
    }
    for (name, cells) in table::read() {
        let of_team = name.contains("/teams/{id}");
        assert!(!of_team || cells[place("stranger")] == "404", "{name}");
    }
}
