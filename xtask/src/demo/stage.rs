//! What the demo prints with: titles, code, labelled lines, none wider than [`WIDTH`].

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::interrupt::Interrupts;
use crate::error::{Context, Error, Result};

/// The most characters of a line.
pub(super) const WIDTH: usize = 100;

/// The characters of a label.
const LABEL_WIDTH: usize = 9;

/// Runs statements, and prints them before, so that what the reader sees is what is done.
macro_rules! show {
    ($stage:expr => $($code:tt)*) => {
        $stage.code(stringify!($($code)*))?;
        $($code)*
    };
}
pub(super) use show;

/// The terminal, pipe or file that the demo is told to.
pub(super) struct Stage {
    colour: bool,
    interrupts: Interrupts,
    titles: AtomicUsize,
}

/// How a piece of text stands out on a terminal, as the parameter of the escape sequence.
#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Code,
    Good,
    Warning,
}

impl Style {
    fn parameter(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Code => "36",
            Style::Good => "32",
            Style::Warning => "33",
        }
    }
}

impl Stage {
    /// The standard output; in colour if it is a terminal and `NO_COLOR` is not set.
    pub(super) fn new(interrupts: Interrupts) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self { colour: std::io::stdout().is_terminal() && !unwanted, interrupts, titles: AtomicUsize::new(0) }
    }

    /// Opens a step.
    pub(super) fn title(&self, title: &str) -> Result<()> {
        let number = self.titles.fetch_add(1, Ordering::Relaxed) + 1;
        self.say(&format!("\n{}", self.styled(Style::Bold, &format!("{number:>2}  {title}"))))
    }

    /// Shows the Rust that is about to run.
    pub(super) fn code(&self, code: &str) -> Result<()> {
        let lines = wrapped(&on_one_line(code), WIDTH - 8).into_iter().enumerate();
        let lines = lines.map(|(index, line)| {
            format!("    {}{}", if index == 0 { "" } else { "    " }, self.styled(Style::Code, &line))
        });
        self.say(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// Prints a result of a step.
    pub(super) fn result(&self, label: &str, text: &str) -> Result<()> {
        self.say(&self.labelled(label, text))
    }

    /// Closes a step.
    pub(super) fn done(&self, took: Duration) -> Result<()> {
        let took = format!("{:.2} s", took.as_secs_f64());
        self.say(&format!("    {} {}", self.styled(Style::Good, "✓"), self.styled(Style::Dim, &took)))
    }

    /// Ends the steps.
    pub(super) fn curtain(&self) {
        let _ = writeln!(std::io::stdout());
    }

    /// Prints a fact about the run as a whole, interrupted or not, and whether anybody reads it or not.
    pub(super) fn note(&self, label: &str, text: &str) {
        let mut lines = wrapped(text, WIDTH - LABEL_WIDTH - 1).into_iter();
        let first = lines.next().unwrap_or_default();
        let mut note = format!("{} {first}", self.styled(Style::Bold, &format!("{label:<LABEL_WIDTH$}")));
        for line in lines {
            let _ = write!(note, "\n{:LABEL_WIDTH$} {line}", "");
        }
        let _ = writeln!(std::io::stdout(), "{note}");
    }

    /// Waits for `future`, but no longer than to an interruption. For calls that change nothing.
    pub(super) async fn until_interrupted<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            value = future => Ok(value),
            () = self.interrupts.wait() => Err(interrupted()),
        }
    }

    fn labelled(&self, label: &str, text: &str) -> String {
        let style = if label == "stderr" { Style::Warning } else { Style::Plain };
        let room = WIDTH - 4 - LABEL_WIDTH - 3;
        let lines = wrapped(text, room).into_iter().enumerate().map(|(index, line)| {
            let label = format!("{:<LABEL_WIDTH$} │", if index == 0 { label } else { "" });
            format!("    {} {}", self.styled(Style::Dim, &label), self.styled(style, &line))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Prints for the tour, which ends where it can't be told any more.
    fn say(&self, text: &str) -> Result<()> {
        if self.interrupts.happened().is_some() {
            return Err(interrupted());
        }
        writeln!(std::io::stdout(), "{text}").context(|| "print".to_owned())
    }

    fn styled(&self, style: Style, text: &str) -> String {
        match style.parameter() {
            parameter if self.colour && !parameter.is_empty() => format!("\x1b[{parameter}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

fn interrupted() -> Error {
    Error::new("interrupted")
}

/// Undoes the line breaks of `stringify!`, which come earlier than need be.
fn on_one_line(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Breaks a text into lines of at most `width` characters, at spaces where there are some; at least one line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    // Much of it is what engines and containers wrote.
    for line in longshore::sanitize(text).trim_end().split('\n') {
        let mut rest: Vec<char> =
            line.chars().map(|character| if character == '\t' { ' ' } else { character }).collect();
        while rest.len() > width {
            let space = rest.iter().take(width + 1).rposition(|character| *character == ' ');
            let (end, skipped) = space.filter(|end| *end > 0).map_or((width, 0), |end| (end, 1));
            lines.push(rest.drain(..end).collect());
            rest.drain(..skipped);
        }
        lines.push(rest.into_iter().collect::<String>().trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_spaces_or_where_they_must() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("a\nb\n", 3), ["a", "b"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("\x1b[31mé\t\x1b[2J", 9), ["é ␛[2J"]);
    }

    #[test]
    fn code_is_shown_as_it_is_written() {
        let shown = stringify!(let out = docker.containers().output(Spec::image(image).cmd(["echo", "hi"])).await?;);
        let written = r#"let out = docker.containers().output(Spec::image(image).cmd(["echo", "hi"])).await?;"#;
        assert_eq!(on_one_line(shown), written);
    }
}
