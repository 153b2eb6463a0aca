//! The placement of a task in four bytes.

use super::info::Placement;

/// The number of a pool, or one of these numbers, which no pool has.
pub(crate) struct Place(u32);

const THREAD: u32 = 0;
const ELSEWHERE: u32 = u32::MAX;

impl Place {
    /// Pools are numbered from 1, and a process makes far fewer than fit.
    pub(crate) fn new(placement: Placement) -> Self {
        Self(match placement {
            Placement::Thread => THREAD,
            Placement::Elsewhere => ELSEWHERE,
            Placement::Pool(pool) => u32::try_from(pool).unwrap_or(ELSEWHERE - 1),
        })
    }

    pub(crate) fn placement(&self) -> Placement {
        match self.0 {
            THREAD => Placement::Thread,
            ELSEWHERE => Placement::Elsewhere,
            pool => Placement::Pool(pool.into()),
        }
    }
}
