//! Rules for expressions: each name, label, rate and quantile is judged by the table of families.

use std::collections::BTreeSet;

use promql_parser::{
    label::{Labels, Matcher},
    parser::{AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector},
};

use crate::{
    metrics::promql::{self, children},
    monitoring::{
        dashboards::others,
        families::{self, Family, Kind, Level},
    },
};

/// Labels that Prometheus gives the series of a target.
const OF_TARGET: [&str; 2] = ["instance", "job"];
/// Functions of a window that make sense for counters alone.
const RATES: [&str; 3] = ["rate", "increase", "irate"];
/// The variables that stand for durations, with one that the parser can read.
const DURATIONS: [(&str, &str); 3] = [
    ("$__rate_interval", "4m"),
    ("$__range", "1h"),
    ("$__interval", "15s"),
];

/// An expression, judged.
#[derive(Debug, Default)]
pub(in crate::monitoring::dashboards) struct Judged {
    /// What is wrong with it.
    pub(super) findings: Vec<String>,
    /// The labels that its series have.
    pub(super) labels: BTreeSet<String>,
}

/// The names of all samples of a family.
pub(in crate::monitoring::dashboards) fn series(family: &Family) -> Vec<String> {
    match family.kind {
        Kind::Counter | Kind::Gauge => vec![family.series()],
        Kind::Histogram => ["bucket", "sum", "count"]
            .map(|suffix| format!("{}_{suffix}", family.name))
            .to_vec(),
    }
}

/// The family that has a name among those of its samples.
pub(super) fn family(name: &str) -> Option<Family> {
    families::all()
        .chain(others::all())
        .find(|family| series(family).iter().any(|one| one == name))
}

/// An expression, with a duration for each variable that stands for one.
pub(super) fn parsed(expr: &str) -> Result<Expr, String> {
    let plain = DURATIONS
        .iter()
        .fold(expr.to_owned(), |text, (variable, duration)| {
            text.replace(variable, duration)
        });
    promql::parse(&plain).map_err(|error| format!("{expr}: {error}"))
}

/// The names of metrics that an expression reads.
pub(in crate::monitoring::dashboards) fn names(expr: &str) -> BTreeSet<String> {
    parsed(expr).map(|expr| names_of(&expr)).unwrap_or_default()
}

/// The same of a part of one.
pub(super) fn names_of(expr: &Expr) -> BTreeSet<String> {
    fn collect(expr: &Expr, names: &mut BTreeSet<String>) {
        match expr {
            Expr::VectorSelector(selector) => names.extend(selector.name.clone()),
            Expr::MatrixSelector(selector) => names.extend(selector.vs.name.clone()),
            _ => children(expr).into_iter().for_each(|child| collect(child, names)),
        }
    }
    let mut names = BTreeSet::new();
    collect(expr, &mut names);
    names
}

/// The labels of a legend that series do not have.
pub(super) fn unknown_labels(legend: &str, labels: &BTreeSet<String>) -> Vec<String> {
    let named = legend
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    let unknown = named.filter(|label| !labels.contains(*label));
    unknown
        .map(|label| format!("its legend has {label}, which its series lack"))
        .collect()
}

/// Judges an expression.
pub(super) fn judged(expr: &str) -> Judged {
    let mut judge = Judge::default();
    let mut labels = BTreeSet::new();
    match parsed(expr) {
        Ok(parsed) => labels = judge.labels(&parsed, None),
        Err(error) => judge.findings.push(error),
    }
    let mut before = "";
    for part in expr.split('[') {
        let function = std::mem::replace(&mut before, part).rsplit_once('(');
        // What a gauge was in the last minutes does not depend on how far apart the points of a panel are.
        let of_gauge = function.is_none_or(|(before, _)| before.ends_with("_over_time"));
        let window = part.split([']', ':']).next().unwrap_or_default();
        if !of_gauge && !["$__rate_interval", "$__interval", "$__range"].contains(&window) {
            judge.findings.push(format!("[{window}] is not $__rate_interval"));
        }
    }
    Judged {
        findings: judge.findings,
        labels,
    }
}

#[derive(Debug, Default)]
struct Judge {
    findings: Vec<String>,
}

impl Judge {
    fn say(&mut self, finding: String) {
        self.findings.push(finding);
    }

    /// The labels of an expression's series. `inside` is the function whose argument it is.
    fn labels(&mut self, expr: &Expr, inside: Option<&str>) -> BTreeSet<String> {
        match expr {
            Expr::VectorSelector(selector) => self.of_selector(selector, inside),
            Expr::MatrixSelector(selector) => self.of_selector(&selector.vs, inside),
            Expr::Paren(paren) => self.labels(&paren.expr, inside),
            Expr::Unary(unary) => self.labels(&unary.expr, None),
            Expr::Subquery(subquery) => self.labels(&subquery.expr, None),
            Expr::Aggregate(aggregate) => self.of_aggregate(aggregate),
            Expr::Call(call) => self.of_call(call),
            Expr::Binary(binary) => self.of_binary(binary),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => BTreeSet::new(),
        }
    }

    fn of_selector(&mut self, selector: &VectorSelector, inside: Option<&str>) -> BTreeSet<String> {
        let mut matchers = selector.matchers.matchers.iter();
        let of_several = matchers.find(|matcher| matcher.name == "__name__");
        match (&selector.name, of_several) {
            (None, Some(matcher)) => {
                let names = matcher.value.split('|');
                let labels: BTreeSet<String> =
                    names.flat_map(|name| self.of_series(name, &[], inside)).collect();
                for matcher in &selector.matchers.matchers {
                    if matcher.name != "__name__" && !labels.contains(&matcher.name) {
                        self.say(format!("none of them has a label {}", matcher.name));
                    }
                }
                labels
            }
            (name, _) => {
                let name = name.as_deref().unwrap_or_default();
                self.of_series(name, &selector.matchers.matchers, inside)
            }
        }
    }

