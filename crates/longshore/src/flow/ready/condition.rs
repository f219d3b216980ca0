//! What a container can be waited for.

use std::fmt;
use std::ops;
use std::sync::Arc;

use longshore_models::{ContainerState, HealthStatus, Port};

use crate::stream::Line;

/// The container runs, paused or not.
pub fn running() -> Condition {
    Condition(Node::Running)
}

/// The container runs, and its health check says that it is healthy.
pub fn healthy() -> Condition {
    Condition(Node::Healthy)
}

/// The container has run and ended. One that had ended before the wait meets it at once: to wait for the end of the next
/// run, see [`Until::NextExit`](crate::Until::NextExit).
pub fn exited() -> Condition {
    Condition(Node::Exited)
}

/// The container is no more.
pub fn removed() -> Condition {
    Condition(Node::Removed)
}

/// The container has written a line with this text since it was last started. Lines of one that does not run count from
/// its next start on.
pub fn log_line(text: impl Into<String>) -> Condition {
    let text = text.into();
    let name = format!("a line with `{text}`");
    Condition(Node::Line(Matcher { name, matches: Arc::new(move |line| line.text().contains(&text)) }))
}

/// The container has written a line that `matches`, since it was last started; see [`log_line`].
pub fn log_line_where(matches: impl Fn(&Line) -> bool + Send + Sync + 'static) -> Condition {
    Condition(Node::Line(Matcher { name: "a matching line".to_owned(), matches: Arc::new(matches) }))
}

/// A port of the container accepts connections.
///
/// It is tried where it is published, on the engine's host; a container in the host's network has all its ports there.
/// What accepts a connection only to close it at once, as the engine's own proxy does until the container listens, does
/// not count.
pub fn port(port: impl Into<Port>) -> Condition {
    Condition(Node::Port(port.into()))
}

/// What a container is waited for; see [`Container::wait_until`](crate::Container::wait_until).
///
/// ```
/// use longshore::condition::{exited, healthy, log_line, port};
///
/// let ready = healthy().or(log_line("listening").and(port(5432)));
/// let failed = exited().and(!log_line("bye"));
/// assert_eq!(ready.to_string(), "(healthy or (a line with `listening` and port 5432/tcp))");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing by itself"]
pub struct Condition(Node);

#[derive(Clone, Debug)]
enum Node {
    Running,
    Healthy,
    Exited,
    Removed,
    Line(Matcher),
    Port(Port),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
}

#[derive(Clone)]
struct Matcher {
    name: String,
    matches: Arc<dyn Fn(&Line) -> bool + Send + Sync>,
}

/// Whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    NotYet,
    /// Not any more, unless somebody starts the container once again.
    Never,
}

/// What is known of a container.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) state: ContainerState,
    pub(super) health: Option<HealthStatus>,
    pub(super) removed: bool,
    /// Whether it has ended while it was watched, and all that it wrote was read.
    pub(super) over: bool,
    /// Which of the matchers have had their line, in the order of the condition.
    pub(super) lines: Vec<bool>,
    /// Which ports accept connections.
    pub(super) ports: Vec<Port>,
}

impl Seen {
    /// Whether it has run and ended.
    pub(super) fn has_ended(&self) -> bool {
        let ended = matches!(self.state, ContainerState::Exited | ContainerState::Stopped | ContainerState::Dead);
        ended || self.over || self.removed
    }
}

impl Condition {
    /// Is met when both are, at the same time. Lines of logs count from when they were written.
    pub fn and(self, other: Condition) -> Condition {
        Condition(match self.0 {
            Node::All(mut nodes) => {
                nodes.push(other.0);
                Node::All(nodes)
            }
            node => Node::All(vec![node, other.0]),
        })
    }

    /// Is met when one of both is.
    pub fn or(self, other: Condition) -> Condition {
        Condition(match self.0 {
            Node::Any(mut nodes) => {
                nodes.push(other.0);
                Node::Any(nodes)
            }
            node => Node::Any(vec![node, other.0]),
        })
    }

    pub(super) fn answer(&self, seen: &Seen) -> Answer {
        self.0.answer(seen, &mut seen.lines.iter().copied())
    }

    /// How many matchers of lines there are.
    pub(super) fn matchers(&self) -> usize {
        let mut count = 0;
        self.0.each(&mut |node| count += usize::from(matches!(node, Node::Line(_))));
        count
    }

    /// Whether a line more may make it false.
    pub(super) fn denies_lines(&self) -> bool {
        let mut denied = 0;
        self.0.each(&mut |node| {
            if let Node::Not(node) = node {
                node.each(&mut |node| denied += usize::from(matches!(node, Node::Line(_))));
            }
        });
        denied > 0
    }

    /// Notes which matchers a line satisfies.
    pub(super) fn note(&self, line: &Line, lines: &mut [bool]) {
        let mut lines = lines.iter_mut();
        self.0.each(&mut |node| {
            let Node::Line(matcher) = node else { return };
            if let Some(met) = lines.next() {
                *met |= (matcher.matches)(line);
            }
        });
    }

    pub(super) fn ports(&self) -> Vec<Port> {
        let mut ports = Vec::new();
        self.0.each(&mut |node| {
            if let Node::Port(port) = node
                && !ports.contains(port)
            {
                ports.push(port.clone());
            }
        });
        ports
    }
}

impl ops::Not for Condition {
    type Output = Condition;

    fn not(self) -> Condition {
        Condition(Node::Not(Box::new(self.0)))
    }
}

