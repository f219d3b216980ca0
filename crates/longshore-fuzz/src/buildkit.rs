//! BuildKit's traces.

use longshore_wire::buildkit::BuildTrace;

/// Reads these bytes as a trace, and as one in base64.
pub fn check(bytes: &[u8]) {
    if let Ok(trace) = BuildTrace::from_bytes(bytes) {
        let output: usize = trace.output.iter().map(|output| output.bytes.len()).sum();
        assert!(output <= bytes.len(), "{output} bytes of output out of {}", bytes.len());
        let parts = trace.steps.len() + trace.progress.len() + trace.output.len() + trace.warnings.len();
        assert!(parts * 2 <= bytes.len(), "{parts} parts out of {} bytes", bytes.len());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = BuildTrace::from_base64(text);
    }
}
