//! Limits a container runs under, shared by create, update and inspect.

use serde::Serialize;

use crate::decode::Decode;
use crate::{SortedMap, is_default};

/// Limits of a container. Zero and empty mean "not limited", and in an update "leave as it is".
///
/// The lists per device are told apart further: in an update `None` leaves them and an empty list clears them, API 1.55+
/// (before, updates don't touch them).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Resources {
    /// Weight against other containers when CPUs are busy; the engine's default is 1024.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_shares: i64,
    /// Memory limit in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub memory: i64,
    /// CPU limit in billionths of a CPU: 1.5 CPUs are 1,500,000,000.
    #[serde(skip_serializing_if = "is_default")]
    pub nano_cpus: i64,
    /// Cgroup to make the container's cgroup in; a relative path counts from the init process's.
    #[serde(skip_serializing_if = "is_default")]
    pub cgroup_parent: String,
    /// Weight of block I/O against other containers, 10 to 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub blkio_weight: u16,
    /// Weight of block I/O per device.
    #[serde(skip_serializing_if = "is_default")]
    pub blkio_weight_device: Option<Vec<WeightDevice>>,
    /// Limits of reading, in bytes per second.
    #[serde(skip_serializing_if = "is_default")]
    pub blkio_device_read_bps: Option<Vec<ThrottleDevice>>,
    /// Limits of writing, in bytes per second.
    #[serde(skip_serializing_if = "is_default")]
    pub blkio_device_write_bps: Option<Vec<ThrottleDevice>>,
    /// Limits of reading, in operations per second.
    #[serde(rename = "BlkioDeviceReadIOps", skip_serializing_if = "is_default")]
    pub blkio_device_read_iops: Option<Vec<ThrottleDevice>>,
    /// Limits of writing, in operations per second.
    #[serde(rename = "BlkioDeviceWriteIOps", skip_serializing_if = "is_default")]
    pub blkio_device_write_iops: Option<Vec<ThrottleDevice>>,
    /// Length of a period of the CPU quota, in microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_period: i64,
    /// CPU time in each period, in microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_quota: i64,
    /// Length of a real-time period, in microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_realtime_period: i64,
    /// CPU time of real-time tasks in each real-time period, in microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_realtime_runtime: i64,
    /// CPUs it may run on, as `0-3` or `0,1`.
    #[serde(skip_serializing_if = "is_default")]
    pub cpuset_cpus: String,
    /// Memory nodes it may use, as `0-3` or `0,1`.
    #[serde(skip_serializing_if = "is_default")]
    pub cpuset_mems: String,
    /// Devices of the host the container sees.
    #[serde(skip_serializing_if = "is_default")]
    pub devices: Vec<DeviceMapping>,
    /// Rules of the device cgroup, as `c 13:* rwm`.
    #[serde(skip_serializing_if = "is_default")]
    pub device_cgroup_rules: Vec<String>,
    /// Devices that device drivers provide, such as GPUs.
    #[serde(skip_serializing_if = "is_default")]
    pub device_requests: Vec<DeviceRequest>,
    /// Limit of kernel memory in bytes, deprecated, until API 1.41.
    #[serde(skip_serializing_if = "is_default")]
    pub kernel_memory: i64,
    /// Limit of kernel TCP buffers in bytes, deprecated, until API 1.51.
    #[serde(rename = "KernelMemoryTCP", skip_serializing_if = "is_default")]
    pub kernel_memory_tcp: i64,
    /// Memory the container is pushed back to when the host runs short, in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_reservation: i64,
    /// Limit of memory and swap together, in bytes; -1 for no limit of swap.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_swap: i64,
    /// How eagerly memory is swapped out, 0 to 100; `None` for the host's way.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_swappiness: Option<i64>,
    /// Whether processes survive running out of memory; `None` where the engine can't control it.
    #[serde(skip_serializing_if = "is_default")]
    pub oom_kill_disable: Option<bool>,
    /// Whether an init process forwards signals and reaps children; `None` for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub init: Option<bool>,
    /// Limit of processes; 0 and -1 for none; `None` for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub pids_limit: Option<i64>,
    /// Limits of the processes' own resources, such as open files.
    #[serde(skip_serializing_if = "is_default")]
    pub ulimits: Vec<Ulimit>,
    /// Number of CPUs (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_count: i64,
    /// Share of the CPUs in percent (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_percent: i64,
    /// Limit of the system drive in operations per second (Windows).
    #[serde(rename = "IOMaximumIOps", skip_serializing_if = "is_default")]
    pub io_maximum_iops: u64,
    /// Limit of the system drive in bytes per second (Windows).
    #[serde(rename = "IOMaximumBandwidth", skip_serializing_if = "is_default")]
    pub io_maximum_bandwidth: u64,
}

