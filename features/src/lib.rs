//! What a model sees: records as they came, the schema they build up, and the rows that learners read.
//!
//! One event goes `Record` → [`Fields`] (flattened JSON) → [`Schema::observe`] → a row of numbers. Training and serving
//! share this code, so a request is encoded as an event was.

mod dictionary;
mod event;
mod fields;
mod label;
mod limits;
mod observe;
mod record;
mod request;
mod row;
mod schema;
mod served;
mod template;

pub use dictionary::Dictionary;
pub use event::{EventSpec, LabelSource, Reject, Start, Task};
pub use fields::{FieldError, Fields, Value};
pub use label::Label;
pub use limits::Limits;
pub use observe::{Observed, Observer};
pub use record::{EventTime, NextOffset, PartitionId, Record, TopicId};
pub use request::RequestError;
pub use row::{ClassId, EntityId, Row, Rows, Target};
pub use schema::{Field, Kind, Schema};
pub use served::ServedAnswer;
