//! The demo's users, and what each of them has; made in an order in which a run that was killed can go on.

use super::admin::said;
use super::seed_team::TEAM;
use crate::services::Services;
use domain::accounts::{AccountRef, KeyWish, Registration};
use domain::actor::{Actor, Role};
use domain::id::{AccountId, UserId};
use domain::identity::{Login, Password, Token, User, Username};
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::text::hex;
use serde_json::{Value, json};
use std::sync::Arc;

const ADMIN: &str = "admin";
/// Users and the plan each is on, where the configuration has it.
const USERS: [(&str, Option<&str>); 5] =
    [("free", None), ("pro", Some("professional")), ("owner", None), ("member1", None), ("member2", None)];

/// The user of the calls that are printed.
const SHOWN: usize = 1;

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
    pub(super) async fn complete(&self) -> anyhow::Result<Value> {
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
    pub(super) async fn found(&self) -> anyhow::Result<Value> {
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
