//! What engines send, decoded.

use longshore_models::decode::push_first;
use longshore_models::*;
use serde::de::IgnoredAny;

/// Decodes these bytes as each of the types, by both readers of JSON and in two ways.
macro_rules! check {
    ($bytes:expr => $($model:ty),* $(,)?) => {
        $({
            let whole = decode::from_slice::<$model>($bytes).map_err(drop);
            let by_serde = lenient::from_slice::<$model>($bytes).map_err(drop);
            // What has a number that is none is not equal to itself.
            assert_eq!(format!("{whole:?}"), format!("{by_serde:?}"));
            if let (Ok(whole), Ok(text)) = (&whole, std::str::from_utf8($bytes)) {
                let mut list = Vec::<$model>::new();
                push_first(&mut list, text).expect("what can be read whole can be read");
                assert_eq!(format!("{list:?}"), format!("[{whole:?}]"));
            }
        })*
    };
}

/// Decodes these bytes as what engines send most, and asks what is reckoned from it.
pub fn check(bytes: &[u8]) {
    check! { bytes =>
        ContainerInspect, Vec<ContainerSummary>, ContainerStats, ContainerTop, Vec<FilesystemChange>, WaitResponse,
        ImageInspect, Vec<ImageSummary>, Vec<ImageHistoryItem>, ProgressMessage, EventMessage, ErrorResponse,
        NetworkInspect, VolumeInspect, SystemInfo, SystemVersion, DiskUsage, ExecInspect, ServiceInspect, TaskInspect,
        NodeInspect, PluginInspect, SwarmInspect,
    }
    if let Ok(stats) = decode::from_slice::<ContainerStats>(bytes) {
        let reckoned = [stats.cpu_percent(), stats.memory_percent()];
        assert!(reckoned.iter().all(|part| part.is_finite() && *part >= 0.0), "{reckoned:?}");
        let _ = (stats.name(), stats.memory_used(), stats.memory_limit(), stats.network_received());
        let _ = (stats.network_sent(), stats.block_read(), stats.block_written(), stats.pids());
    }
    if let Ok(raw) = Raw::<ContainerInspect>::decode(bytes) {
        assert_eq!(raw.json().as_bytes(), bytes);
        let tree = serde_json::from_str::<std::collections::BTreeMap<String, IgnoredAny>>(raw.json());
        assert!(tree.is_err() || raw.value().is_object(), "the tree is {}", raw.value());
        let _ = (raw.contains_key("Id"), raw.created.to_system_time(), raw.state.status.to_string());
    }
    if let Ok(top) = decode::from_slice::<ContainerTop>(bytes) {
        let _ = top.titles.iter().map(|title| top.column(title).count()).sum::<usize>();
    }
    if let Ok(message) = decode::from_slice::<ProgressMessage>(bytes) {
        let _ = message.error_message();
    }
}
