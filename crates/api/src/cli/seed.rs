//! `suanpan seed`: demo users on three plans, made through the services so that every rule holds.
//!
//! Everything is dated ten days back, so that the demo's periods are under way. Secrets are random and
//! shown once; a development server keeps them beside its database to print a working curl at every start.

use super::admin::said;
use super::seed_team::TEAM;
use super::{say, seed_shop};
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire_at};
use anyhow::Context;
use chrono::TimeDelta;
use domain::accounts::{AccountRef, KeyWish, Registration};
use domain::actor::{Actor, Role};
use domain::id::{AccountId, UserId};
use domain::identity::{Login, Password, Token, User, Username};
use domain::page::PageRequest;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::store::StoreError;
use domain::text::hex;
use domain::time::Clock;
use infra::clock::{ShiftedClock, SystemClock};
use infra::db::migrate_up;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const SEEDING_LEASE: &str = "seed";
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// Between two looks whether another process has finished seeding.
const POLL: Duration = Duration::from_millis(200);
/// How long ago the demo's subscriptions began.
const AGE: TimeDelta = TimeDelta::days(10);
/// The option that says how far seeding came, so that one that was killed goes on at the next start.
const PROGRESS_OPTION: &str = "demo_seed";
const BEGUN: &str = "begun";
const DONE: &str = "done";
const ADMIN: &str = "admin";
/// Users and the plan each is on, where the configuration has it.
const USERS: [(&str, Option<&str>); 5] =
    [("free", None), ("pro", Some("professional")), ("owner", None), ("member1", None), ("member2", None)];

/// The user of the calls that are printed.
const SHOWN: usize = 1;

/// What a newcomer needs.
pub struct Demo {
    pub object: Value,
}

impl Demo {
    /// A few lines with credentials and a curl that meters, prices and warns.
    pub fn welcome(&self, base: &str) -> String {
        let text = |pointer: &str| self.object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
        let (user, password) = (text("/users/1/username"), text("/users/1/password"));
        let (key, admin, secret) = (text("/users/1/api_key"), text("/admin/username"), text("/admin/password"));
        let plan = text("/users/1/plan");
        let calls = seed_shop::calls(base, &key, &text("/users/1/token"), &self.object["try"]);
        format!(
            "Demo user {user} (plan {plan}), password {password}\nDemo operator {admin}, password {secret}\n{calls}"
        )
    }
}

pub async fn seed_command(settings: &Settings, json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let object = seed(settings).await?;
    if json {
        say(&object);
    } else if object["created"] == json!(true) {
        say(serde_json::to_string_pretty(&object)?);
    } else {
        say("The demo users are there already; nothing was changed.");
    }
    Ok(())
}

/// Seeds a database without users, or goes on with one half seeded, for a development server; finds what it printed before otherwise.
pub async fn demo(settings: &Settings, services: &Services) -> anyhow::Result<Option<Demo>> {
    let first = PageRequest { limit: 1, before: None };
    let is_new = services.store.users().list(first).await?.rows.is_empty();
    let path = credentials_path(settings);
    if is_new || progress(services).await?.as_deref() == Some(BEGUN) {
        let object = seed(settings).await?;
        if object["created"] == json!(true) {
            keep(&path, &object).context("cannot keep the demo's credentials")?;
            return Ok(Some(Demo { object }));
        }
    }
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let Ok(object) = serde_json::from_str::<Value>(&text) else { return Ok(None) };
    let key = object.pointer("/users/1/api_key").and_then(Value::as_str).unwrap_or_default();
    let valid = services.identity.authenticate(key, None).await.is_ok();
    Ok(valid.then_some(Demo { object }))
}

/// Beside a SQLite database; for a server's, in `data`, under a name of its own.
fn credentials_path(settings: &Settings) -> PathBuf {
    let url = settings.database.url.expose_secret();
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
            Path::new(path).with_extension("demo.json")
        }
        None => Path::new("data").join(format!("demo-{}.json", hex(&Sha256::digest(url)[..4]))),
    }
}

/// Readable by the owner only: these are credentials.
fn keep(path: &Path, object: &Value) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(object.to_string().as_bytes())
}

