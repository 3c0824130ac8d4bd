//! The same model, byte for byte, for any number of threads and any sharding of the rows.

use std::sync::{Barrier, Mutex};

use fattail_bins::Mappers;
use fattail_core::{Fit, Panel, silent};
use fattail_gbdt::{
    Boosting, Constraints, Criterion, Dart, EraSettings, Gbdt, GbdtModel, Growth, Limits,
    MonotoneMethod, Objective, Precision, Reduce, Rows, Sampling,
};

use crate::data::{self, Draws, name};

fn settings() -> Gbdt {
    let limits = Limits { min_data_in_leaf: 5, ..Limits::default() };
    Gbdt { rounds: 12, limits, ..Gbdt::default() }
}

fn bytes(model: &GbdtModel) -> String {
    serde_json::to_string(&model.forest).unwrap()
}

fn with_threads(threads: usize, settings: &Gbdt, panel: &Panel) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| bytes(&settings.fit(panel).unwrap()))
}

fn any_number_of_threads(settings: &Gbdt, panel: &Panel) {
    let one = with_threads(1, settings, panel);
    for threads in [2, 3, 8] {
        assert!(one == with_threads(threads, settings, panel), "{threads} threads: {settings:?}");
    }
}

#[test]
fn threads_do_not_matter() {
    // Rows beyond the size of a task, so that two and more threads do share a histogram.
    let panel = data::bins(1, 30, 1500, 12, 1.0);
    let rows = Rows::Bag { fraction: 0.6, every: 2 };
    let sampling = Sampling { rows, columns_by_tree: 0.7, columns_by_node: 0.8 };
    let sampled = |rows| Sampling { rows, ..Sampling::default() };
    let goss = Sampling { rows: Rows::Goss { top: 0.2, other: 0.1 }, ..Sampling::default() };
    let dart = Dart { drop_rate: 0.5, skip_drop: 0.2, ..Dart::default() };
    for settings in [
        settings(),
        Gbdt { sampling, ..settings() },
        Gbdt { sampling: goss, ..settings() },
        Gbdt {
            sampling: sampled(Rows::MinimalVariance { fraction: 0.4 }),
            rounds: 2,
            ..settings()
        },
        Gbdt { sampling: sampled(Rows::Eras { fraction: 0.4, every: 1 }), rounds: 2, ..settings() },
        Gbdt { boosting: Boosting::Dart(dart), rounds: 5, ..settings() },
        Gbdt { boosting: Boosting::RandomForest, sampling, rounds: 3, ..settings() },
        Gbdt { growth: Growth::DepthWise, depth: Some(4), ..settings() },
        Gbdt { growth: Growth::Oblivious, depth: Some(4), ..settings() },
    ] {
        any_number_of_threads(&settings, &panel);
    }
}

/// Many bins, so that threads share the search of a leaf as well; some values are missing.
fn many_bins() -> Panel {
    let mut draws = Draws::new(4);
    let total = 2400;
    let labels: Vec<String> = (0..total).map(|row| format!("{:02}", row / 200)).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    let mut target = vec![0.0f32; total];
    for at in 0..40 {
        let column: Vec<f32> = (0..total)
            .map(|_| if draws.unit() < 0.1 { f32::NAN } else { draws.unit() as f32 })
            .collect();
        if at < 3 {
            let add =
                |(y, x): (&mut f32, &f32)| *y += if x.is_nan() { 0.3 } else { (5.0 * x).sin() };
            target.iter_mut().zip(&column).for_each(add);
        }
        builder = builder.feature(name(at).as_str(), column);
    }
    target.iter_mut().for_each(|y| *y += draws.normal() as f32);
    builder.target("target", target).build().unwrap()
}

