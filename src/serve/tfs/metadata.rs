//! `GET /v1/models/M/metadata`: one input tensor a field, and what comes out. Beside it, in the schema's order, what
//! rows given as arrays need: `features`, and what probabilities need: `classes`.

use axum::response::Response;
use features::{Kind, Task};
use serde_json::{Map, Value, json};

use super::path::Asked;
use super::{answer, check_version};
use crate::serve::App;
use crate::serve::fault::Fault;

pub(super) fn reply(app: &App, asked: &Asked<'_>) -> Result<Response, Fault> {
    let live = answer::live(app, asked.model)?;
    let served = &*live.served;
    check_version(served, &asked.which)?;
    let schema = &*served.model.schema;
    let is_text = |kind| kind == Kind::Nominal;
    let inputs: Map<String, Value> = schema
        .fields()
        .iter()
        .map(|field| (field.name.to_string(), tensor(&field.name, is_text(field.kind), &[-1])))
        .collect();
    let outputs = match served.task() {
        Task::Regression => json!({ "value": tensor("value", false, &[-1]) }),
        Task::Classification => json!({
            "label": tensor("label", true, &[-1]),
            "probabilities": tensor("probabilities", false, &[-1, schema.classes().len() as i64]),
        }),
    };
    let features: Vec<_> =
        schema.fields().iter().map(|field| json!({ "name": field.name, "nominal": is_text(field.kind) })).collect();
    let metadata = json!({
        "model_spec": { "name": served.name, "signature_name": "", "version": served.model.version.to_string() },
        "metadata": { "signature_def": { "signature_def": { "serving_default": {
            "inputs": inputs,
            "outputs": outputs,
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        } } } },
        "features": features,
        "classes": schema.classes().names(),
    });
    Ok(answer::reply(&live, metadata.to_string().into_bytes()))
}

fn tensor(name: &str, is_text: bool, shape: &[i64]) -> Value {
    let dim: Vec<_> = shape.iter().map(|size| json!({ "size": size.to_string(), "name": "" })).collect();
    json!({
        "dtype": if is_text { "DT_STRING" } else { "DT_DOUBLE" },
        "tensor_shape": { "dim": dim, "unknown_rank": false },
        "name": format!("{name}:0"),
    })
}
