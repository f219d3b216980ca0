//! Properties of a request that are set by their path.

use serde_json::Value;

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
