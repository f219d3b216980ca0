//! What a container uses: one sample.

use crate::decode::Decode;
use crate::{SortedMap, Timestamp};

/// Tells what a container uses, at one point in time. Fields of other platforms and cgroup versions are zero.
///
/// The methods compute what people read, the way the official command line does.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct ContainerStats {
    /// Id of the container.
    #[serde(alias = "Id")]
    pub id: String,
    /// Name of the container with a leading slash.
    #[serde(rename = "name")]
    pub slashed_name: String,
    /// Operating system, `linux` or `windows`, API 1.52+.
    pub os_type: String,
    /// When this sample was taken; [zero](Timestamp::is_zero) if the container does not run.
    pub read: Timestamp,
    /// When the sample before was taken; [zero](Timestamp::is_zero) if there is none.
    pub preread: Timestamp,
    /// CPU time so far.
    pub cpu_stats: CpuStats,
    /// CPU time at the sample before; zero if there is none, as in the first sample of a stream.
    pub precpu_stats: CpuStats,
    /// Memory.
    pub memory_stats: MemoryStats,
    /// Traffic so far, by interface; empty without a network of its own.
    pub networks: SortedMap<String, NetworkStats>,
    /// Processes and threads.
    pub pids_stats: PidsStats,
    /// Block I/O so far (Linux).
    pub blkio_stats: BlkioStats,
    /// Number of processors of the host (Windows).
    pub num_procs: u32,
    /// Disk I/O so far (Windows).
    pub storage_stats: StorageStats,
}

impl ContainerStats {
    /// Returns the name without the slash that engines put before it.
    pub fn name(&self) -> &str {
        self.slashed_name.strip_prefix('/').unwrap_or(&self.slashed_name)
    }

    /// Returns the CPU time used since the sample before, in percent of one CPU: 200.0 are two CPUs at full load.
    ///
    /// It is 0.0 if there is no sample before, as in the first of a stream and with `one-shot`.
    pub fn cpu_percent(&self) -> f64 {
        if self.is_windows() { self.cpu_percent_windows() } else { self.cpu_percent_linux() }
    }

    fn cpu_percent_linux(&self) -> f64 {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now.cpu_usage.total_usage.saturating_sub(before.cpu_usage.total_usage);
        let passed = now.system_cpu_usage.saturating_sub(before.system_cpu_usage);
        if before.system_cpu_usage == 0 || passed == 0 {
            return 0.0;
        }
        let cpus = match now.online_cpus {
            0 => now.cpu_usage.percpu_usage.len() as f64,
            cpus => f64::from(cpus),
        };
        used as f64 / passed as f64 * cpus * 100.0
    }

    fn cpu_percent_windows(&self) -> f64 {
        let (Some(now), Some(before)) = (self.read.to_system_time(), self.preread.to_system_time()) else { return 0.0 };
        let passed = now.duration_since(before).unwrap_or_default().as_nanos() / 100 * u128::from(self.num_procs);
        let total = |stats: &CpuStats| stats.cpu_usage.total_usage;
        let used = total(&self.cpu_stats).saturating_sub(total(&self.precpu_stats));
        if passed == 0 { 0.0 } else { used as f64 / passed as f64 * 100.0 }
    }

    /// Returns the memory in use, in bytes, without the file cache that the kernel can take back at once.
    pub fn memory_used(&self) -> u64 {
        let memory = &self.memory_stats;
        if self.is_windows() {
            return memory.private_working_set;
        }
        // cgroup v1 counts the children only in the `total_` figures, v2 has no such figures.
        let cache = ["total_inactive_file", "inactive_file"].into_iter().filter_map(|name| memory.stats.get(name));
        let cache = cache.copied().find(|cache| *cache < memory.usage).unwrap_or(0);
        memory.usage - cache
    }

    /// Returns the memory limit in bytes: the host's memory if there is no other limit; 0 if it is not known.
    pub fn memory_limit(&self) -> u64 {
        self.memory_stats.limit
    }

    /// Returns the memory in use in percent of the limit; 0.0 if the limit is not known.
    pub fn memory_percent(&self) -> f64 {
        match self.memory_limit() {
            0 => 0.0,
            limit => self.memory_used() as f64 / limit as f64 * 100.0,
        }
    }

    /// Returns the bytes received so far, over all interfaces.
    pub fn network_received(&self) -> u64 {
        self.networks.values().fold(0, |sum, network| sum.saturating_add(network.rx_bytes))
    }

    /// Returns the bytes sent so far, over all interfaces.
    pub fn network_sent(&self) -> u64 {
        self.networks.values().fold(0, |sum, network| sum.saturating_add(network.tx_bytes))
    }

    /// Returns the bytes read from block devices so far.
    pub fn block_read(&self) -> u64 {
        if self.is_windows() { self.storage_stats.read_size_bytes } else { self.block_bytes('r') }
    }

