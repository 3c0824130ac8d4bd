//! Self loops: their laws, and the filling against its gradient.

use fattail_fused::graph::{Edges, SelfLoops};
use proptest::prelude::*;

use super::{graphs, numbers};

proptest! {
    #[test]
    fn every_node_has_one_loop_and_the_rest_stays(graph in graphs(8, 20)) {
        let list = graph.edges();
        let loops = SelfLoops::new(list).unwrap();
        let pairs = |edges: &Edges| -> Vec<(u32, u32)> {
            edges.sources.iter().copied().zip(edges.targets.iter().copied()).collect()
        };
        let mut expected: Vec<_> = pairs(list).into_iter().filter(|(source, target)| source != target).collect();
        expected.extend((0..list.nodes as u32).map(|node| (node, node)));
        prop_assert_eq!(pairs(loops.edges()), expected);
        let again = SelfLoops::new(loops.edges()).unwrap();
        prop_assert_eq!(again.edges(), loops.edges());
    }

    /// The filling is linear: <fill(x), g> = <x, fill_gradient(g)>.
    #[test]
    fn the_gradient_is_the_adjoint(graph in graphs(8, 20), width in 1_usize..4, seed in 0_u64..1 << 40) {
        let loops = SelfLoops::new(graph.edges()).unwrap();
        let features = numbers(seed, graph.edges().len() * width);
        let gradient = numbers(seed + 1, loops.edges().len() * width);
        let product = |left: &[f32], right: &[f32]| -> f64 {
            left.iter().zip(right).map(|(&l, &r)| f64::from(l) * f64::from(r)).sum()
        };
        let forward = product(&loops.fill(&features, width).unwrap(), &gradient);
        let backward = product(&features, &loops.fill_gradient(&gradient, width).unwrap());
        prop_assert!((forward - backward).abs() < 1e-5, "{forward} {backward}");
    }
}
