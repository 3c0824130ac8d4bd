//! Every transform of the crate in one table, and random panels for them.

use fattail_core::{Fit, Ids, Panel, Predict, Result, Transform};
use fattail_prepare::*;
use fattail_stats::{Counter, below, unit};

pub(crate) type Fitted = Box<dyn Transform>;
pub(crate) type AnyFit = Box<dyn Fit<Fitted = Fitted>>;

struct Boxed<F>(F);

impl<F: Fit> Fit for Boxed<F>
where
    F::Fitted: Transform + 'static,
{
    type Fitted = Fitted;

    fn fit(&self, train: &Panel) -> Result<Fitted> {
        self.0.fit(train).map(|fitted| Box::new(fitted) as _)
    }
}

/// A learner that adds its features up.
#[derive(Debug, Clone)]
pub(crate) struct Adds;

impl Fit for Adds {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(Self)
    }
}

impl Predict for Adds {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let mut sums = vec![0.0; panel.rows()];
        for at in 0..panel.width() {
            let known =
                panel.feature(at).to_f32().into_iter().map(|v| if v.is_nan() { 0.0 } else { v });
            sums.iter_mut().zip(known).for_each(|(sum, v)| *sum += v);
        }
        Ok(sums)
    }
}

/// The only transform that may leak.
pub(crate) const LEAKS: &str = "LeakyGlobalRank";

/// How far a transform sees when it is fitted on the panel that it transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All of train: fit on later eras too, it changes earlier ones.
    Train,
    /// The era and those before it, whatever it is fitted on.
    Past,
}

/// A transform, its name and its sight.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) sight: Sight,
    pub(crate) recipe: AnyFit,
}

/// Every transform.
pub(crate) fn transforms() -> Vec<Step> {
    let mut table = Vec::new();
    let mut add = |name: &str, recipe: AnyFit| {
        table.push(Step { name: name.to_owned(), sight: sight(name), recipe });
    };
    add(LEAKS, Box::new(Boxed(LeakyGlobalRank {})));
    add("PerEraRank", Box::new(Boxed(PerEraRank::default())));
    add("EmpiricalTarget", Box::new(Boxed(EmpiricalTarget {})));
    for closed in [Closed::Left, Closed::Both] {
        add(&format!("ExpandingRank {closed:?}"), Box::new(Boxed(ExpandingRank { closed })));
    }
    for scaler in scalers() {
        add(&format!("{scaler:?}"), Box::new(Boxed(scaler)));
    }
    add("RollingFeatures", Box::new(Boxed(looking_back())));
    for subject in [Subject::Target, Subject::Features] {
        let features = vec!["bins".to_owned(), "plain".to_owned()];
        let step = Neutralise { features, proportion: 0.5, subject };
        add(&format!("Neutralise {subject:?}"), Box::new(Boxed(step)));
    }
    let keep = Keep::Top(2);
    for by in [Stability::Mean, Stability::Ratio, Stability::Sign] {
        add(&format!("SelectStable {by:?}"), Box::new(Boxed(SelectStable { by, keep })));
    }
    add("SelectDistinct", Box::new(Boxed(SelectDistinct { threshold: 0.3, ..Default::default() })));
    let important =
        SelectImportant { learner: Adds, holdout: 2, gap: 0, repeats: 1, seed: 7, keep };
    add("SelectImportant", Box::new(Boxed(important)));
    add("AllTwosToMissing", Box::new(Boxed(AllTwosToMissing {})));
    for fill in [Fill::Median, Fill::Mean, Fill::Constant(0.5), Fill::EraMedian] {
        add(&format!("Impute {fill:?}"), Box::new(Boxed(Impute { fill })));
    }
    add("Winsorise", Box::new(Boxed(Winsorise { width: 1.0 })));
    table
}

fn sight(name: &str) -> Sight {
    let learnt = ["EmpiricalTarget", "Select", "Impute", "Winsorise", LEAKS];
    let kept = name == "Impute Constant(0.5)";
    let train = name.contains("mode: Train") || learnt.iter().any(|start| name.starts_with(start));
    if train && !kept { Sight::Train } else { Sight::Past }
}