impl Node {
    fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| node.each(visit)),
            Node::Not(node) => node.each(visit),
            _ => {}
        }
    }

    fn answer(&self, seen: &Seen, lines: &mut dyn Iterator<Item = bool>) -> Answer {
        let runs = matches!(seen.state, ContainerState::Running | ContainerState::Paused);
        let may_come = if seen.over || seen.removed { Answer::Never } else { Answer::NotYet };
        let met = |met: bool| if met { Answer::Yes } else { may_come };
        match self {
            Node::Running => met(runs && !seen.removed),
            Node::Healthy => met(runs && !seen.removed && seen.health == Some(HealthStatus::Healthy)),
            Node::Port(port) => met(runs && !seen.removed && seen.ports.contains(port)),
            Node::Line(_) => met(lines.next().unwrap_or_default()),
            Node::Removed if seen.removed => Answer::Yes,
            Node::Removed => Answer::NotYet,
            Node::Exited => met(seen.has_ended()),
            // All are asked, since each of them takes its own from `lines`.
            Node::All(nodes) => worst(nodes.iter().map(|node| node.answer(seen, lines))),
            Node::Any(nodes) => best(nodes.iter().map(|node| node.answer(seen, lines))),
            Node::Not(node) => match node.answer(seen, lines) {
                Answer::Yes => may_come,
                Answer::NotYet | Answer::Never => Answer::Yes,
            },
        }
    }
}

fn worst(answers: impl Iterator<Item = Answer>) -> Answer {
    answers.fold(Answer::Yes, |sum, answer| match (sum, answer) {
        (Answer::Never, _) | (_, Answer::Never) => Answer::Never,
        (Answer::NotYet, _) | (_, Answer::NotYet) => Answer::NotYet,
        _ => Answer::Yes,
    })
}

fn best(answers: impl Iterator<Item = Answer>) -> Answer {
    answers.fold(Answer::Never, |sum, answer| match (sum, answer) {
        (Answer::Yes, _) | (_, Answer::Yes) => Answer::Yes,
        (Answer::NotYet, _) | (_, Answer::NotYet) => Answer::NotYet,
        _ => Answer::Never,
    })
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut join = |nodes: &[Node], word: &str| {
            for (index, node) in nodes.iter().enumerate() {
                write!(formatter, "{}{node}", if index == 0 { "(" } else { word })?;
            }
            formatter.write_str(")")
        };
        match self {
            Node::All(nodes) => join(nodes, " and "),
            Node::Any(nodes) => join(nodes, " or "),
            Node::Not(node) => write!(formatter, "not {node}"),
            Node::Running => formatter.write_str("running"),
            Node::Healthy => formatter.write_str("healthy"),
            Node::Exited => formatter.write_str("exited"),
            Node::Removed => formatter.write_str("removed"),
            Node::Line(matcher) => formatter.write_str(&matcher.name),
            Node::Port(port) => write!(formatter, "port {port}"),
        }
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use longshore_wire::demux::Source;

    use super::*;

    fn seen(state: ContainerState) -> Seen {
        Seen { state, ..Seen::default() }
    }

    #[test]
    fn states_are_told_apart() {
        use Answer::{Never, NotYet, Yes};
        let created = seen(ContainerState::Created);
        let runs = seen(ContainerState::Running);
        let healthy_one = Seen { health: Some(HealthStatus::Healthy), ..runs.clone() };
        let over = Seen { over: true, ..seen(ContainerState::Exited) };
        let restarting = seen(ContainerState::Restarting);
        let gone = Seen { removed: true, ..seen(ContainerState::Exited) };
        let all = [&created, &runs, &healthy_one, &over, &restarting, &gone];
        let answers = |condition: Condition| all.map(|seen| condition.answer(seen));
        assert_eq!(answers(running()), [NotYet, Yes, Yes, Never, NotYet, Never]);
        assert_eq!(answers(healthy()), [NotYet, NotYet, Yes, Never, NotYet, Never]);
        assert_eq!(answers(exited()), [NotYet, NotYet, NotYet, Yes, NotYet, Yes]);
        assert_eq!(answers(removed()), [NotYet, NotYet, NotYet, NotYet, NotYet, Yes]);
        assert_eq!(answers(port(80)), [NotYet, NotYet, NotYet, Never, NotYet, Never]);
        assert_eq!(answers(!running()), [Yes, NotYet, NotYet, Yes, Yes, Yes]);
        assert_eq!(answers(healthy().or(exited())), [NotYet, NotYet, Yes, Yes, NotYet, Yes]);
        assert_eq!(answers(running().and(removed())), [NotYet, NotYet, NotYet, Never, NotYet, Never]);
    }

    #[test]
    fn each_line_counts_for_its_own_matcher() {
        let condition = log_line("a").and(!log_line("b").and(log_line("c")));
        assert_eq!((condition.matchers(), condition.denies_lines()), (3, true));
        assert!(!(!running()).and(log_line("a")).denies_lines());
        let mut runs = Seen { lines: vec![false; 3], ..seen(ContainerState::Running) };
        let mut note = |text: &'static str| {
            let line = Line { source: Source::Stdout, bytes: text.as_bytes().into() };
            condition.note(&line, &mut runs.lines);
            (runs.lines.clone(), condition.answer(&runs))
        };
        assert_eq!(note("x"), (vec![false; 3], Answer::NotYet));
        assert_eq!(note("ab"), (vec![true, true, false], Answer::Yes));
        assert_eq!(note("c"), (vec![true; 3], Answer::NotYet));
        assert_eq!(log_line_where(|line| line.bytes.is_empty()).to_string(), "a matching line");
    }
}
