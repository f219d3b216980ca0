//! Removes all that a run has made, found by its label, and checks that nothing is left.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use longshore::container::{ListOptions, RemoveOptions};
use longshore::image::{ImageListOptions, ImageRemoveOptions};
use longshore::{Deadlines, Docker, guard};

use super::RunId;
use super::stage::Stage;
use crate::error::{Context, Error, Result};

/// How often what is left is removed before it is reported: an image may have to wait until another is gone.
const ROUNDS: usize = 4;

/// The longest that a call of the cleanup may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Removes the run's containers, with their volumes, and its images, and says what it removed.
pub(super) async fn clean(docker: &Docker, stage: &Stage, run: &RunId) -> Result<()> {
    let begun = Instant::now();
    // What the tour has let go of is gone already; this is for what nobody could let go of.
    for failure in guard::remove_all().await.failures {
        stage.note("cleanup", &failure.to_string());
    }
    let docker = docker.with_deadlines(Deadlines::default().total(PATIENCE));
    let label = run.label();
    let mut removed = Found::default();
    let mut problem = None;
    for _ in 0..ROUNDS {
        let found = Found::with_label(&docker, &label).await.context(|| format!("look for what has {label}"))?;
        if found.is_empty() {
            stage.note("cleanup", &format!("{removed} removed in {:.2} s", begun.elapsed().as_secs_f64()));
            stage.note("", &format!("left behind: nothing with the label {label}"));
            return Ok(());
        }
        problem = found.remove(&docker).await.err();
        removed.add(found);
    }
    let left = Found::with_label(&docker, &label).await?;
    let why = problem.map_or_else(String::new, |problem| format!(": {problem}"));
    Err(Error::new(format!("left behind: {left} with the label {label}{why}")))
}

/// The ids of what there is of a run.
#[derive(Default)]
struct Found {
    containers: BTreeSet<String>,
    images: BTreeSet<String>,
}

impl Found {
    async fn with_label(docker: &Docker, label: &str) -> longshore::Result<Self> {
        let containers = docker.containers().list_with(&ListOptions::default().all().filter("label", label)).await?;
        let images = docker.images().list_with(&ImageListOptions::default().filter("label", label)).await?;
        Ok(Self {
            containers: containers.into_iter().map(|container| container.id).collect(),
            images: images.into_iter().map(|image| image.id).collect(),
        })
    }

    /// Tries to remove everything, and tells the last problem; what is left is found by looking again.
    async fn remove(&self, docker: &Docker) -> longshore::Result<()> {
        let mut outcome = Ok(());
        for id in &self.containers {
            let removed = docker.container(id).remove_with(&RemoveOptions::default().force().volumes()).await;
            outcome = removed.and(outcome);
        }
        for id in &self.images {
            let removed = docker.image(id).remove_with(&ImageRemoveOptions::default().force()).await;
            outcome = removed.map(drop).and(outcome);
        }
        outcome
    }

    fn add(&mut self, other: Self) {
        self.containers.extend(other.containers);
        self.images.extend(other.images);
    }

    fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.images.is_empty()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (containers, images) = (self.containers.len(), self.images.len());
        write!(formatter, "{containers} container{}, {images} image{}", plural(containers), plural(images))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        let mut found = Found::default();
        assert_eq!(found.to_string(), "0 containers, 0 images");
        found.add(Found { containers: ["a".into()].into(), images: ["b".into(), "c".into()].into() });
        found.add(Found { containers: ["a".into()].into(), images: BTreeSet::new() });
        assert_eq!(found.to_string(), "1 container, 2 images");
    }
}
