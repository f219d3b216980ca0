use std::time::Duration;

/// How long the client waits, each for its own part of a call.
///
/// A deadline that is not set never passes. Streams live as long as they are read unless `idle` or `total` is set.
///
/// | deadline | bounds | unless set |
/// |---|---|---|
/// | `connect` | opening a connection | 10 s |
/// | `head` | from the request sent to the head of the answer | 120 s; none where the engine works as long as it takes, such as `stop`, `wait` or `commit` |
/// | `idle` | each silence inside an answer or stream that is being read | none |
/// | `total` | the whole call, to the end of its answer or stream | none |
/// | `credentials` | each question to a credential helper, before the request is sent | 30 s; no longer than `total` |
///
/// ```
/// use std::time::Duration;
/// use longshore::Deadlines;
///
/// let deadlines = Deadlines::default().connect(Duration::from_secs(2)).idle(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub(crate) connect: Option<Duration>,
    pub(crate) head: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) credentials: Option<Duration>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines {
            connect: Some(Duration::from_secs(10)),
            head: Some(Duration::from_secs(120)),
            idle: None,
            total: None,
            credentials: Some(Duration::from_secs(30)),
        }
    }
}

impl Deadlines {
    /// No deadline at all.
    pub const NONE: Deadlines = Deadlines { connect: None, head: None, idle: None, total: None, credentials: None };

    /// Bounds the opening of a connection.
    #[must_use]
    pub fn connect(mut self, limit: Duration) -> Self {
        self.connect = Some(limit);
        self
    }

    /// Bounds the time from the request sent to the head of the answer.
    ///
    /// It does not apply to operations that take the engine as long as they take.
    #[must_use]
    pub fn head(mut self, limit: Duration) -> Self {
        self.head = Some(limit);
        self
    }

    /// Bounds each silence inside an answer or stream, counted from when the reader found nothing to read.
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = Some(limit);
        self
    }

    /// Bounds the whole call, to the end of its answer or stream.
    #[must_use]
    pub fn total(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// Bounds each question to a program that keeps credentials for registries.
    #[must_use]
    pub fn credentials(mut self, limit: Duration) -> Self {
        self.credentials = Some(limit);
        self
    }
}
