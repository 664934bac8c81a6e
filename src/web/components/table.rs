//! A table, which on a narrow screen becomes a list of cards: each cell then says which column it is of.

use leptos::prelude::*;

/// One column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column {
    label: &'static str,
    class: Option<&'static str>,
}

impl Column {
    /// Of any length: broken where the line ends.
    pub const fn text(label: &'static str) -> Self {
        Self { label, class: None }
    }

    /// A date, a role or the like, on one line.
    pub const fn short(label: &'static str) -> Self {
        Self { label, class: Some("short") }
    }

    /// Set to the right, its digits below each other.
    pub const fn number(label: &'static str) -> Self {
        Self { label, class: Some("number") }
    }
}

/// One row of a [`Table`].
pub struct Row {
    name: AnyView,
    cells: Vec<AnyView>,
    actions: Option<AnyView>,
}

impl Row {
    /// `name` is the row's heading, in the first column.
    pub fn new(name: impl IntoView + 'static) -> Self {
        Self { name: name.into_any(), cells: Vec::new(), actions: None }
    }

    /// The next column's cell.
    #[must_use]
    pub fn cell(mut self, cell: impl IntoView + 'static) -> Self {
        self.cells.push(cell.into_any());
        self
    }

    /// What can be done with the row, in a last column.
    #[must_use]
    pub fn actions(mut self, actions: impl IntoView + 'static) -> Self {
        self.actions = Some(actions.into_any());
        self
    }
}

#[component]
pub fn Table(
    /// Its accessible name.
    caption: &'static str,
    /// The first is that of the rows' names.
    columns: &'static [Column],
    rows: Vec<Row>,
) -> impl IntoView {
    let has_actions = rows.iter().any(|row| row.actions.is_some());
    let head = columns.iter().map(|column| {
        view! { <th scope="col" class=column.class>{column.label}</th> }
    });
    let name_class = columns.first().and_then(|column| column.class);
    let actions = has_actions.then(|| view! { <th scope="col"><span class="unseen">"Actions"</span></th> });
    let body = rows.into_iter().map(|row| {
        let cells = columns.iter().skip(1).zip(row.cells).map(|(column, cell)| {
            view! { <td class=column.class data-label=column.label>{cell}</td> }
        });
        view! {
            <tr>
                <th scope="row" class=name_class>{row.name}</th>
                {cells.collect_view()}
                {row.actions.map(|actions| view! { <td class="table__actions">{actions}</td> })}
            </tr>
        }
    });
    view! {
        <table class="table">
            <caption class="unseen">{caption}</caption>
            <thead>
                <tr>
                    {head.collect_view()}
                    {actions}
                </tr>
            </thead>
            <tbody>{body.collect_view()}</tbody>
        </table>
    }
}
