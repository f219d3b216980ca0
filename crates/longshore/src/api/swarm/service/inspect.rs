use longshore_models::{Raw, ServiceInspect};

use super::{Service, request};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// What to tell of a service.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceInspectOptions {
    /// Whether to fill what the spec does not say with the defaults that hold.
    pub insert_defaults: bool,
}

impl ServiceInspectOptions {
    /// Fills what the spec does not say with the defaults that hold, such as the pause before a restart.
    #[must_use]
    pub fn insert_defaults(mut self) -> Self {
        self.insert_defaults = true;
        self
    }
}

impl Service {
    /// Tells everything about the service, but for its tasks.
    ///
    /// `GET /services/{id}`, API 1.24+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no
    /// swarm.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<ServiceInspect>> {
        self.inspect_with(&ServiceInspectOptions::default()).await
    }

    /// Tells everything about the service, as `options` say; see [`inspect`](Service::inspect).
    ///
    /// # Errors
    /// As [`inspect`](Service::inspect).
    ///
    /// # Cancel safety
    /// As [`inspect`](Service::inspect).
    pub async fn inspect_with(&self, options: &ServiceInspectOptions) -> Result<Raw<ServiceInspect>> {
        let operation = Operation::on("inspect service", &self.id);
        self.docker.send(inspect(&self.id, options, &operation)?).await?.raw().await
    }
}

pub(super) fn inspect(id: &str, options: &ServiceInspectOptions, operation: &Operation) -> Result<Request> {
    let mut request = request(Method::Get, operation, id, "")?;
    request.query.flag("insertDefaults", options.insert_defaults);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let operation = Operation::on("inspect service", "web");
        let options = ServiceInspectOptions::default();
        assert_eq!(text(inspect("web", &options, &operation)), "GET /services/web");
        assert_eq!(text(inspect("web", &options.insert_defaults(), &operation)), "GET /services/web?insertDefaults=1");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["", "..", "."] {
            let operation = Operation::on("inspect service", bad);
            let error = inspect(bad, &ServiceInspectOptions::default(), &operation).unwrap_err();
            assert_eq!((error.kind(), error.target()), (ErrorKind::Invalid, Some(bad)));
        }
    }
}
