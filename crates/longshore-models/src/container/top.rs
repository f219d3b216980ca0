//! The processes of a container.

use serde::Deserialize;

/// Tells of the processes in a container, as `ps` prints them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
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
    /// # let top: longshore_models::ContainerTop = longshore_models::lenient::from_slice(json)?;
    /// assert!(top.column("CMD").eq(["init", "sh"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn column(&self, title: &str) -> impl Iterator<Item = &str> {
        let index = self.titles.iter().position(|other| other == title);
        let cell = |index| self.processes.iter().map(move |row| row.get(index).map_or("", String::as_str));
        index.into_iter().flat_map(cell)
    }
}
