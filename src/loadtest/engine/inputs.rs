//! What a user gets at the beginning of each turn besides what it extracts from answers: a row of each data
//! file, and made-up values. A journey draws only what it sends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    clock::RunClock,
    scenario::{
        inputs::{Generator, Inputs, Order, Stamp, Table},
        model::Journey,
        part::Part,
        template::Template,
    },
};

/// 2^64 divided by the golden ratio. Multiples of it are spread evenly, so that users with consecutive numbers
/// begin at seeds that are far apart.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Counters that all users of a run share: one for each sequence, and one for each file that is read in order.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: Vec<AtomicU64>,
    part: Part,
}

impl Counters {
    /// The counters of a scenario, of which this process counts its part, before their first number.
    pub(super) fn of(inputs: &Inputs, part: Part) -> Self {
        let count = inputs.values.len() + inputs.data.len();
        let counts = std::iter::repeat_with(AtomicU64::default).take(count);
        Self {
            counts: counts.collect(),
            part,
        }
    }

    /// The next number of a counter, from zero on, that is in this process's part.
    fn next(&self, counter: usize) -> u64 {
        let counter = self.counts.get(counter);
        let own = counter.map_or(0, |counter| counter.fetch_add(1, Ordering::Relaxed));
        self.part.number(own)
    }
}

/// The random numbers of a user.
pub(super) fn random(seed: Option<u64>, user: u64) -> fastrand::Rng {
    match seed {
        Some(seed) => fastrand::Rng::with_seed(seed ^ user.wrapping_mul(GOLDEN)),
        None => fastrand::Rng::new(),
    }
}

/// What a journey draws for each turn.
#[derive(Debug, Default)]
pub(super) struct Draws(Vec<Draw>);

#[derive(Debug)]
enum Draw {
    /// A made-up value.
    Value {
        variable: String,
        generator: Generator,
        counter: usize,
    },
    /// Cells of one row.
    Row {
        table: Arc<Table>,
        order: Order,
        counter: usize,
        /// The variable and the column of each cell.
        cells: Vec<(String, usize)>,
    },
}

/// The user that draws.
#[derive(Debug)]
pub(super) struct Drawer<'a> {
    /// Number of the user.
    pub(super) user: u64,
    /// Number of turns that the user has begun before.
    pub(super) turn: u64,
    /// The user's random numbers.
    pub(super) random: &'a mut fastrand::Rng,
    /// The counters of the run.
    pub(super) counters: &'a Counters,
    /// The time axis of the run.
    pub(super) clock: RunClock,
}

impl Draws {
    /// What a journey sends of the inputs.
    pub(super) fn of(journey: &Journey, inputs: &Inputs) -> Self {
        let headers = journey.headers.iter().map(|(_, value)| value);
        let steps = journey.steps.iter().flat_map(|step| step.action.variables());
        let sent: BTreeSet<&str> = headers.flat_map(Template::variables).chain(steps).collect();
        let values = inputs.values.iter().enumerate();
        let values = values.filter(|(_, (name, _))| sent.contains(name.as_str())).map(
            |(counter, (name, generator))| Draw::Value {
                variable: name.clone(),
                generator: *generator,
                counter,
            },
        );
        let data = inputs.data.iter().enumerate().map(|(index, (name, data))| {
            let columns = data.table.columns().iter().enumerate();
            let variables = columns.map(|(column, title)| (format!("{name}.{title}"), column));
            Draw::Row {
                table: data.table.clone(),
                order: data.order,
                counter: inputs.values.len() + index,
                cells: variables
                    .filter(|(variable, _)| sent.contains(variable.as_str()))
                    .collect(),
            }
        });
        let sent = |draw: &Draw| !matches!(draw, Draw::Row { cells, .. } if cells.is_empty());
        Self(values.chain(data.filter(sent)).collect())
    }

    /// Puts in the values of a turn.
    pub(super) fn draw(&self, values: &mut BTreeMap<String, String>, mut drawer: Drawer<'_>) {
        for draw in &self.0 {
            match draw {
                Draw::Value {
                    variable,
                    generator,
                    counter,
                } => {
                    let value = made_up(*generator, *counter, &mut drawer);
                    values.insert(variable.clone(), value);
                }
                Draw::Row {
                    table,
                    order,
                    counter,
                    cells,
                } => {
                    let rows = u64::try_from(table.rows()).unwrap_or(u64::MAX).max(1);
                    let row = match order {
                        // The row of the first turn stays the user's.
                        Order::PerUser if drawer.turn > 0 => continue,
                        Order::PerUser => drawer.user % rows,
                        Order::InOrder => drawer.counters.next(*counter) % rows,
                        Order::Random => drawer.random.u64(..rows),
                    };
                    let row = usize::try_from(row).unwrap_or(0);
                    for (variable, column) in cells {
                        let cell = table.cell(row, *column).unwrap_or_default();
                        values.insert(variable.clone(), cell.to_owned());
                    }
                }
            }
        }
    }
}

