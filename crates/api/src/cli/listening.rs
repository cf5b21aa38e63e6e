//! The socket that clients come to.

use anyhow::Context;
use std::net::{SocketAddr, TcpListener};
use tokio::net::TcpSocket;

/// Clients that wait until the server takes them.
const BACKLOG: u32 = 2048;
/// What the system keeps of a client's bytes until they are read; it doubles the number. actix reads all that is there
/// before anybody asks for it, so that this is what a client makes a connection hold.
const RECEIVED_BYTES: u32 = 32 << 10;

/// Listens; whoever is accepted has the socket's small buffer.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    open(address).with_context(|| format!("cannot listen on {address}"))
}

fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port of a server that has just ended is free again.
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVED_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::socket_recv_buffer_size;
    use std::net::TcpStream;

    #[tokio::test]
    async fn whoever_is_accepted_has_the_small_buffer() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let held = socket_recv_buffer_size(&accepted).unwrap();
        assert!(held <= 2 * usize::try_from(RECEIVED_BYTES).unwrap(), "{held}");
    }
}
