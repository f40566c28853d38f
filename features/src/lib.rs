//! What a model sees: records as they came, the schema they build up, and the rows that learners read.
//!
//! One event goes `Record` → [`Fields`] (flattened JSON) → [`Schema::observe`] → a row of numbers. Training and serving
//! share this code, so a request is encoded as an event was.

mod event;
mod fields;
mod record;
mod row;
mod schema;

pub use event::{EventSpec, Limits, Reject, Start, Task};
pub use fields::{FieldError, Fields, Value};
pub use record::{EventTime, Header, NextOffset, PartitionId, Record, TopicId};
pub use row::{ClassId, EntityId, Row, Rows, Target};
pub use schema::{Dictionary, Field, Kind, Observed, Observer, RequestError, Schema};
