//! What engines send, decoded.

use longshore_models::lenient;
use longshore_models::*;
use serde::de::IgnoredAny;

/// Decodes these bytes as each of the types, in two ways.
macro_rules! decode {
    ($bytes:expr => $($model:ty),* $(,)?) => {
        $({
            let whole = lenient::from_slice::<$model>($bytes);
            if let (Ok(whole), Ok(text)) = (&whole, std::str::from_utf8($bytes)) {
                let (first, _) = lenient::first_from_str::<$model>(text).expect("what can be read whole can be read");
                // Neither is equal to itself where a number is none.
                assert_eq!(format!("{first:?}"), format!("{whole:?}"));
            }
        })*
    };
}

/// Decodes these bytes as what engines send most, and asks what is reckoned from it.
pub fn check(bytes: &[u8]) {
    decode! { bytes =>
        ContainerInspect, Vec<ContainerSummary>, ContainerStats, ContainerTop, Vec<FilesystemChange>, WaitResponse,
        ImageInspect, Vec<ImageSummary>, Vec<ImageHistoryItem>, ProgressMessage, EventMessage, ErrorResponse,
        NetworkInspect, VolumeInspect, SystemInfo, SystemVersion, DiskUsage, ExecInspect, ServiceInspect, TaskInspect,
        NodeInspect, PluginInspect, SwarmInspect,
    }
    if let Ok(stats) = lenient::from_slice::<ContainerStats>(bytes) {
        let reckoned = [stats.cpu_percent(), stats.memory_percent()];
        assert!(reckoned.iter().all(|part| part.is_finite() && *part >= 0.0), "{reckoned:?}");
        let _ = (stats.name(), stats.memory_used(), stats.memory_limit(), stats.network_received());
        let _ = (stats.network_sent(), stats.block_read(), stats.block_written(), stats.pids());
    }
    if let Ok(raw) = Raw::<ContainerInspect>::from_slice(bytes) {
        assert_eq!(raw.json().as_bytes(), bytes);
        let tree = serde_json::from_str::<std::collections::BTreeMap<String, IgnoredAny>>(raw.json());
        assert!(tree.is_err() || raw.value().is_object(), "the tree is {}", raw.value());
        let _ = (raw.contains_key("Id"), raw.created.to_system_time(), raw.state.status.to_string());
    }
    if let Ok(top) = lenient::from_slice::<ContainerTop>(bytes) {
        let _ = top.titles.iter().map(|title| top.column(title).count()).sum::<usize>();
    }
    if let Ok(message) = lenient::from_slice::<ProgressMessage>(bytes) {
        let _ = message.error_message();
    }
}
