//! The running server.

use crate::faults::misbehave;
use crate::merchant::Keys;
use crate::postman::Postman;
use crate::shared::{Manners, Shared};
use crate::{alipay, control, pages, stripe, wechat};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, HttpServer};
use anyhow::Context;
use domain::time::Clock;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Largest request.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub struct Options {
    /// 0 takes any free port; only this machine can reach it.
    pub port: u16,
    pub clock: Arc<dyn Clock>,
    pub keys: Keys,
    pub manners: Manners,
}

/// A running fake; it stops when dropped.
pub struct FakePay {
    pub shared: Arc<Shared>,
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Drop for FakePay {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl FakePay {
    /// Starts on a loopback port, on the runtime that calls.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let Options { port, clock, keys, manners } = options;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("the fake provider cannot listen on 127.0.0.1:{port}"))?;
        let address = listener.local_addr()?;
        let postman = Postman::new(Handle::current())?;
        let shared = Arc::new(Shared::new(clock, format!("http://{address}"), keys, manners, postman));
        // The workers let go of it when the server stops.
        let data = Data::from(shared.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(MAX_BODY_BYTES))
                .configure(pages::configure)
                .configure(control::configure)
                .configure(wechat::configure)
                .configure(alipay::configure)
                .configure(stripe::configure)
                .wrap(from_fn(misbehave))
        });
        let server = server.workers(1).disable_signals().listen(listener)?.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { shared, address, handle })
    }

    /// Stops, and is gone when this returns.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }

    pub fn base(&self) -> &str {
        &self.shared.base
    }
}
