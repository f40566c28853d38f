//! A time in a request.

use features::EventTime;
use serde_json::Value;

use super::body::describe;
use super::fault::Fault;

/// RFC 3339 text or epoch milliseconds; null is none.
pub(super) fn read(field: &str, value: &Value) -> Result<Option<EventTime>, Fault> {
    let ms = match value {
        Value::Null => return Ok(None),
        Value::Number(ms) => ms.as_f64().filter(|ms| ms.abs() < 9e15).map(|ms| ms as i64),
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond()),
        _ => None,
    };
    let ms = ms.ok_or_else(|| Fault::expected(field, "RFC 3339 text or epoch milliseconds", describe(value)))?;
    Ok(Some(EventTime(ms)))
}