fn made_up(generator: Generator, counter: usize, drawer: &mut Drawer<'_>) -> String {
    match generator {
        Generator::Integer(from, to) => drawer.random.i64(from..=to).to_string(),
        Generator::Text(length) => {
            let random = &mut *drawer.random;
            std::iter::repeat_with(|| {
                let digit = random.u32(..36);
                char::from_digit(digit, 36).unwrap_or('0')
            })
            .take(usize::from(length))
            .collect()
        }
        Generator::Uuid => uuid(drawer.random.u128(..)),
        Generator::Now(stamp) => {
            let now = drawer.clock.time_of_day();
            match stamp {
                Stamp::Iso => format!("{now:.3}"),
                Stamp::Unix => now.as_second().to_string(),
                Stamp::UnixMillis => now.as_millisecond().to_string(),
            }
        }
        Generator::Sequence(start) => start.wrapping_add(drawer.counters.next(counter)).to_string(),
    }
}

/// A UUID of version 4 (RFC 9562, section 5.4): 122 of its bits are random.
fn uuid(random: u128) -> String {
    let version = 0x4_u128 << 76;
    let variant = 0b10_u128 << 62;
    let bits = random & !(0xF << 76) & !(0b11 << 62) | version | variant;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const TEXT: &str = "
load: {rate: [{duration: 1s, at: 1}]}
data:
  own: {file: a.csv}
  next: {file: a.csv, order: inOrder}
  any: {file: a.csv, order: random}
  unused: {file: a.csv}
values: {id: uuid, n: randomInt -2 2, s: randomString 9, q: sequence 5, at: now unixMs, iso: now, none: uuid}
journeys:
- name: a
  headers: {x: '{{own.x}}'}
  steps: [{get: '/{{next.x}}/{{any.x}}/{{id}}/{{n}}/{{s}}/{{q}}/{{at}}/{{iso}}'}]
";

    fn inputs(seed: &str) -> (Draws, Inputs) {
        let file = |_: &str| Ok(b"x,y\nr0,0\nr1,0\nr2,0\n".to_vec());
        let scenario = parse(&format!("{TEXT}{seed}\n"), "test", &file).unwrap();
        (
            Draws::of(&scenario.journeys[0], &scenario.inputs),
            scenario.inputs,
        )
    }

    /// The values of some turns of some users.
    fn drawn(seed: &str) -> Vec<BTreeMap<String, String>> {
        let (draws, inputs) = inputs(seed);
        let counters = Counters::of(&inputs, Part::default());
        let clock = RunClock::begins_in(std::time::Duration::ZERO);
        let mut all = Vec::new();
        for user in 0..4 {
            let (mut random, mut values) = (random(inputs.seed, user), BTreeMap::new());
            for turn in 0..3 {
                let drawer = Drawer {
                    user,
                    turn,
                    random: &mut random,
                    counters: &counters,
                    clock,
                };
                draws.draw(&mut values, drawer);
                all.push(values.clone());
            }
        }
        all
    }

    #[test]
    fn a_turn_gets_rows_and_values_and_nothing_that_it_does_not_send() {
        let all = drawn("");
        let column = |name: &str| -> Vec<&str> { all.iter().map(|values| values[name].as_str()).collect() };
        let names: Vec<&str> = all[0].keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["any.x", "at", "id", "iso", "n", "next.x", "own.x", "q", "s"]
        );
        assert_eq!(
            column("own.x"),
            ["r0", "r1", "r2", "r0"].map(|row| [row; 3]).concat()
        );
        assert_eq!(column("next.x"), [["r0", "r1", "r2"]; 4].concat());
        let numbers: Vec<String> = (5..17).map(|number: u32| number.to_string()).collect();
        assert_eq!(column("q"), numbers);
        let different: BTreeSet<&str> = column("id").into_iter().collect();
        assert_eq!(different.len(), 12);
        for values in &all {
            let id = values["id"].as_bytes();
            assert_eq!((id.len(), id[8], id[14], id[23]), (36, b'-', b'4', b'-'));
            assert!(b"89ab".contains(&id[19]));
            let number: i64 = values["n"].parse().unwrap();
            assert!((-2..=2).contains(&number) && values["s"].len() == 9);
            assert!(values["at"].len() == 13 && values["iso"].len() == 24 && values["iso"].ends_with('Z'));
        }
    }

    #[test]
    fn a_seed_gives_each_user_the_same_values_again() {
        let random = |seed: &str| -> Vec<String> {
            let names = ["any.x", "id", "n", "s"];
            let all = drawn(seed);
            let values = all
                .iter()
                .flat_map(|values| names.map(|name| values[name].clone()));
            values.collect()
        };
        assert_eq!(random("seed: 42"), random("seed: 42"));
        assert_ne!(random("seed: 42"), random("seed: 43"));
        assert_ne!(random(""), random(""));
    }
}
