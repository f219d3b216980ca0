//! The processes of a container.

use crate::decode::Decode;

/// Tells of the processes in a container, as `ps` prints them.
///
/// Podman sends the lines of `ps` whole where it runs the container's own `ps`; they are taken apart here.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[decode(from = Rows)]
#[non_exhaustive]
pub struct ContainerTop {
    /// Titles of the columns.
    pub titles: Vec<String>,
    /// One row for each process, in the order of the titles.
    pub processes: Vec<Vec<String>>,
}

impl ContainerTop {
    /// Goes through one column, by its title; empty if there is no such column. A row that is too short gives `""`.
    ///
    /// ```
    /// # let json = br#"{"Titles": ["PID", "CMD"], "Processes": [["1", "init"], ["7", "sh"]]}"#;
    /// # let top: longshore_models::ContainerTop = longshore_models::decode::from_slice(json)?;
    /// assert!(top.column("CMD").eq(["init", "sh"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn column(&self, title: &str) -> impl Iterator<Item = &str> {
        let index = self.titles.iter().position(|other| other == title);
        let cell = |index| self.processes.iter().map(move |row| row.get(index).map_or("", String::as_str));
        index.into_iter().flat_map(cell)
    }
}

#[derive(Default, Decode)]
#[serde(rename_all = "PascalCase")]
struct Rows {
    titles: Vec<String>,
    processes: Vec<Vec<String>>,
}

impl From<Rows> for ContainerTop {
    fn from(Rows { mut titles, mut processes }: Rows) -> Self {
        if let [line] = titles.as_slice() {
            titles = line.split_whitespace().map(str::to_owned).collect();
            for row in &mut processes {
                if let [line] = row.as_slice() {
                    *row = cells(line, titles.len());
                }
            }
        }
        Self { titles, processes }
    }
}

/// Takes a line of `ps` apart: the last of so many cells keeps its spaces.
fn cells(line: &str, count: usize) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = line.trim();
    while let Some((cell, after)) = rest.split_once(char::is_whitespace)
        && cells.len() + 1 < count
    {
        cells.push(cell.to_owned());
        rest = after.trim_start();
    }
    cells.push(rest.to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(json: &str) -> ContainerTop {
        crate::decode::from_slice(json.as_bytes()).unwrap()
    }

    #[test]
    fn takes_whole_lines_apart() {
        let top = top(
            r#"{"Titles": ["PID   USER COMMAND"], "Processes": [["1 root     sh -c  'a b'"], ["47"], [], null, [" 7  ann"]]}"#,
        );
        assert_eq!(top.titles, ["PID", "USER", "COMMAND"]);
        assert!(top.column("PID").eq(["1", "47", "", "", "7"]));
        assert!(top.column("COMMAND").eq(["sh -c  'a b'", "", "", "", ""]));
    }

    #[test]
    fn leaves_cells_alone() {
        let top = top(r#"{"Titles": ["CMD"], "Processes": [["sh -c true"]]}"#);
        assert!(top.column("CMD").eq(["sh -c true"]));
        assert_eq!(top.column("PID").count(), 0);
    }
}
