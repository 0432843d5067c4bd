//! Each moment of each policy as CSV.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use vas_core::replay::Moment;

use super::{Contender, Settings};

/// Writes `time,policy,load,desired,ready`: one line where one of the three changes, for each policy in turn. `load` is
/// empty in a gap. The load is replayed once more for it, so that a year of moments is never held.
///
/// # Errors
/// When the lines cannot be written.
pub fn write(settings: &Settings, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "time,policy,load,desired,ready")?;
    for contender in &settings.contenders {
        let mut last: Option<Moment> = None;
        let mut written = Ok(());
        settings.replay(contender, |moment| {
            let key = |one: &Moment| (one.rate.map(f64::to_bits), one.desired, one.ready);
            if written.is_err() || last.as_ref().is_some_and(|last| key(last) == key(moment)) {
                return;
            }
            last = Some(*moment);
            written = line(settings, contender, moment, out);
        });
        written?;
    }
    Ok(())
}

fn line(settings: &Settings, contender: &Contender, moment: &Moment, out: &mut dyn Write) -> io::Result<()> {
    let (at, name) = (settings.load.time(moment.at), field(&contender.name));
    let load = moment.rate.map(|rate| rate.to_string()).unwrap_or_default();
    writeln!(out, "{at},{name},{load},{},{}", moment.desired, moment.ready)
}

/// A field of RFC 4180: a policy has the name of its file, which may have commas and quotes in it.
fn field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_or_a_quote_is_one_field() {
        for (name, written) in [
            ("resource", "resource"),
            ("a,b.yaml", "\"a,b.yaml\""),
            ("a\"b.yaml", "\"a\"\"b.yaml\""),
        ] {
            assert_eq!(field(name), written);
        }
    }
}