    fn of_series(&mut self, name: &str, matchers: &[Matcher], inside: Option<&str>) -> BTreeSet<String> {
        let Some(family) = family(name) else {
            self.say(format!("nothing exports {name:?}"));
            return BTreeSet::new();
        };
        let of_bucket = name.ends_with("_bucket").then_some("le");
        // Prometheus names the pod of a target too, unless the series says which pod it is about.
        let of_pod: &[&str] = if family.level == Level::Process {
            &["pod"]
        } else {
            &[]
        };
        let labels = family
            .labels
            .iter()
            .chain(&OF_TARGET)
            .chain(of_pod)
            .copied()
            .chain(of_bucket);
        let labels: BTreeSet<String> = labels.map(str::to_owned).collect();
        for matcher in matchers {
            if matcher.name != "__name__" && !labels.contains(&matcher.name) {
                self.say(format!("{name} has no label {}", matcher.name));
            }
        }
        let in_rate = inside.is_some_and(|function| RATES.contains(&function));
        match (family.kind, in_rate) {
            (Kind::Gauge, true) => self.say(format!("a rate of {name}, which is a gauge")),
            (Kind::Counter | Kind::Histogram, false) => {
                self.say(format!("{name} only grows: take its rate"));
            }
            _ => {}
        }
        labels
    }

    fn of_aggregate(&mut self, aggregate: &AggregateExpr) -> BTreeSet<String> {
        let inner = self.labels(&aggregate.expr, None);
        let operator = aggregate.op.to_string();
        if ["avg", "sum"].contains(&operator.as_str()) && has_quantiles(&aggregate.expr) {
            self.say(format!("{operator} of quantiles is no quantile"));
        }
        let mut kept = match &aggregate.modifier {
            None => BTreeSet::new(),
            Some(LabelModifier::Include(by)) => self.there(by, &inner),
            Some(LabelModifier::Exclude(without)) => {
                let dropped = self.there(without, &inner);
                inner.difference(&dropped).cloned().collect()
            }
        };
        if ["topk", "bottomk"].contains(&operator.as_str()) {
            kept = inner;
        }
        if let (Some(Expr::StringLiteral(label)), "count_values") =
            (aggregate.param.as_deref(), operator.as_str())
        {
            kept.insert(label.val.clone());
        }
        kept
    }

    /// The labels as they are named, after a look whether series have them.
    fn there(&mut self, named: &Labels, labels: &BTreeSet<String>) -> BTreeSet<String> {
        for label in named.labels.iter().filter(|label| !labels.contains(*label)) {
            self.say(format!(
                "an expression names the label {label}, which its series lack"
            ));
        }
        named.labels.iter().cloned().collect()
    }

    fn of_call(&mut self, call: &Call) -> BTreeSet<String> {
        let function = call.func.name;
        let mut labels = BTreeSet::new();
        for arg in &call.args.args {
            labels.extend(self.labels(arg, Some(function)));
        }
        match function {
            "histogram_quantile" => {
                if !labels.remove("le") {
                    self.say("a quantile of buckets without the label le".to_owned());
                }
                labels
            }
            "vector" | "scalar" | "time" | "absent" => BTreeSet::new(),
            _ => labels,
        }
    }

    fn of_binary(&mut self, binary: &BinaryExpr) -> BTreeSet<String> {
        let [left, right] = [&binary.lhs, &binary.rhs].map(|side| self.labels(side, None));
        let operator = binary.op.to_string();
        if is_number(&binary.lhs) {
            return right;
        }
        if is_number(&binary.rhs) {
            return left;
        }
        if operator == "or" {
            return left.intersection(&right).cloned().collect();
        }
        let matching = binary
            .modifier
            .as_ref()
            .and_then(|modifier| modifier.matching.as_ref());
        let on = match matching {
            Some(LabelModifier::Include(on)) => {
                self.there(on, &left);
                Some(self.there(on, &right))
            }
            Some(LabelModifier::Exclude(_)) => None,
            None => {
                if left != right {
                    self.say(format!(
                        "{operator} of series with {left:?} and with {right:?}, which never match"
                    ));
                }
                None
            }
        };
        if ["and", "unless"].contains(&operator.as_str()) {
            return left;
        }
        match binary.modifier.as_ref().map(|modifier| &modifier.card) {
            Some(VectorMatchCardinality::ManyToOne(more)) => {
                let more = self.there(more, &right);
                left.union(&more).cloned().collect()
            }
            Some(VectorMatchCardinality::OneToMany(more)) => {
                let more = self.there(more, &left);
                right.union(&more).cloned().collect()
            }
            _ => on.unwrap_or(left),
        }
    }
}

/// Whether an expression is a number, which goes with every series.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Paren(paren) => is_number(&paren.expr),
        Expr::Call(call) => ["time", "scalar"].contains(&call.func.name),
        Expr::Binary(binary) => is_number(&binary.lhs) && is_number(&binary.rhs),
        _ => false,
    }
}

/// Whether an expression has quantiles in it that were made from several observations.
fn has_quantiles(expr: &Expr) -> bool {
    match expr {
        Expr::VectorSelector(selector) => {
            let family = selector.name.as_deref().and_then(family);
            family.is_some_and(|family| family.labels.contains(&"quantile"))
        }
        Expr::Call(call) if call.func.name == "histogram_quantile" => true,
        _ => children(expr).into_iter().any(has_quantiles),
    }
}