/// Makes what is missing of the demo; the second run of a complete one changes nothing.
pub async fn seed(settings: &Settings) -> anyhow::Result<Value> {
    let past = wire_at(settings, Arc::new(ShiftedClock::back(SystemClock.now(), AGE))).await?;
    let today = wire_at(settings, Arc::new(SystemClock)).await?;
    past.plans.publish().await.map_err(said)?;
    let seeding = Seeding { past, today };
    if !may_seed(&seeding.today).await? {
        return seeding.found().await;
    }
    mark(&seeding.past, BEGUN).await?;
    let object = seeding.complete().await?;
    mark(&seeding.past, DONE).await?;
    Ok(object)
}

/// Waits for the right to seed, which one process has at a time; false when the demo is complete.
///
/// The right of a process that was killed ends with its lease, and the next one goes on.
async fn may_seed(services: &Services) -> anyhow::Result<bool> {
    let holder = Uuid::now_v7();
    loop {
        if progress(services).await?.as_deref() == Some(DONE) {
            return Ok(false);
        }
        let now = SystemClock.now();
        let claim = async {
            let work = services.store.begin().await?;
            let claimed = work.leases().claim(SEEDING_LEASE, holder, now, now + LEASE).await?;
            work.commit().await?;
            Ok(claimed)
        };
        match claim.await {
            Ok(true) => return Ok(true),
            // Contended, or inserted by another in the same moment: look again.
            Ok(false) | Err(StoreError::Contended | StoreError::Duplicate) => tokio::time::sleep(POLL).await,
            Err(error) => return Err(said(error.into())),
        }
    }
}

/// How far an earlier run came.
async fn progress(services: &Services) -> anyhow::Result<Option<String>> {
    services.store.options().find(PROGRESS_OPTION).await.map_err(|error| said(error.into()))
}

async fn mark(services: &Services, progress: &str) -> anyhow::Result<()> {
    let write = async {
        let work = services.store.begin().await?;
        work.options().set(PROGRESS_OPTION, progress, SystemClock.now()).await?;
        work.commit().await
    };
    write.await.map_err(|error| said(error.into()))
}

/// A demo user; what is secret is known only of one that was made just now.
pub(super) struct Person {
    pub(super) user: User,
    secrets: Option<(Password, Token)>,
}

impl Person {
    fn is_new(&self) -> bool {
        self.secrets.is_some()
    }

    fn described(&self, mut object: Value) -> Value {
        if let Some((password, token)) = &self.secrets {
            object["password"] = json!(password.expose());
            object["token"] = json!(token.expose());
        }
        object
    }
}

pub(super) struct Seeding {
    /// Dates what it makes ten days back.
    pub(super) past: Arc<Services>,
    /// Opens the sessions: one opened ten days ago may be over.
    pub(super) today: Arc<Services>,
}

impl Seeding {
    async fn complete(&self) -> anyhow::Result<Value> {
        let admin = self.person(ADMIN).await?;
        if admin.user.role < Role::Admin {
            return self.found().await;
        }
        let operator = admin.user.as_actor();
        let (mut people, mut users, mut created) = (Vec::new(), Vec::new(), admin.is_new());
        for (name, _) in USERS {
            people.push((name, self.person(name).await?));
        }
        let team = self.complete_team(&operator, &people).await?;
        for ((name, plan), (_, person)) in USERS.into_iter().zip(&people) {
            let account = team.as_ref().filter(|_| TEAM.contains(&name)).map(|team| team.account.id);
            let (user, is_new) = self.complete_user(&operator, (name, person), (plan, account)).await?;
            users.push(user);
            created |= is_new;
        }
        let scopes = Some(vec!["service".to_owned()]);
        let wish = KeyWish { name: "service".to_owned(), scopes, ..KeyWish::default() };
        let service = self.key(&operator, wish).await?;
        created |= service.is_some();
        let mut tried = self.complete_shop(&operator, &people[SHOWN].1.user).await?;
        tried["currency"] = json!(self.past.catalogue.currency.code());
        let admin = admin.described(json!({"username": ADMIN}));
        let team = self.team_object().await?;
        let mut object = json!({"created": created, "admin": admin, "users": users, "team": team, "try": tried});
        if let Some(key) = service {
            object["service_key"] = json!(key.expose());
        }
        Ok(object)
    }

