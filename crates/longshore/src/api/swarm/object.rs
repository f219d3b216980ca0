//! The reading, changing and writing of an object whose version must be given back.

use longshore_models::decode::Decode;
use longshore_models::{ObjectVersion, Raw};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::set;
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Request, Response};

/// How often a change is sent while only what is not its caller's has changed meanwhile.
const ATTEMPTS: usize = 5;

/// An object of a swarm: what it is to be, and a version that grows with every change.
pub(crate) trait Object: Decode + Default {
    /// What it is to be; `Spec` in its JSON.
    type Spec: Clone + Serialize;

    /// The version of the state that was read.
    fn version(&self) -> ObjectVersion;

    /// What it is to be.
    fn spec(&self) -> &Self::Spec;

    /// What it is to be, as it was read.
    fn raw_spec(raw: &Raw<Self>) -> &Value {
        &raw["Spec"]
    }
}

/// Reads an object, lets `change` have its spec, and writes that with the version that was read.
///
/// `read` makes the request that reads the object, `write` the one that sends the spec; both are of the operation that
/// the caller asked for. What the types don't model stays as it was read.
///
/// The engine itself counts a version up when the object's state changes, though the spec does not. A refusal for that
/// is no conflict, since the change would come out the same: then it is sent once more with the new version.
pub(crate) async fn update<T: Object>(
    docker: &Docker,
    read: impl Fn() -> Result<Request>,
    change: impl FnOnce(&mut T::Spec),
    write: impl Fn(ObjectVersion, &Value) -> Result<Request>,
) -> Result<Response> {
    let request = read()?;
    let operation = request.operation.clone();
    let mut object: Raw<T> = docker.send(request).await?.raw().await?;
    let mut spec = object.spec().clone();
    change(&mut spec);
    let body = changed(T::raw_spec(&object), object.spec(), &spec, &operation)?;
    let mut attempt = 1;
    loop {
        match docker.send(write(object.version(), &body)?).await {
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {
                let now: Raw<T> = docker.send(read()?).await?.raw().await?;
                if now.version() == object.version() || T::raw_spec(&now) != T::raw_spec(&object) {
                    return Err(error);
                }
                object = now;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// The JSON of a spec with what makes `after` of `before`, which is the typed part of `raw`.
fn changed<S: Serialize>(raw: &Value, before: &S, after: &S, operation: &Operation) -> Result<Value> {
    let json = |spec| set::to_json(operation, spec, &[]);
    let mut raw = raw.clone();
    apply(&mut raw, &json(before)?, &json(after)?);
    Ok(raw)
}

/// Makes the change from `before` to `after` in `raw`, which may have more than they do at any depth.
fn apply(raw: &mut Value, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    match (&mut *raw, before, after) {
        (Value::Object(raw), Value::Object(before), Value::Object(after)) => apply_fields(raw, before, after),
        // A field without a value is not sent, but may have been read all the same, and have more in it.
        (Value::Object(raw), Value::Null, Value::Object(after)) => apply_fields(raw, &Map::new(), after),
        (Value::Array(raw), Value::Array(before), Value::Array(after)) if raw.len() == before.len() => {
            apply_items(raw, before, after);
        }
        _ => *raw = after.clone(),
    }
}

fn apply_fields(raw: &mut Map<String, Value>, before: &Map<String, Value>, after: &Map<String, Value>) {
    for (key, value) in after {
        match raw.get_mut(key) {
            Some(raw) => apply(raw, before.get(key).unwrap_or(&Value::Null), value),
            None => {
                raw.insert(key.clone(), value.clone());
            }
        }
    }
    raw.retain(|key, _| after.contains_key(key) || !before.contains_key(key));
}

/// An item that was there stays as it was read, wherever it is moved. One that stands where another stood is that one
/// changed, as long as none was added or taken out.
fn apply_items(raw: &mut Vec<Value>, before: &[Value], after: &[Value]) {
    let mut old: Vec<Option<(Value, &Value)>> = std::mem::take(raw).into_iter().zip(before).map(Some).collect();
    let stayed = |(place, item): (usize, &Value)| old.get_mut(place)?.take_if(|(_, was)| *was == item);
    let mut found: Vec<_> = after.iter().enumerate().map(stayed).collect();
    for (found, item) in found.iter_mut().zip(after).filter(|(found, _)| found.is_none()) {
        *found = old.iter_mut().find_map(|old| old.take_if(|(_, was)| *was == item));
    }
    if before.len() == after.len() {
        for (found, old) in found.iter_mut().zip(old).filter(|(found, _)| found.is_none()) {
            *found = old;
        }
    }
    *raw = found
        .into_iter()
        .zip(after)
        .map(|(found, item)| {
            let (mut value, was) = found.unwrap_or((Value::Null, &Value::Null));
            apply(&mut value, was, item);
            value
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is sent when `before` was read with more in it, and is to become `after`.
    #[track_caller]
    fn check(raw: Value, before: Value, after: Value, sent: Value) {
        let operation = Operation::on("update node", "a");
        assert_eq!(changed(&raw, &before, &after, &operation).unwrap(), sent);
    }

    #[test]
    fn what_is_not_modelled_stays_at_every_depth() {
        check(
            json!({"Name": "a", "New": 1, "Raft": {"Tick": 3, "New": [2]}, "Same": {"New": 3}}),
            json!({"Name": "a", "Raft": {"Tick": 3}, "Same": {}}),
            json!({"Name": "b", "Raft": {"Tick": 4, "Beat": 5}, "Same": {}}),
            json!({"Name": "b", "New": 1, "Raft": {"Tick": 4, "Beat": 5, "New": [2]}, "Same": {"New": 3}}),
        );
    }

    #[test]
    fn what_is_taken_out_is_not_sent() {
        check(
            json!({"Labels": {"a": "1", "b": "2"}, "Mode": {"Replicated": {"Replicas": 2}}, "Name": "a"}),
            json!({"Labels": {"a": "1", "b": "2"}, "Mode": {"Replicated": {"Replicas": 2}}, "Name": "a"}),
            json!({"Labels": {"b": "2"}, "Mode": {"Global": {}}}),
            json!({"Labels": {"b": "2"}, "Mode": {"Global": {}}}),
        );
    }

    #[test]
    fn a_field_that_was_read_empty_can_be_filled() {
        check(
            json!({"Labels": {}, "List": null, "Task": {"New": 1}}),
            json!({}),
            json!({"Labels": {"a": "1"}, "List": ["x"], "Task": {"Old": 2}}),
            json!({"Labels": {"a": "1"}, "List": ["x"], "Task": {"Old": 2, "New": 1}}),
        );
        check(Value::Null, json!({}), json!({"Name": "a"}), json!({"Name": "a"}));
    }

    #[test]
    fn items_of_lists_keep_what_they_have() {
        let raw = json!([{"Id": 1, "New": 1}, {"Id": 2, "New": 2}, {"Id": 2, "New": 3}]);
        let before = json!([{"Id": 1}, {"Id": 2}, {"Id": 2}]);
        let sent = |after| {
            let mut raw = raw.clone();
            apply(&mut raw, &before, &after);
            raw
        };
        assert_eq!(
            sent(json!([{"Id": 1, "More": 7}, {"Id": 2}, {"Id": 2}])),
            json!([{"Id": 1, "More": 7, "New": 1}, {"Id": 2, "New": 2}, {"Id": 2, "New": 3}])
        );
        assert_eq!(
            sent(json!([{"Id": 2}, {"Id": 2}, {"Id": 1}])),
            json!([{"Id": 2, "New": 3}, {"Id": 2, "New": 2}, {"Id": 1, "New": 1}]),
            "those that stay in their place are found first"
        );
        assert_eq!(sent(json!([{"Id": 2}])), json!([{"Id": 2, "New": 2}]));
        assert_eq!(sent(json!([{"Id": 9}, {"Id": 1}])), json!([{"Id": 9}, {"Id": 1, "New": 1}]));
        assert_eq!(sent(json!([])), json!([]));
        assert_eq!(sent(json!("odd")), json!("odd"));
    }
}
