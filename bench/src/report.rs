use std::collections::BTreeMap;
use std::time::Duration;

use crate::floors::{Bound, Judgement};
use crate::rounds::{Rounds, Spread};
use bench::work::Client;

/// The results of a work: a table of the clients, and one of the ratios.
pub(crate) fn section(rounds: &Rounds) -> String {
    let (work, count) = (rounds.work, rounds.len());
    let mut figures = Table::new(["client"].into_iter().chain(work.figures().iter().map(|figure| figure.title())));
    for client in &rounds.clients {
        let spreads = work.figures().iter().map(|figure| {
            let spread = rounds.figure(*figure, *client);
            spread.map_or_else(String::new, |spread| spread.show(figure.decimals()))
        });
        figures.row([client.name()].into_iter().chain(spreads));
    }
    let mut ratios = Table::new(["longshore ÷"].into_iter().chain(work.figures().iter().map(|figure| figure.title())));
    for peer in rounds.clients.iter().filter(|client| **client != Client::Longshore) {
        let spreads = work.figures().iter().map(|figure| {
            let spread = rounds.ratio(*figure, Client::Longshore, *peer);
            spread.map_or_else(String::new, |spread| spread.show(2))
        });
        ratios.row([peer.name()].into_iter().chain(spreads));
    }
    let title = work.title(rounds.amount);
    format!("## {}\n\n{title}; {count} rounds.\n\n{}\n{}", work.name(), figures.show(), ratios.show())
}

/// Who did not come to an end, and how often.
pub(crate) fn hangs(hangs: &[Client], patience: Duration) -> String {
    let mut counts = BTreeMap::<_, usize>::new();
    for client in hangs {
        *counts.entry(client.name()).or_default() += 1;
    }
    let line =
        |(name, count)| format!("\n{name} did not end within {patience:?}, {count} times, and was asked again.\n");
    counts.into_iter().map(line).collect()
}

/// The floors beside what was measured.
pub(crate) fn floors(judgements: &[Judgement]) -> String {
    let mut table = Table::new(["work", "figure", "longshore ÷", "asked", "measured", ""].into_iter());
    for Judgement { floor, measured, is_met, .. } in judgements {
        let asked = match floor.bound {
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::AtMost(most) => format!("≤ {most}"),
        };
        table.row([
            floor.work.name(),
            floor.figure.title().to_owned(),
            floor.against.map(Client::name).unwrap_or_default(),
            asked,
            measured.map_or_else(|| "nothing".to_owned(), |measured| format!("{measured:.2}")),
            if *is_met { "met" } else { "missed" }.to_owned(),
        ]);
    }
    format!("## Floors\n\n{}", table.show())
}

impl Spread {
    fn show(&self, decimals: usize) -> String {
        let Spread { least, median, most } = self;
        format!("{median:.decimals$} ({least:.decimals$}–{most:.decimals$})")
    }
}

/// A table in Markdown that a person can read as it is.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new<'a>(titles: impl Iterator<Item = &'a str>) -> Self {
        Table { rows: vec![titles.map(str::to_owned).collect()] }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn show(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 3);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut lines: Vec<String> = self.rows.iter().map(line).collect();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.insert(1.min(lines.len()), format!("| {} |\n", rule.join(" | ")));
        lines.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(["a", "µs"].into_iter());
        table.row(["long".to_owned(), "1".to_owned()]);
        assert_eq!(table.show(), "| a    | µs  |\n| ---- | --- |\n| long | 1   |\n");
    }
}