#[test]
fn threads_do_not_matter_where_leaves_hang_together() {
    let panel = many_bins();
    let base = || Gbdt { rounds: 3, ..settings() };
    let limits = |limits: Limits| Gbdt { limits, ..base() };
    let constrained = |constraints: Constraints| Gbdt { constraints, ..base() };
    let monotone = |monotone_method| Constraints {
        monotone: [(name(0), 1), (name(1), -1)].into(),
        monotone_method,
        ..Constraints::default()
    };
    let interaction = vec![vec![name(0), name(1)], vec![name(2), name(3), name(4)]];
    let eras = |criterion| EraSettings { criterion, folds: Some(4), ..EraSettings::default() };
    let nodes = Sampling { columns_by_node: 0.5, ..Sampling::default() };
    for settings in [
        base(),
        Gbdt { precision: Precision::Double, ..base() },
        Gbdt { growth: Growth::DepthWise, ..base() },
        Gbdt { depth: Some(3), ..base() },
        Gbdt { sampling: nodes, ..base() },
        limits(Limits { extra_trees: true, ..Limits::default() }),
        limits(Limits { path_smooth: 5.0, lambda_l1: 0.1, ..Limits::default() }),
        limits(Limits { lambda_l2: 5.0, min_gain_to_split: 0.5, ..Limits::default() }),
        constrained(monotone(MonotoneMethod::Basic)),
        constrained(monotone(MonotoneMethod::Intermediate)),
        constrained(Constraints { interaction, ..Constraints::default() }),
        Gbdt { eras: eras(Criterion::Directional { power: 1.0, least: 0.0 }), ..base() },
    ] {
        any_number_of_threads(&settings, &panel);
    }
}

/// Workers that meet at a barrier.
struct Meeting {
    sums: Mutex<Vec<u64>>,
    barrier: Barrier,
}

impl Reduce for Meeting {
    fn sum(&self, integers: &mut [u64]) {
        {
            let mut sums = self.sums.lock().unwrap();
            sums.resize(integers.len(), 0);
            sums.iter_mut().zip(&*integers).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
        }
        self.barrier.wait();
        integers.copy_from_slice(&self.sums.lock().unwrap());
        if self.barrier.wait().is_leader() {
            self.sums.lock().unwrap().clear();
        }
        self.barrier.wait();
    }
}

/// The models of workers that hold some eras each.
fn sharded(settings: &Gbdt, panel: &Panel, eras: &[std::ops::Range<usize>]) -> Vec<String> {
    let mappers = Mappers::learn(panel, &settings.bins).unwrap();
    let meeting = Meeting { sums: Mutex::new(Vec::new()), barrier: Barrier::new(eras.len()) };
    let shard =
        |eras: &std::ops::Range<usize>| panel.cut(&eras.clone().collect::<Vec<_>>()).unwrap();
    let shards: Vec<Panel> = eras.iter().map(shard).collect();
    let train = |shard: &Panel| match settings.fit_shard(shard, &mappers, &meeting, &silent) {
        Ok(model) => bytes(&model),
        Err(error) => error.to_string(),
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = shards.iter().map(|shard| scope.spawn(|| train(shard))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn four_shards_of_rows_grow_the_trees_of_one_worker() {
    let panel = data::bins(2, 16, 250, 8, 1.0);
    let labels: Vec<f32> =
        panel.target().unwrap().to_f32().iter().map(|&y| f32::from(u8::from(y > 0.0))).collect();
    let binary = panel.with_target_values(labels).unwrap();
    let weighted = panel.with_weights(vec![0.5; panel.rows()]).unwrap();
    let base = || Gbdt { from_average: false, ..settings() };
    let columns = Sampling { columns_by_tree: 0.6, columns_by_node: 0.6, ..Sampling::default() };
    let whole_eras = EraSettings { equal_weights: true, ..EraSettings::default() };
    for (settings, panel) in [
        (base(), &panel),
        (base(), &weighted),
        (Gbdt { objective: Objective::from_name("binary").unwrap(), ..base() }, &binary),
        (Gbdt { sampling: columns, ..base() }, &panel),
        (Gbdt { growth: Growth::DepthWise, ..base() }, &panel),
        (Gbdt { growth: Growth::Oblivious, depth: Some(3), ..base() }, &panel),
        (Gbdt { boosting: Boosting::Dart(Dart::default()), ..base() }, &panel),
        (Gbdt { eras: whole_eras, ..base() }, &panel),
    ] {
        let whole = bytes(&settings.fit(panel).unwrap());
        // Shards of unequal size.
        for model in sharded(&settings, panel, &[0..1, 1..5, 5..11, 11..16]) {
            assert!(model == whole, "{settings:?}");
        }
    }
}

#[test]
fn a_worker_without_a_class_is_told_to_all() {
    let panel = data::bins(3, 4, 100, 3, 1.0);
    // The first worker knows two classes of three.
    let labels: Vec<f32> =
        (0..400).map(|row| (row % if row < 100 { 2 } else { 3 }) as f32).collect();
    let panel = panel.with_target_values(labels).unwrap();
    let objective = Objective::Multiclass { classes: 3 };
    let settings = Gbdt { objective, from_average: false, ..settings() };
    for told in sharded(&settings, &panel, &[0..1, 1..4]) {
        assert!(told.contains("a class that one of them has no row of"), "{told}");
    }
}
