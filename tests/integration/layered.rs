//! Where the nodes of a graph are drawn.

use meanwhile::ui::layered::{Layered, Route, Sizes, layered};
use proptest::prelude::*;

const SIZES: Sizes = Sizes {
    node: [100.0, 40.0],
    gap: [50.0, 10.0],
    lane: 12.0,
};

/// A corner and a size.
type Place = ([f32; 2], [f32; 2]);

fn places(layout: &Layered) -> Vec<Place> {
    let nodes = layout.nodes.iter().map(|corner| (*corner, SIZES.node));
    let bends = layout.edges.iter().flat_map(|route| &route.bends);
    let lanes = bends.map(|corner| (*corner, [SIZES.node[0], SIZES.lane]));
    nodes.chain(lanes).collect()
}

fn overlap((a, a_size): Place, (b, b_size): Place) -> bool {
    (0..2).all(|axis| a[axis] < b[axis] + b_size[axis] && b[axis] < a[axis] + a_size[axis])
}

fn graphs() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1_usize..40).prop_flat_map(|count| {
        let edges = prop::collection::vec((0..count, 0..count), 0..60);
        (Just(count), edges)
    })
}

proptest! {
    #[test]
    fn nothing_overlaps_in_any_graph((count, edges) in graphs()) {
        let layout = layered(count, &edges, SIZES);
        prop_assert_eq!(layout.nodes.len(), count);
        prop_assert_eq!(layout.edges.len(), edges.len());
        let places = places(&layout);
        for (index, place) in places.iter().enumerate() {
            for axis in 0..2 {
                prop_assert!(place.0[axis] >= 0.0);
                prop_assert!(place.0[axis] + place.1[axis] <= layout.size[axis]);
            }
            for other in &places[index + 1..] {
                prop_assert!(!overlap(*place, *other), "{place:?} and {other:?}");
            }
        }
    }

    #[test]
    fn edges_lead_to_the_right_unless_reversed((count, edges) in graphs()) {
        let layout = layered(count, &edges, SIZES);
        for ((from, to), route) in edges.iter().zip(&layout.edges) {
            let [from_x, to_x] = [from, to].map(|node| layout.nodes[*node][0]);
            if from == to {
                prop_assert!(route.bends.is_empty());
            } else if route.is_reversed {
                prop_assert!(to_x < from_x);
            } else {
                prop_assert!(from_x < to_x);
            }
        }
    }

    #[test]
    fn equal_graphs_have_equal_places((count, edges) in graphs()) {
        prop_assert_eq!(layered(count, &edges, SIZES), layered(count, &edges, SIZES));
    }
}

#[test]
fn edge_is_reversed_only_in_a_cycle() {
    let tree = layered(5, &[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)], SIZES);
    assert!(tree.edges.iter().all(|route| !route.is_reversed));
    let ring = layered(3, &[(0, 1), (1, 2), (2, 0)], SIZES);
    let reversed: Vec<bool> = ring.edges.iter().map(|route| route.is_reversed).collect();
    assert_eq!(reversed, [false, false, true]);
}

#[test]
fn chain_is_one_straight_line() {
    let layout = layered(4, &[(0, 1), (1, 2), (2, 3)], SIZES);
    let expected = Layered {
        nodes: [0.0, 150.0, 300.0, 450.0].map(|x| [x, 0.0]).into(),
        edges: vec![Route::default(); 3],
        size: [550.0, 40.0],
    };
    assert_eq!(layout, expected);
}

#[test]
fn empty_graph_takes_no_room() {
    assert_eq!(layered(0, &[], SIZES), Layered::default());
}
