//! The endpoints over real HTTP on port 0, with models made by hand: every route, every error, and the hot swap.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod alerts;
mod bodies;
mod errors;
mod history;
mod labels;
mod live;
mod page;
mod routes;
mod shutdown;
mod stale;
mod stream;
mod swap;
mod world;