/// Gives block I/O of a device a weight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WeightDevice {
    /// Path of the device on the host.
    pub path: String,
    /// Weight against other containers, 10 to 1000.
    pub weight: u16,
}

impl WeightDevice {
    /// Gives the device a weight from 10 to 1000.
    pub fn new(path: impl Into<String>, weight: u16) -> Self {
        Self { path: path.into(), weight }
    }
}

/// Limits the rate of a device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ThrottleDevice {
    /// Path of the device on the host.
    pub path: String,
    /// Bytes or operations per second, as the field that holds it says.
    pub rate: u64,
}

impl ThrottleDevice {
    /// Limits the device to that many bytes or operations per second.
    pub fn new(path: impl Into<String>, rate: u64) -> Self {
        Self { path: path.into(), rate }
    }
}

/// Shows a device of the host to a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DeviceMapping {
    /// Path of the device on the host.
    pub path_on_host: String,
    /// Path of the device in the container.
    pub path_in_container: String,
    /// What the container may do: some of `r`, `w` and `m` (make nodes).
    pub cgroup_permissions: String,
}

impl DeviceMapping {
    /// Shows a device under another path, with permissions `rwm`.
    pub fn new(path_on_host: impl Into<String>, path_in_container: impl Into<String>) -> Self {
        let (path_on_host, path_in_container) = (path_on_host.into(), path_in_container.into());
        Self { path_on_host, path_in_container, cgroup_permissions: "rwm".into() }
    }

    /// Sets what the container may do: some of `r`, `w` and `m` (make nodes).
    #[must_use]
    pub fn permissions(mut self, permissions: impl Into<String>) -> Self {
        self.cgroup_permissions = permissions.into();
        self
    }
}

/// Asks device drivers for devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DeviceRequest {
    /// Name of the driver; empty to go by capabilities.
    #[serde(skip_serializing_if = "is_default")]
    pub driver: String,
    /// How many devices; -1 for all.
    #[serde(skip_serializing_if = "is_default")]
    pub count: i64,
    /// Which devices, instead of a count.
    #[serde(rename = "DeviceIDs", skip_serializing_if = "is_default")]
    pub device_ids: Vec<String>,
    /// What the devices must be able to do: any of these sets, each whole.
    #[serde(skip_serializing_if = "is_default")]
    pub capabilities: Vec<Vec<String>>,
    /// What the driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
}

impl DeviceRequest {
    /// Asks for that many GPUs; -1 for all.
    pub fn gpus(count: i64) -> Self {
        Self { count, capabilities: vec![vec!["gpu".into()]], ..Self::default() }
    }
}

/// Limits a resource of each process in a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Ulimit {
    /// Name as in `limits.conf`, such as `nofile`.
    pub name: String,
    /// Limit a process may raise itself; -1 for none.
    pub soft: i64,
    /// Limit of the soft limit; -1 for none.
    pub hard: i64,
}

impl Ulimit {
    /// Sets the limit of a resource, by its name in `limits.conf`; -1 for none.
    pub fn new(name: impl Into<String>, soft: i64, hard: i64) -> Self {
        Self { name: name.into(), soft, hard }
    }
}