    /// Returns the bytes written to block devices so far.
    pub fn block_written(&self) -> u64 {
        if self.is_windows() { self.storage_stats.write_size_bytes } else { self.block_bytes('w') }
    }

    /// Adds up the entries of one operation: cgroup v1 writes `Read`, v2 `read`.
    fn block_bytes(&self, operation: char) -> u64 {
        let entries = self.blkio_stats.io_service_bytes_recursive.iter();
        let entries = entries.filter(|entry| entry.operation.starts_with([operation, operation.to_ascii_uppercase()]));
        entries.fold(0, |sum, entry| sum.saturating_add(entry.value))
    }

    /// Returns the number of processes and threads.
    pub fn pids(&self) -> u64 {
        self.pids_stats.current
    }

    /// Tells whether it is a Windows container; engines before API 1.52 don't say, but count processors only there.
    fn is_windows(&self) -> bool {
        self.os_type == "windows" || (self.os_type.is_empty() && self.num_procs > 0)
    }
}

/// CPU time of a container and of the host.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct CpuStats {
    /// CPU time of the container.
    pub cpu_usage: CpuUsage,
    /// CPU time of the host since it started, over all CPUs, in nanoseconds (Linux).
    pub system_cpu_usage: u64,
    /// Number of CPUs of the host; 0 if not told.
    pub online_cpus: u32,
    /// How often it was held back by a limit (Linux).
    pub throttling_data: ThrottlingData,
}

/// CPU time of a container since it started, in nanoseconds (Windows: in units of 100 ns).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct CpuUsage {
    /// All of it.
    pub total_usage: u64,
    /// By CPU (cgroup v1).
    pub percpu_usage: Vec<u64>,
    /// In the kernel.
    pub usage_in_kernelmode: u64,
    /// In its own programs.
    pub usage_in_usermode: u64,
}

/// How often a CPU limit held a container back (Linux).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct ThrottlingData {
    /// Periods of the quota.
    pub periods: u64,
    /// Periods in which the quota was used up.
    pub throttled_periods: u64,
    /// Time it was held back, in nanoseconds.
    pub throttled_time: u64,
}

/// Memory of a container, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct MemoryStats {
    /// In use, file cache included (Linux); [`ContainerStats::memory_used`] is without.
    pub usage: u64,
    /// Most that ever was in use (cgroup v1).
    pub max_usage: u64,
    /// Figures of the kernel's `memory.stat`; cgroup v1 and v2 have other names (Linux).
    pub stats: SortedMap<String, u64>,
    /// How often the limit was hit (cgroup v1).
    #[serde(rename = "failcnt")]
    pub fail_count: u64,
    /// Limit; the host's memory if there is none (Linux).
    pub limit: u64,
    /// Committed (Windows).
    #[serde(rename = "commitbytes")]
    pub commit_bytes: u64,
    /// Most that ever was committed (Windows).
    #[serde(rename = "commitpeakbytes")]
    pub commit_peak_bytes: u64,
    /// Used by this container alone (Windows).
    #[serde(rename = "privateworkingset")]
    pub private_working_set: u64,
}

/// Traffic of one interface since the container started.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct NetworkStats {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Errors in receiving (Linux).
    pub rx_errors: u64,
    /// Packets dropped on the way in.
    pub rx_dropped: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Errors in sending (Linux).
    pub tx_errors: u64,
    /// Packets dropped on the way out.
    pub tx_dropped: u64,
    /// Id of the endpoint (Windows).
    pub endpoint_id: String,
    /// Id of the instance (Windows).
    pub instance_id: String,
}

/// Processes and threads of a container (Linux).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct PidsStats {
    /// How many there are.
    pub current: u64,
    /// How many there may be; 0 or `u64::MAX` for no limit.
    pub limit: u64,
}

/// Block I/O of a container since it started (Linux). With cgroup v2 only the bytes are told.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct BlkioStats {
    /// Bytes.
    pub io_service_bytes_recursive: Vec<BlkioEntry>,
    /// Operations (cgroup v1).
    pub io_serviced_recursive: Vec<BlkioEntry>,
    /// Operations in the queue by now (cgroup v1).
    pub io_queue_recursive: Vec<BlkioEntry>,
    /// Time between dispatch and completion, in nanoseconds (cgroup v1).
    pub io_service_time_recursive: Vec<BlkioEntry>,
    /// Time in queues, in nanoseconds (cgroup v1).
    pub io_wait_time_recursive: Vec<BlkioEntry>,
    /// Operations merged into others (cgroup v1).
    pub io_merged_recursive: Vec<BlkioEntry>,
    /// Time devices were at work for it, in milliseconds (cgroup v1).
    pub io_time_recursive: Vec<BlkioEntry>,
    /// Sectors (cgroup v1).
    pub sectors_recursive: Vec<BlkioEntry>,
}

