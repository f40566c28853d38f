//! A wire between clients and one server that fails as networks do: it is cut, swallows, or is slow.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire {
    /// It passes everything on.
    Whole,
    /// Connections are closed, new ones refused.
    Cut,
    /// Connections are taken and nothing passes. Those of this time stay dead for ever, and never say so.
    HalfOpen,
    /// Each chunk (at most 16 KiB) takes this long.
    Slow(Duration),
}

/// A running proxy on 127.0.0.1; dropping it cuts the wire.
pub struct Proxy {
    wire: watch::Sender<Wire>,
    _runtime: Runtime,
}

impl Proxy {
    /// Passes what comes to port `from` on to port `to`, whoever listens there by then.
    pub fn start(from: u16, to: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (wire, state) = watch::channel(Wire::Whole);
        runtime.spawn(listen(from, to, state));
        Self { wire, _runtime: runtime }
    }

    /// From now on the wire does this.
    pub fn set(&self, wire: Wire) {
        self.wire.send(wire).unwrap();
    }
}

async fn listen(from: u16, to: u16, mut wire: watch::Receiver<Wire>) {
    loop {
        wire.wait_for(|wire| *wire != Wire::Cut).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", from)).await.unwrap();
        loop {
            let state = wire.clone();
            tokio::select! {
                () = becomes(&mut wire, Wire::Cut) => break,
                client = listener.accept() => drop(tokio::spawn(connect(client.unwrap().0, to, state))),
            }
        }
    }
}

/// One connection, until one end closes it or the wire is cut.
async fn connect(client: TcpStream, to: u16, mut wire: watch::Receiver<Wire>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        _ = pass(from_client, to_server, wire.clone()) => {}
        _ = pass(from_server, to_client, wire.clone()) => {}
        () = becomes(&mut wire, Wire::Cut) => {}
    }
}

async fn becomes(wire: &mut watch::Receiver<Wire>, what: Wire) {
    let _ = wire.wait_for(|wire| *wire == what).await;
}

async fn pass(from: OwnedReadHalf, to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) -> io::Result<()> {
    let mut chunk = vec![0; 16 << 10];
    loop {
        tokio::select! {
            ready = from.readable() => ready?,
            () = becomes(&mut wire, Wire::HalfOpen) => pending().await,
        }
        let read = match from.try_read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
            Err(e) => return Err(e),
        };
        let now = *wire.borrow();
        if let Wire::Slow(pause) = now {
            tokio::time::sleep(pause).await;
        }
        let mut rest = &chunk[..read];
        while !rest.is_empty() {
            to.writable().await?;
            match to.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
    }
}
