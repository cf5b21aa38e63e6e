//! `suanpan rotate-encryption`: encrypts with the newest key what is under older ones, beside running servers.

use super::admin::said;
use super::say;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use infra::db::migrate_up;
use serde_json::json;

/// Servers that still seal with an older key write behind our back; so often is looked again.
const MAX_ROUNDS: usize = 3;

pub async fn rotate_encryption(settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    let Some(waiting) = services.resealing.stale().await.map_err(said)? else {
        return Err(anyhow!("security.encryption_keys is empty: there is no key to encrypt with"));
    };
    let bar = ProgressBar::new(waiting);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} ciphertexts")?);
    let (mut done, mut left, mut unreadable) = (0, waiting, 0);
    for _ in 0..MAX_ROUNDS {
        let before = done;
        let round = services.resealing.reseal_all(|part| bar.set_position(before + part.done)).await.map_err(said)?;
        done += round.done;
        unreadable = round.unreadable;
        left = services.resealing.stale().await.map_err(said)?.unwrap_or_default();
        if left == unreadable {
            break;
        }
    }
    bar.finish_and_clear();
    if as_json {
        say(json!({ "encrypted_anew": done, "left": left, "unreadable": unreadable }));
    } else {
        say(format!("{done} ciphertexts encrypted anew, {left} left"));
    }
    match (left, unreadable) {
        (0, _) => Ok(()),
        (_, 0) => {
            Err(anyhow!("a server still encrypts with an older key: restart it with the new keys, and run this again"))
        }
        (_, unreadable) => Err(anyhow!(
            "no key opens {unreadable} ciphertexts: add the key they were encrypted with, and run this again"
        )),
    }
}