/// One figure of block I/O: of one device and one operation (Linux).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct BlkioEntry {
    /// Major number of the device.
    pub major: u64,
    /// Minor number of the device.
    pub minor: u64,
    /// Operation, such as `read` and `write` (cgroup v1: `Read`, `Write`, `Sync`, `Total` …).
    #[serde(rename = "op")]
    pub operation: String,
    /// The figure, in the unit of the list it is in.
    pub value: u64,
}

/// Disk I/O of a container since it started (Windows).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct StorageStats {
    /// Reads, as if each had 8 KiB.
    pub read_count_normalized: u64,
    /// Bytes read.
    pub read_size_bytes: u64,
    /// Writes, as if each had 8 KiB.
    pub write_count_normalized: u64,
    /// Bytes written.
    pub write_size_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: serde_json::Value) -> ContainerStats {
        crate::decode::from_slice(json.to_string().as_bytes()).unwrap()
    }

    fn cpu(total: u64, system: u64) -> serde_json::Value {
        serde_json::json!({"cpu_usage": {"total_usage": total}, "system_cpu_usage": system, "online_cpus": 4})
    }

    #[test]
    fn computes_cpu_from_two_samples() {
        let stats = decode(serde_json::json!({"cpu_stats": cpu(3_000, 9_000), "precpu_stats": cpu(1_000, 1_000)}));
        assert_eq!(stats.cpu_percent(), 100.0);
        let mut old = stats.clone();
        old.cpu_stats.online_cpus = 0;
        old.cpu_stats.cpu_usage.percpu_usage = vec![1, 2];
        assert_eq!(old.cpu_percent(), 50.0);
        let first = ContainerStats { precpu_stats: CpuStats::default(), ..stats.clone() };
        assert_eq!(first.cpu_percent(), 0.0);
        let backwards = ContainerStats { precpu_stats: stats.cpu_stats, cpu_stats: stats.precpu_stats, ..stats };
        assert_eq!(backwards.cpu_percent(), 0.0);
        assert_eq!(ContainerStats::default().cpu_percent(), 0.0);
    }

    #[test]
    fn takes_the_file_cache_off_memory() {
        let v1 = r#"{"usage": 100, "limit": 400, "stats": {"inactive_file": 1, "total_inactive_file": 40}}"#;
        let v2 = r#"{"usage": 100, "limit": 400, "stats": {"inactive_file": 30, "anon": null}}"#;
        let odd = r#"{"usage": 100, "limit": 0, "stats": {"inactive_file": 100}}"#;
        for (memory, used, percent) in [(v1, 60, 15.0), (v2, 70, 17.5), (odd, 100, 0.0), ("null", 0, 0.0)] {
            let memory: serde_json::Value = serde_json::from_str(memory).unwrap();
            let stats = decode(serde_json::json!({"memory_stats": memory}));
            assert_eq!(stats.memory_used(), used);
            assert_eq!(stats.memory_percent(), percent);
        }
    }

    #[test]
    fn adds_up_networks_and_devices() {
        let stats = decode(serde_json::json!({
            "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 10}, "eth1": {"rx_bytes": 2, "tx_bytes": u64::MAX}, "eth2": null},
            "blkio_stats": {"io_service_bytes_recursive": [
                {"op": "Read", "value": 5}, {"op": "read", "value": 6}, {"op": "write", "value": 7},
                {"op": "Total", "value": 18}, {"op": "", "value": 99}, null
            ]},
            "pids_stats": {"current": 3, "limit": -1},
        }));
        assert_eq!((stats.network_received(), stats.network_sent()), (3, u64::MAX));
        assert_eq!((stats.block_read(), stats.block_written()), (11, 7));
        assert_eq!((stats.pids(), stats.pids_stats.limit), (3, 0));
    }

    #[test]
    fn reads_windows() {
        let mut stats = decode(serde_json::json!({
            "read": "2025-01-16T13:55:22Z", "preread": "2025-01-16T13:55:21Z", "num_procs": 2,
            "cpu_stats": {"cpu_usage": {"total_usage": 6_000_000}}, "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000}},
            "memory_stats": {"commitbytes": 9, "privateworkingset": 7},
            "storage_stats": {"read_size_bytes": 5, "write_size_bytes": 6},
        }));
        assert_eq!(stats.cpu_percent(), 25.0);
        assert_eq!((stats.memory_used(), stats.memory_percent()), (7, 0.0));
        assert_eq!((stats.block_read(), stats.block_written()), (5, 6));
        stats.preread = Timestamp::default();
        assert_eq!(stats.cpu_percent(), 0.0);
    }
}
