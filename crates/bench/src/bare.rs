//! The least an endpoint can do: actix-web answering bytes it was given. A child process, as our server is.

use crate::process::free_address;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, bail};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const POLLS: u32 = 500;
const POLL: Duration = Duration::from_millis(10);

/// Serves what it reads on standard input until it is killed.
pub fn serve(port: u16) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let bytes = web::Bytes::from(bytes);
    let server =
        HttpServer::new(move || App::new().app_data(web::Data::new(bytes.clone())).default_service(web::to(answer)));
    actix_web::rt::System::new().block_on(server.bind((Ipv4Addr::LOCALHOST, port))?.run()).context("the bare server")
}

async fn answer(bytes: web::Data<web::Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(bytes.get_ref().clone())
}

/// The running process. Dropping it kills it.
pub struct Bare {
    child: Child,
    pub address: SocketAddr,
}

impl Bare {
    pub async fn start(bytes: &[u8]) -> anyhow::Result<Self> {
        let address = free_address()?;
        let port = address.port().to_string();
        let mut command = Command::new(std::env::current_exe()?);
        let child = command.args(["bare", &port]).stdin(Stdio::piped()).spawn().context("cannot start itself")?;
        let mut bare = Self { child, address };
        bare.child.stdin.take().context("no standard input")?.write_all(bytes)?;
        for _ in 0..POLLS {
            if TcpStream::connect(address).is_ok() {
                return Ok(bare);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("the bare server did not start")
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
