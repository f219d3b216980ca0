//! Messages of pull, push, import, load and build.

use serde_json::Value;

use crate::decode::Decode;

/// One message of a pull, push, import, load or build. Any field may be missing.
///
/// The stream is a 200 even if the work fails: look for an [`error_message`](Self::error_message).
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProgressMessage {
    /// What is going on, such as `Downloading`.
    pub status: String,
    /// What it is about: usually the short id of a layer.
    pub id: String,
    /// How far it is.
    pub progress_detail: ProgressDetail,
    /// A bar for people, until API 1.47.
    pub progress: String,
    /// Output of a build.
    pub stream: String,
    /// What went wrong.
    pub error_detail: Option<ErrorDetail>,
    /// What went wrong, until API 1.47.
    pub error: String,
    /// Something for programs, such as the id of the image; `null` if there is none.
    pub aux: Value,
}

impl ProgressMessage {
    /// Returns what went wrong, if this message tells of a failure.
    pub fn error_message(&self) -> Option<&str> {
        let detail = self.error_detail.as_ref().map(|detail| detail.message.as_str());
        match detail.filter(|message| !message.is_empty()) {
            None if self.error.is_empty() => detail,
            None => Some(&self.error),
            message => message,
        }
    }
}

/// Tells how far one step is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct ProgressDetail {
    /// How much is done, in [`units`](Self::units).
    pub current: i64,
    /// How much there is to do; 0 or less if not known.
    pub total: i64,
    /// When the step began, in seconds since 1970; 0 if not told.
    pub start: i64,
    /// Asks not to show the figures.
    #[serde(rename = "hidecounts")]
    pub hide_counts: bool,
    /// What is counted, such as `s`; bytes if empty.
    pub units: String,
}

/// Tells what went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// HTTP status or exit code that fits; 0 if not told.
    pub code: i64,
    /// The engine's words.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_error_wherever_it_is() {
        let cases = [
            (r#"{"status": "Pulling", "id": "0a1b", "progressDetail": {}, "aux": null}"#, None),
            (r#"{"error": "old", "errorDetail": null}"#, Some("old")),
            (r#"{"error": "old", "errorDetail": {"code": 404, "message": "new"}}"#, Some("new")),
            (r#"{"error": "old", "errorDetail": {"message": ""}}"#, Some("old")),
            (r#"{"errorDetail": {"message": "new"}}"#, Some("new")),
            (r#"{"errorDetail": {}}"#, Some("")),
            ("{}", None),
        ];
        for (json, expected) in cases {
            let message: ProgressMessage = crate::decode::from_slice(json.as_bytes()).unwrap();
            assert_eq!(message.error_message(), expected, "{json}");
        }
    }
}
