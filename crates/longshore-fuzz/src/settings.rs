//! What `inspect` gives back as `create` took it: mounts, ports, and the rest of a container's settings.

use std::fmt::Debug;

use longshore_models::{ContainerConfig, EndpointSettings, HostConfig, Mount, PortMap, lenient};
use serde_json::Value;

/// Decodes these bytes, sends what came of it out again, and decodes that.
macro_rules! round {
    ($bytes:expr => $($model:ty),* $(,)?) => {
        $(
            if let Ok(read) = lenient::from_slice::<$model>($bytes) {
                let sent = serde_json::to_vec(&read).expect("settings can be written");
                let again: $model = lenient::from_slice(&sent).expect("what was written can be read");
                // What is the same may be written in several ways, but only the first time.
                let sent_again = serde_json::to_vec(&again).expect("settings can be written");
                same(&sent, &sent_again);
            }
        )*
    };
}

/// Reads these bytes as settings, and sends them out again.
pub fn check(bytes: &[u8]) {
    round! { bytes => ContainerConfig, EndpointSettings, HostConfig, Vec<Mount>, PortMap }
}

fn same(sent: &[u8], again: &[u8]) {
    let read = |json: &[u8]| -> Value { serde_json::from_slice(json).expect("JSON") };
    assert_same(&read(sent), &read(again));
}

fn assert_same<T: PartialEq + Debug>(sent: &T, again: &T) {
    assert_eq!(sent, again);
}