    async fn complete_user(
        &self,
        operator: &Actor,
        (name, person): (&str, &Person),
        (plan, team): (Option<&str>, Option<AccountId>),
    ) -> anyhow::Result<(Value, bool)> {
        let user = &person.user;
        // The key is made last: who has one was complete.
        if !self.has_keys(user.id).await? {
            let plans = &self.past.catalogue;
            let code = plan.and_then(PlanCode::parse).filter(|code| plans.plans.contains_key(code));
            let plan = code.unwrap_or_else(|| plans.default_plan.clone());
            let wish = PlanWish { plan, interval: Some(Interval::Month), seats: None };
            self.past.subscriptions.set(operator, user.personal_account, &wish).await.map_err(said)?;
        }
        let account = team.map(AccountRef::Id).unwrap_or_default();
        let wish = KeyWish { name: "demo".to_owned(), account, ..KeyWish::default() };
        let key = self.key(&user.as_actor(), wish).await?;
        let mut object = person.described(self.described(name, user, team).await?);
        if let Some(key) = &key {
            object["api_key"] = json!(key.expose());
        }
        Ok((object, person.is_new() || key.is_some()))
    }

    /// The user of that name, made when there is none; the operator is a root.
    async fn person(&self, name: &str) -> anyhow::Result<Person> {
        if let Some(user) = self.find(name).await? {
            return Ok(Person { user, secrets: None });
        }
        let (username, password) = (username(name)?, fresh_password(&self.past)?);
        let made = if name == ADMIN {
            self.past.registration.create_admin(username, &password).await
        } else {
            let wish = Registration { username: Some(username), ..Registration::default() };
            self.past.registration.register(wish, &password, None).await
        };
        let user = made.map_err(said)?.user;
        let token = self.today.identity.log_in(name, password.expose(), None).await.map_err(said)?.token;
        Ok(Person { user, secrets: Some((password, token)) })
    }

    /// The secret of the first key; `None` when there was a key already.
    async fn key(&self, owner: &Actor, wish: KeyWish) -> anyhow::Result<Option<Token>> {
        if self.has_keys(owner.user).await? {
            return Ok(None);
        }
        Ok(Some(self.past.keys.create(owner, wish).await.map_err(said)?.token))
    }

    async fn has_keys(&self, user: UserId) -> anyhow::Result<bool> {
        let count = self.past.store.api_keys().count(user).await;
        Ok(count.map_err(|error| said(error.into()))? > 0)
    }

    pub(super) async fn find(&self, name: &str) -> anyhow::Result<Option<User>> {
        let login = Login::Username(username(name)?);
        self.past.store.users().find_by_login(&login).await.map_err(|error| said(error.into()))
    }

    /// The same shape, with what can still be known.
    async fn found(&self) -> anyhow::Result<Value> {
        let mut users = Vec::new();
        let team = self.demo_team().await?.map(|summary| summary.account.id);
        for (name, _) in USERS {
            if let Some(user) = self.find(name).await? {
                users.push(self.described(name, &user, team.filter(|_| TEAM.contains(&name))).await?);
            }
        }
        let team = self.team_object().await?;
        Ok(json!({"created": false, "admin": {"username": ADMIN}, "users": users, "team": team}))
    }

    /// `account` is what the user's demo key draws from.
    async fn described(&self, name: &str, user: &User, team: Option<AccountId>) -> anyhow::Result<Value> {
        let account = team.unwrap_or(user.personal_account);
        let plan = self.today.metering.quota(account).await.map_err(said)?.subscription.chosen.plan;
        let personal = user.personal_account;
        Ok(
            json!({"username": name, "id": user.id, "account": account, "personal_account": personal, "plan": plan.as_str()}),
        )
    }
}

fn username(name: &str) -> anyhow::Result<Username> {
    Username::parse(name).map_err(|reason| anyhow::anyhow!(reason))
}

fn fresh_password(services: &Services) -> anyhow::Result<Password> {
    let bytes = services.identity.secrets.random().map_err(said)?;
    Password::choose(&hex(&bytes[..12])).map_err(|reason| anyhow::anyhow!(reason))
}
