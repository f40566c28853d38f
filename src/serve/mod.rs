//! The endpoints. Nothing here waits for a trainer: a request loads the live model once and answers from it alone.

mod answer;
mod api_history;
mod api_labels;
mod api_live;
mod api_models;
mod api_predict;
mod body;
mod fault;
mod guard;
mod health;
mod listen;
mod moment;
pub mod outlets;
mod page;
mod router;
mod stream;
mod tfs;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::history::History;
use crate::metrics::Metrics;
use crate::registry::Registry;
use outlets::Outlets;

pub use guard::Token;
pub use listen::listen_allowed;
pub use router::router;
pub use stream::Streams;

/// How long requests under way may take after the shutdown has begun.
const DRAIN: Duration = Duration::from_secs(10);

/// What every endpoint can reach.
#[derive(Debug)]
pub struct App {
    /// The models.
    pub registry: Registry,
    /// Counters that requests and pipelines write.
    pub metrics: Arc<Metrics>,
    /// Bytes of the largest body taken, after decompression.
    pub max_body: usize,
    /// What changes need; `None`: nothing.
    pub token: Option<Token>,
    /// What was seen over time.
    pub history: Arc<History>,
    /// Streams that may still be opened.
    pub streams: Streams,
    /// Where posted labels and served predictions go.
    pub outlets: Outlets,
}

/// Serves `app` on `listener` until `shutdown` completes; then takes no connection any more, lets the requests under way
/// finish (at most ten seconds) and returns.
///
/// # Errors
/// The listener is broken.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Without it the connection works too, only slower.
        let _ = connection.set_nodelay(true);
    });
    let (begun, begins) = oneshot::channel();
    let history = Arc::clone(&app.history);
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        shutdown.await;
        // Streams have no end of their own.
        history.feed.close();
        let _ = begun.send(());
    });
    let drained = async {
        let _ = begins.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = server => result,
        () = drained => Ok(()),
    }
}

/// This machine's clock in milliseconds since the Unix epoch: for ages that people read, never for what is learned.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
