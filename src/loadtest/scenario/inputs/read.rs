//! Reads the data files and made-up values of a scenario.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Data, GIVEN, Inputs, Order, csv,
    document::DataDocument,
    generator::Generator,
    json,
    table::{Table, TableError},
};
use crate::scenario::{document::Document, problem::Problems, sources::File, template::is_word};

/// Reads what a scenario sends besides constant text. What it takes from the environment is added at the end.
pub(in crate::scenario) fn read(document: &Document, file: File<'_>, problems: &mut Problems) -> Inputs {
    let data = document.data.iter().filter_map(|(name, document)| {
        let path = format!("data.{name}");
        named(&path, name, problems);
        Some((name.clone(), data(&path, document, file, problems)?))
    });
    let data = data.collect();
    let mut values = BTreeMap::new();
    for (name, text) in &document.values {
        let path = format!("values.{name}");
        named(&path, name, problems);
        let generator = problems.or(&path, text.parse(), Generator::Uuid);
        values.insert(name.clone(), generator);
    }
    Inputs {
        data,
        values,
        seed: document.seed.map(u64::from),
        ..Inputs::default()
    }
}

/// Refuses names that a template cannot contain, and names of variables that every user has.
fn named(path: &str, name: &str, problems: &mut Problems) {
    if !is_word(name) {
        problems.add(
            path,
            format!("{name:?} is not the name of a variable: use letters, digits and \"_\""),
        );
    } else if GIVEN.contains(&name) {
        problems.add(
            path,
            format!("{name} is given to every user; choose another name"),
        );
    }
}

fn data(path: &str, document: &DataDocument, file: File<'_>, problems: &mut Problems) -> Option<Data> {
    let order = match document.order.as_deref() {
        None | Some("perUser") => Order::PerUser,
        Some("inOrder") => Order::InOrder,
        Some("random") => Order::Random,
        Some(other) => {
            problems.add(
                format!("{path}.order"),
                format!("{other:?} must be perUser, inOrder or random"),
            );
            Order::PerUser
        }
    };
    match table(&document.file, file) {
        Ok(table) => Some(Data {
            file: document.file.clone(),
            order,
            table: Arc::new(table),
        }),
        Err(error) => {
            problems.add(format!("{path}.file"), format!("{}: {error}", document.file));
            None
        }
    }
}

/// The rows of a file. The end of its name says how it is written.
fn table(name: &str, file: File<'_>) -> Result<Table, String> {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    let table = match end.as_deref() {
        Some("csv") => std::str::from_utf8(&file(name)?)
            .map_err(|_| TableError::NotText)
            .and_then(csv::parse),
        Some("json") => json::parse(&file(name)?),
        _ => return Err("its name must end in .csv or .json".to_owned()),
    };
    table.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::scenario::{ScenarioError, model::Scenario, parse};

    fn scenario(inputs: &str, path: &str) -> Result<Scenario, ScenarioError> {
        let file = |name: &str| match name {
            "users.csv" => Ok(b"email,password\na@b.example,x\nc@d.example,y\n".to_vec()),
            "products.json" => Ok(br#"[{"id": 1}, {"id": 2}, {"id": 3}]"#.to_vec()),
            "bad.csv" => Ok(b"a,b\n1\n".to_vec()),
            _ => Err("cannot be read".to_owned()),
        };
        let text = format!(
            "load: {{rate: [{{duration: 1s, at: 1}}]}}\n{inputs}\njourneys: [{{name: a, steps: [{{get: '{path}'}}]}}]\n"
        );
        parse(&text, "test", &file)
    }

    #[test]
    fn columns_and_values_are_variables() {
        let inputs = "data: {users: {file: users.csv, order: random}, products: {file: products.json}}\nvalues: {id: uuid}\nseed: 7";
        let scenario = scenario(inputs, "/{{users.email}}/{{products.id}}/{{id}}").unwrap();
        let rows = |name: &str| scenario.inputs.data[name].table.rows();
        assert_eq!((rows("users"), rows("products")), (2, 3));
        assert_eq!(scenario.inputs.seed, Some(7));
        assert!(scenario.inputs.has("users.password") && !scenario.inputs.has("users"));
    }

    #[test]
    fn what_is_wrong_is_told_before_the_run() {
        for (inputs, path, words) in [
            (
                "data: {users: {file: none.csv}}",
                "/",
                "data.users.file: none.csv: cannot be read",
            ),
            (
                "data: {users: {file: bad.csv}}",
                "/",
                "data.users.file: bad.csv: line 2: has 1 cells",
            ),
            (
                "data: {users: {file: users.txt}}",
                "/",
                "must end in .csv or .json",
            ),
            (
                "data: {users: {file: users.csv, order: any}}",
                "/",
                "data.users.order: ",
            ),
            ("data: {a-b: {file: users.csv}}", "/", "data.a-b: \"a-b\" is not"),
            ("values: {user: uuid}", "/", "values.user: user is given"),
            ("values: {x: guid}", "/", "values.x: \"guid\" makes no value"),
            ("seed: -1", "/", "seed: -1 must be"),
            (
                "data: {users: {file: users.csv}}",
                "/{{users.emial}}",
                "{{users.emial}} has no value: the columns of users.csv are email, password",
            ),
            ("", "/{{users.email}}", "there is no data \"users\""),
            ("", "/{{x}}", "no earlier step of the journey extracts it"),
        ] {
            let error = scenario(inputs, path).unwrap_err().to_string();
            assert!(error.contains(words), "{inputs} {path}: {error}");
        }
    }
}
