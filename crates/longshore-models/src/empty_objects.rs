//! Sets that are objects with empty objects on the wire: `{"80/tcp": {}, "443/tcp": {}}`.

use std::collections::BTreeSet;

use serde::ser::{Serialize, Serializer};

#[derive(serde::Serialize)]
struct Empty {}

pub(crate) fn serialize<T: Serialize, S: Serializer>(set: &BTreeSet<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|key| (key, Empty {})))
}
