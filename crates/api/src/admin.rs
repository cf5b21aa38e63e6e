//! `suanpan admin create`: the first operator, made by whoever owns the machine.

use crate::services::Services;
use anyhow::{Context, bail};
use domain::accounts::Registered;
use domain::error::Error;
use domain::identity::{Password, Username};
use std::io::Read;
use std::sync::Arc;

/// More than any password has.
const MAX_INPUT_BYTES: u64 = 4096;

/// Makes a root operator; the password is the first line of `input`, never an argument that others could see.
pub async fn create_admin(services: &Arc<Services>, username: &str, input: impl Read) -> anyhow::Result<Registered> {
    let username = Username::parse(username).map_err(|reason| anyhow::anyhow!("the user name {reason}"))?;
    let mut text = String::new();
    input.take(MAX_INPUT_BYTES).read_to_string(&mut text).context("cannot read the password")?;
    let password = Password::choose(text.lines().next().unwrap_or_default());
    let password = password.map_err(|reason| anyhow::anyhow!("the password {reason}"))?;
    let create = move |all: Arc<Services>| async move { all.registration.create_admin(username, &password).await };
    match services.run(create).await {
        Ok(registered) => Ok(registered),
        Err(Error::Conflict { detail, .. }) => bail!("{detail}"),
        Err(error) => Err(error).context("the operator was not made"),
    }
}
