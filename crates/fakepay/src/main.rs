//! The binary `fakepay`: starts the fake and waits.

use anyhow::Context;
use clap::Parser;
use fakepay::{FakePay, Keys, Manners, Options};
use infra::clock::SystemClock;
use std::io::Write;
use std::sync::Arc;

/// A fake of WeChat Pay, Alipay and Stripe for development.
#[derive(Debug, Parser)]
#[command(name = "fakepay", version, about)]
struct Cli {
    /// On 127.0.0.1.
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// The server that gets Stripe's events; the others are told with each order.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let stripe_webhook_url = Some(format!("{}/api/v1/webhooks/stripe", cli.server.trim_end_matches('/')));
    let manners = Manners { stripe_webhook_url, ..Manners::default() };
    let fake =
        FakePay::start(Options { port: cli.port, clock: Arc::new(SystemClock), keys: Keys::generate()?, manners })?;
    let mut out = std::io::stdout();
    writeln!(out, "The fake provider listens on {}; GET /_fake/merchant says its keys.", fake.base())?;
    out.flush()?;
    tokio::signal::ctrl_c().await.context("no signal can be waited for")
}
