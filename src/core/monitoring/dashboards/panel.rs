//! A panel: what it shows, of which unit, and from when on that is bad.

use super::query::Query;

/// A panel of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Title.
    pub title: &'static str,
    /// What it shows, and what to make of it.
    pub description: &'static str,
    /// How it is drawn.
    pub look: Look,
    /// The unit of its values.
    pub unit: Unit,
    /// Its queries, at most as many as there are letters.
    pub queries: Vec<Query>,
    /// The colour below the first threshold, where it is not the usual one.
    pub base: Option<Color>,
    /// Colours of values, from the least value on.
    pub thresholds: Vec<Threshold>,
    /// Words for values, where a value is a state.
    pub words: Vec<Word>,
    /// What is shown where there is no value, instead of "No data".
    pub no_value: Option<&'static str>,
    /// Whether the names of series are shown instead of their values.
    pub names: bool,
    /// The highest value of its axis, where there is one.
    pub max: Option<f64>,
    /// Its part of the board's 24 columns.
    pub width: u32,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Lines over time.
    Lines,
    /// Areas over time that stand on each other, for parts of a whole.
    Stacked,
    /// Bars over time, each of what happened in its own part of the time.
    Bars,
    /// One number for each series.
    Number,
    /// States over time, a bar for each series.
    States,
    /// A row for each series, with its labels.
    Table,
}

/// The unit of values, as Grafana writes it behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count, or a number whose unit only its name tells.
    Count,
    /// A part of a whole, shown in percent.
    Share,
    /// Seconds.
    Seconds,
    /// Seconds that are hours or days.
    LongSeconds,
    /// Bytes.
    Bytes,
    /// Requests in a second.
    RequestsPerSecond,
    /// Other events in a second.
    EventsPerSecond,
    /// Processors.
    Cores,
    /// A state, for which the panel has words.
    State,
}

/// A colour that begins at a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The least value that has it.
    pub from: f64,
    /// The colour.
    pub color: Color,
}

/// A word for a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word {
    /// The value.
    pub value: u32,
    /// The word that is shown.
    pub text: &'static str,
    /// Its colour.
    pub color: Color,
}

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// All is well.
    Green,
    /// Neither good nor bad.
    Blue,
    /// Somebody should look.
    Orange,
    /// Users notice, or soon will.
    Red,
}

impl Panel {
    /// Lines over time, half a board wide.
    pub(super) fn lines(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Look::Lines, 12, title, unit, description)
    }

    /// Areas over time that stand on each other, half a board wide.
    pub(super) fn stacked(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Look::Stacked, 12, title, unit, description)
    }

    /// Bars over time, half a board wide.
    pub(super) fn bars(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Look::Bars, 12, title, unit, description)
    }

    /// A number, a sixth of a board wide.
    pub(super) fn number(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Look::Number, 4, title, unit, description)
    }

    /// States over time, half a board wide. `words` are all values that there are.
    pub(super) fn states(title: &'static str, words: &[Word], description: &'static str) -> Self {
        Self {
            words: words.to_vec(),
            ..Self::new(Look::States, 12, title, Unit::State, description)
        }
    }

    /// A table, half a board wide.
    pub(super) fn table(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Look::Table, 12, title, unit, description)
    }

    fn new(look: Look, width: u32, title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self {
            title,
            description,
            look,
            unit,
            queries: Vec::new(),
            base: None,
            thresholds: Vec::new(),
            words: Vec::new(),
            no_value: None,
            names: false,
            max: None,
            width,
        }
    }

    /// Adds a query with its legend.
    pub(super) fn query(self, expr: impl Into<String>, legend: &'static str) -> Self {
        self.with(Query::new(expr, legend))
    }

    /// Adds a query.
    pub(super) fn with(mut self, query: Query) -> Self {
        self.queries.push(query);
        self
    }

    /// Red below the first threshold and where there is no value, which these words say.
    pub(super) fn red_below(mut self, no_value: &'static str) -> Self {
        self.base = Some(Color::Red);
        self.no_value = Some(no_value);
        self
    }

    /// Green from a value on.
    pub(super) fn green(self, from: f64) -> Self {
        self.colored(from, Color::Green)
    }

    /// Orange from a value on.
    pub(super) fn orange(self, from: f64) -> Self {
        self.colored(from, Color::Orange)
    }

    /// Red from a value on, which is above those of the other colours.
    pub(super) fn red(self, from: f64) -> Self {
        self.colored(from, Color::Red)
    }

    fn colored(mut self, from: f64, color: Color) -> Self {
        self.thresholds.push(Threshold { from, color });
        self
    }

    /// Shows the names of series, where every value is 1.
    pub(super) fn by_name(mut self) -> Self {
        self.names = true;
        self
    }

    /// An axis that ends at 100 %.
    pub(super) fn whole(mut self) -> Self {
        self.max = Some(1.0);
        self
    }

    /// Another width than that of its look, in columns of 24.
    pub(super) fn wide(mut self, columns: u32) -> Self {
        self.width = columns;
        self
    }
}

impl Look {
    /// Its plugin in Grafana.
    pub fn plugin(self) -> &'static str {
        match self {
            Self::Lines | Self::Stacked | Self::Bars => "timeseries",
            Self::Number => "stat",
            Self::States => "state-timeline",
            Self::Table => "table",
        }
    }

    /// Its height in Grafana's grid.
    pub(super) fn height(self) -> u32 {
        match self {
            Self::Number => 4,
            Self::Lines | Self::Stacked | Self::Bars | Self::States | Self::Table => 8,
        }
    }

    /// Whether it shows one moment alone: the end of the range.
    pub(super) fn is_instant(self) -> bool {
        match self {
            Self::Number | Self::Table => true,
            Self::Lines | Self::Stacked | Self::Bars | Self::States => false,
        }
    }

    /// The shortest step of its queries, where Grafana must not choose a shorter one: an increase needs several samples in
    /// each step.
    pub(super) fn least_step(self) -> Option<&'static str> {
        (self == Self::Bars).then_some("1m")
    }
}

impl Unit {
    /// Grafana's identifier of the unit.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::Share => "percentunit",
            Self::Seconds => "s",
            Self::LongSeconds => "dtdurations",
            Self::Bytes => "bytes",
            Self::RequestsPerSecond => "reqps",
            Self::EventsPerSecond => "cps",
            Self::Cores => "suffix: cores",
            Self::State => "none",
        }
    }
}

impl Color {
    /// Grafana's name of the colour.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }
}
