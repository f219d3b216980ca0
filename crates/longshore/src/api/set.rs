//! Properties of a request that are set by their path.

use longshore_models::decode;
use serde::Serialize;
use serde_json::Value;

use crate::error::{ErrorKind, Operation, Result};

/// The JSON of a spec, with properties set over it by their path.
pub(crate) fn to_json(operation: &Operation, spec: &impl Serialize, properties: &[(String, Value)]) -> Result<Value> {
    let mut json = tree(spec).map_err(|source| {
        let message = format!("the spec can't be written as JSON: {source}");
        operation.error_from(ErrorKind::Invalid, message, source)
    })?;
    apply(&mut json, properties);
    Ok(json)
}

/// What is written as JSON, as a tree. It goes through a text: `serde_json::to_value` would have every type compiled once
/// more.
pub(crate) fn tree(value: &impl Serialize) -> serde_json::Result<Value> {
    decode::from_slice(&serde_json::to_vec(value)?)
}

/// Sets properties by their path, such as `HostConfig.NewField`; objects on the way are made.
pub(crate) fn apply(json: &mut Value, properties: &[(String, Value)]) {
    for (path, value) in properties {
        *property(json, path) = value.clone();
    }
}

/// The place in `json` that `path` leads to; objects on the way are made.
fn property<'a>(json: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(json, |place, name| {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        &mut place[name]
    })
}