/// Every method in every mode.
pub(crate) fn scalers() -> Vec<Scaler> {
    let quantile = |output| Method::Quantile(QuantileNormal { quantiles: 7, output });
    let methods = [
        Method::Standard,
        Method::Robust(Robust::default()),
        Method::Robust(Robust { spread: Spread::Mad, unit_variance: false }),
        quantile(Output::Normal),
        quantile(Output::Uniform),
    ];
    let modes = [
        Mode::Train,
        Mode::PerEra,
        Mode::Rolling { eras: 2, closed: Closed::Left },
        Mode::Rolling { eras: 2, closed: Closed::Both },
        Mode::Expanding { closed: Closed::Left },
        Mode::Expanding { closed: Closed::Both },
    ];
    methods.iter().flat_map(|&method| modes.map(|mode| Scaler { method, mode })).collect()
}

/// Recipes of each kind.
pub(crate) fn looking_back() -> RollingFeatures {
    let stats = vec![Stat::Mean, Stat::Std, Stat::Min, Stat::Max, Stat::Sum, Stat::Range];
    let rolling = Rolling { min_periods: Some(1), ..Rolling::new(3) };
    let recipes = vec![
        Recipe::Window(rolling, stats),
        Recipe::Ewm(Ewm::default()),
        Recipe::Lag(Lag { periods: 1, change: Change::Difference }),
        Recipe::Vwap { volume: "bins".to_owned(), rolling },
    ];
    RollingFeatures { features: vec![], recipes }
}

/// What a random panel is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Eras from this one on are drawn with another seed, with other rows.
    pub(crate) changed_from: usize,
}

/// Five or six eras of two to five rows; ids of a small universe; holes and bins that are all 2.
pub(crate) fn panel(plan: Plan) -> Panel {
    let eras = eras_of(plan.seed);
    let (mut labels, mut ids) = (Vec::new(), Vec::new());
    let (mut bins, mut plain, mut holes, mut target) = (vec![], vec![], vec![], vec![]);
    for era in 0..eras {
        let seed = if era < plan.changed_from { plan.seed } else { !plan.seed };
        let mut draw = Counter::new(seed).stream(1).draw(era as u32);
        let (rows, first) = (2 + below(&mut draw, 4), below(&mut draw, 6));
        let twos = below(&mut draw, 5) == 0;
        for row in 0..rows {
            labels.push(format!("{:04}", era + 1));
            ids.push(format!("n{}", (first + row) % 6));
            let tail = |u: f64| (3.0 * (u - 0.5)).tan() as f32;
            bins.push(if twos { 2 } else { below(&mut draw, 5) as u8 });
            plain.push(tail(unit(&mut draw)));
            let hole = below(&mut draw, 4) == 0;
            holes.push(if hole { f32::NAN } else { tail(unit(&mut draw)) });
            let unknown = below(&mut draw, 8) == 0 && row > 1;
            target.push(if unknown { f32::NAN } else { tail(unit(&mut draw)) });
        }
    }
    let ids: Ids = ids.into_iter().collect();
    let builder = Panel::builder().eras(&labels).unwrap().ids(ids);
    let builder = builder.feature("bins", bins).feature("plain", plain).feature("holes", holes);
    builder.target("y", target).build().unwrap()
}

pub(crate) fn eras_of(seed: u64) -> usize {
    5 + below(&mut Counter::new(seed).draw(0), 2)
}

/// The first difference in the first `rows` rows of two panels: names, features, target.
pub(crate) fn difference(a: &Panel, b: &Panel, rows: usize) -> Option<String> {
    if a.schema().features() != b.schema().features() {
        return Some("other features".to_owned());
    }
    let columns = |panel: &Panel| {
        let mut all: Vec<Vec<f32>> =
            (0..panel.width()).map(|at| panel.feature(at).to_f32()).collect();
        all.extend(panel.target().ok().map(|column| column.to_f32()));
        all
    };
    for (at, (a, b)) in columns(a).iter().zip(columns(b)).enumerate() {
        let same =
            |row: usize| a[row].to_bits() == b[row].to_bits() || a[row].is_nan() && b[row].is_nan();
        if let Some(row) = (0..rows).find(|&row| !same(row)) {
            return Some(format!("column {at}, row {row}: {} and {}", a[row], b[row]));
        }
    }
    None
}
