//! `GET /api/stream`: what happens, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::App;
use super::answer::unknown_model;
use super::fault::{Fault, Problem, ProblemBody};
use crate::history::{Event, History};

/// Streams at once.
const STREAMS: usize = 64;
/// How often a quiet stream gives a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams that may still be opened.
#[derive(Debug)]
pub struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS)))
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The only model to tell of; all otherwise.
    model: Option<String>,
}

/// What happens, as server-sent events: `sample` (at most four a second and model), `happening`, and in a demo `truth`;
/// the data are as in `/api/history`, with the `model`. `Last-Event-ID` takes up again from what is kept.
#[utoipa::path(get, path = "/api/stream", tag = "history", params(Which),
    responses((status = OK, body = String, content_type = "text/event-stream"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json", description = "64 streams are open")))]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(Which { model }) = which.map_err(|e| Fault::bad(e.body_text()))?;
    if let Some(name) = &model
        && app.registry.get(name).is_none()
    {
        return Err(unknown_model(&app, name).into());
    }
    let permit = Arc::clone(&app.streams.0).try_acquire_owned().map_err(|_| {
        Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{STREAMS} streams are open, which is as many as there may be"),
        )
    })?;
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let listener = Listener::new(Arc::clone(&app.history), model, after, permit);
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        let sent = Sent::default().id(event.id.to_string()).event(event.kind).data(&event.data);
        Some((Ok::<_, Infallible>(sent), listener))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of the nginx family would hold events back.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// One who listens.
struct Listener {
    history: Arc<History>,
    model: Option<String>,
    missed: VecDeque<Arc<Event>>,
    receiver: Receiver<Arc<Event>>,
    last_id: Option<u64>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    fn new(history: Arc<History>, model: Option<String>, after: Option<u64>, permit: OwnedSemaphorePermit) -> Self {
        let (missed, receiver) = history.listen(after);
        Self { history, model, missed, receiver, last_id: after, _permit: permit }
    }

    /// The next event; `None` at the end of the service.
    async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            let event = match self.missed.pop_front() {
                Some(event) => event,
                None => match self.receiver.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Closed) => return None,
                    // The client is slow: it goes on with what is kept.
                    Err(RecvError::Lagged(_)) => {
                        (self.missed, self.receiver) = self.history.listen(self.last_id);
                        continue;
                    }
                },
            };
            self.last_id = Some(event.id);
            if self.model.as_ref().is_none_or(|model| *model == event.model) {
                return Some(event);
            }
        }
    }
}
