//! The same model, byte for byte, for any number of threads and any sharding of the rows.

use std::sync::{Barrier, Mutex};

use fattail_bins::Mappers;
use fattail_core::{Fit, Panel, silent};
use fattail_gbdt::{
    Boosting, Dart, Gbdt, GbdtModel, Growth, Limits, Objective, Reduce, Rows, Sampling,
};

use crate::data;

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
        let one = with_threads(1, &settings, &panel);
        for threads in [2, 3, 8] {
            assert!(
                one == with_threads(threads, &settings, &panel),
                "{threads} threads: {settings:?}"
            );
        }
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

#[test]
fn four_shards_of_rows_grow_the_trees_of_one_worker() {
    let panel = data::bins(2, 16, 250, 8, 1.0);
    let settings = Gbdt { from_average: false, objective: Objective::Regression, ..settings() };
    let whole = settings.fit(&panel).unwrap();
    let mappers = Mappers::learn(&panel, &settings.bins).unwrap();
    let meeting = Meeting { sums: Mutex::new(Vec::new()), barrier: Barrier::new(4) };
    // Shards of unequal size.
    let shards: Vec<Panel> = [0..2, 2..5, 5..11, 11..16]
        .map(|eras| panel.cut(&eras.collect::<Vec<_>>()).unwrap())
        .into();
    let models: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = shards
            .iter()
            .map(|shard| {
                let (settings, mappers, meeting) = (&settings, &mappers, &meeting);
                scope.spawn(move || {
                    bytes(&settings.fit_shard(shard, None, mappers, meeting, &silent).unwrap())
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for (shard, model) in models.iter().enumerate() {
        assert!(*model == bytes(&whole), "worker {shard}");
    }
}
