use longshore_models::{ContainerUpdated, Resources, RestartPolicy, UpdateBody};

use super::{Container, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// The limits to change, and when the engine restarts the container; what is not set stays as it is.
///
/// ```
/// use longshore::RestartPolicy;
/// use longshore::container::UpdateOptions;
///
/// let smaller = UpdateOptions::default().memory(256 << 20).cpus(1.5).restart(RestartPolicy::always());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UpdateOptions {
    /// The limits to change; those that are zero or empty stay as they are.
    pub resources: Resources,
    /// When the engine restarts the container; as it is unless set.
    pub restart_policy: Option<RestartPolicy>,
}

impl UpdateOptions {
    /// Limits the memory, in bytes; 0 leaves it as it is.
    ///
    /// It can't exceed a limit on memory and swap together that the container has: raise that one too then, by
    /// [`memory_swap`](UpdateOptions::memory_swap).
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.resources.memory = signed(bytes);
        self
    }

    /// Keeps the memory free for the container down to which the engine presses it when memory is scarce, in bytes.
    #[must_use]
    pub fn memory_reservation(mut self, bytes: u64) -> Self {
        self.resources.memory_reservation = signed(bytes);
        self
    }

    /// Limits memory and swap together, in bytes. Not less than the memory.
    #[must_use]
    pub fn memory_swap(mut self, bytes: u64) -> Self {
        self.resources.memory_swap = signed(bytes);
        self
    }

    /// Takes the limit off swap, and leaves that on memory.
    #[must_use]
    pub fn unlimited_swap(mut self) -> Self {
        self.resources.memory_swap = -1;
        self
    }

    /// Limits the processor time, in processors to nine decimals: 1.5 is one and a half; 0 leaves it as it is.
    ///
    /// It is sent as `NanoCpus`, which excludes a period and quota of its own.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Self {
        self.resources.nano_cpus = (cpus * 1e9).round() as i64;
        self
    }

    /// Sets the weight against other containers where processors are scarce; 1024 is the usual one.
    #[must_use]
    pub fn cpu_shares(mut self, shares: u64) -> Self {
        self.resources.cpu_shares = signed(shares);
        self
    }

    /// Lets it run on these processors only, such as `0-2,4`.
    #[must_use]
    pub fn cpuset_cpus(mut self, cpus: impl Into<String>) -> Self {
        self.resources.cpuset_cpus = cpus.into();
        self
    }

    /// Limits the number of its processes and threads.
    #[must_use]
    pub fn pids_limit(mut self, count: u32) -> Self {
        self.resources.pids_limit = Some(i64::from(count));
        self
    }

    /// Takes the limit off the number of its processes and threads.
    #[must_use]
    pub fn unlimited_pids(mut self) -> Self {
        self.resources.pids_limit = Some(-1);
        self
    }

    /// Says when the engine restarts the container.
    #[must_use]
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart_policy = Some(policy);
        self
    }
}

impl Container {
    /// Changes the limits of the container, running or not, and when the engine restarts it.
    ///
    /// `POST /containers/{id}/update`, API 1.24+. The warnings tell what the engine's machine can't limit.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Unsupported`](crate::ErrorKind::Unsupported) from Podman 4, which lacks the
    /// operation;
    /// [`Invalid`](crate::ErrorKind::Invalid),
    /// [`Conflict`](crate::ErrorKind::Conflict) or [`Server`](crate::ErrorKind::Server), by engine, for limits that
    /// contradict each other or that the container exceeds already.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be changed all the same.
    #[doc(alias = "update")]
    pub async fn update_with(&self, options: &UpdateOptions) -> Result<ContainerUpdated> {
        self.docker.send(update(&self.id, options)?).await?.json().await
    }
}

fn update(id: &str, options: &UpdateOptions) -> Result<Request> {
    let mut body = UpdateBody::default();
    body.resources = options.resources.clone();
    body.restart_policy = options.restart_policy.clone();
    request(Method::Post, "update container", id, "update")?.unbounded().json(&body)
}

/// No machine has more than an `i64` can tell.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    fn body(options: UpdateOptions) -> String {
        let text = text(update("web", &options));
        let head = "POST /containers/web/update\nContent-Type: application/json\n\n";
        text.strip_prefix(head).unwrap().to_owned()
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(body(UpdateOptions::default()), "{}");
        let options = UpdateOptions::default().memory(64 << 20).memory_swap(u64::MAX).cpus(0.1).cpu_shares(512);
        let options = options.memory_reservation(1).cpuset_cpus("0-1").pids_limit(7);
        assert_eq!(
            body(options.restart(RestartPolicy::on_failure(3))),
            "{\"CpuShares\":512,\"Memory\":67108864,\"NanoCpus\":100000000,\"CpusetCpus\":\"0-1\",\
             \"MemoryReservation\":1,\"MemorySwap\":9223372036854775807,\"PidsLimit\":7,\
             \"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3}}"
        );
        assert_eq!(
            body(UpdateOptions::default().unlimited_swap().unlimited_pids()),
            r#"{"MemorySwap":-1,"PidsLimit":-1}"#
        );
    }
}
