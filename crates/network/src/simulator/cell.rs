//! Cells, and which sessions they admit.
//!
//! A device is always in the same cell. There are many ordinary cells, and one that is crowded, so
//! that an application can be shown a refusal: devices whose name begins with `stadium` are in it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use greenwave_core::{CurrentCatalogue, Order};
use serde::{Deserialize, Serialize};

use super::guarantee::{Guarantee, GuaranteeNumber, Guarantees};

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellName {
    /// One of 65,536 ordinary cells.
    City(u16),
    /// The crowded one.
    Stadium,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::City(number) => write!(f, "city-{number}"),
            Self::Stadium => f.write_str("stadium"),
        }
    }
}

/// A text is no cell's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cell is stadium, or city-0 to city-65535")]
pub struct InvalidCellName;

impl FromStr for CellName {
    type Err = InvalidCellName;

    /// Reads what is shown.
    fn from_str(text: &str) -> Result<Self, InvalidCellName> {
        if text == "stadium" {
            return Ok(Self::Stadium);
        }
        let number = text.strip_prefix("city-").and_then(|number| number.parse().ok());
        number.map(Self::City).ok_or(InvalidCellName)
    }
}

/// What a cell can give.
struct Capacity {
    /// To flows with a guaranteed rate, of what 60 MHz carry: 70 % of 400 and 100 Mbit/s.
    guaranteed_downlink_bps: u64,
    guaranteed_uplink_bps: u64,
    /// Sessions of any profile.
    sessions: u32,
}

impl CellName {
    /// The cell that the device of an order is in.
    pub(super) fn of(order: &Order) -> Self {
        let name = order.asked.device.network_access_identifier();
        if name.is_some_and(|name| name.local().starts_with("stadium")) {
            return Self::Stadium;
        }
        let [.., high, low] = order.device.0;
        Self::City(u16::from_be_bytes([high, low]))
    }

    fn capacity(self) -> Capacity {
        Capacity {
            guaranteed_downlink_bps: 280_000_000,
            guaranteed_uplink_bps: 70_000_000,
            sessions: match self {
                Self::City(_) => 2_000,
                Self::Stadium => 3,
            },
        }
    }
}

/// What a session takes of its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) cell: CellName,
    pub(super) guarantee: GuaranteeNumber,
}

/// How many cells there are.
const CELLS: usize = 1 + (1 << 16);

/// How many of them take memory together.
const NEIGHBOURS: usize = 256;

/// What of each cell is taken. Cells that nobody has used, nor their neighbours, take no memory.
#[derive(Debug)]
pub(super) struct Cells {
    guarantees: Guarantees,
    loads: Box<[Option<Box<[Load; NEIGHBOURS]>>]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    downlink_bps: u64,
    uplink_bps: u64,
    sessions: u32,
}

impl Cells {
    /// Empty cells, for sessions with the profiles of a catalogue.
    pub(super) fn new(catalogue: Arc<CurrentCatalogue>) -> Self {
        Self { guarantees: Guarantees::new(catalogue), loads: no_loads() }
    }

    /// What a session that is installed takes of its cell.
    pub(super) fn share_of_installed(&mut self, cell: CellName, profile: &str) -> Share {
        let guarantee = self.guarantees.of_profile(profile);
        Share { cell, guarantee: guarantee.unwrap_or(GuaranteeNumber::NOTHING) }
    }

    /// Takes what a session with this profile needs, if the cell has it to give.
    pub(super) fn admit_with(&mut self, cell: CellName, profile: &str) -> Option<Share> {
        let share = Share { cell, guarantee: self.guarantees.of_profile(profile)? };
        self.admit(share).then_some(share)
    }

    /// Takes the share if the cell has it to give.
    fn admit(&mut self, share: Share) -> bool {
        let capacity = share.cell.capacity();
        let Guarantee { downlink_bps, uplink_bps } = self.guarantee(share);
        let load = self.load(share.cell);
        let fits = load.sessions < capacity.sessions
            && load.downlink_bps + downlink_bps <= capacity.guaranteed_downlink_bps
            && load.uplink_bps + uplink_bps <= capacity.guaranteed_uplink_bps;
        if fits {
            self.take(share);
        }
        fits
    }

    /// Takes the share, whether or not it fits: what is installed is installed.
    pub(super) fn take(&mut self, share: Share) {
        let guarantee = self.guarantee(share);
        let load = self.load(share.cell);
        load.downlink_bps += guarantee.downlink_bps;
        load.uplink_bps += guarantee.uplink_bps;
        load.sessions += 1;
    }

    pub(super) fn give_back(&mut self, share: Share) {
        let guarantee = self.guarantee(share);
        let load = self.load(share.cell);
        load.downlink_bps -= guarantee.downlink_bps;
        load.uplink_bps -= guarantee.uplink_bps;
        load.sessions -= 1;
    }

    /// Has everything given back.
    pub(super) fn clear(&mut self) {
        self.loads = no_loads();
    }

    fn load(&mut self, cell: CellName) -> &mut Load {
        let number = match cell {
            CellName::City(number) => usize::from(number),
            CellName::Stadium => CELLS - 1,
        };
        let neighbours = self.loads[number / NEIGHBOURS]
            .get_or_insert_with(|| Box::new([Load::default(); NEIGHBOURS]));
        &mut neighbours[number % NEIGHBOURS]
    }

    fn guarantee(&self, share: Share) -> Guarantee {
        self.guarantees.get(share.guarantee)
    }
}

fn no_loads() -> Box<[Option<Box<[Load; NEIGHBOURS]>>]> {
    std::iter::repeat_with(|| None).take(CELLS.div_ceil(NEIGHBOURS)).collect()
}

#[cfg(test)]
mod tests {
    use greenwave_core::profile::{BitRate, Rates};
    use greenwave_core::{Catalogue, ProfileName, QosProfile};

    use super::*;

    /// Cells for profiles that are called by what they guarantee each way.
    fn cells() -> Cells {
        let profile = |mbps: u32| {
            let rates = Rates::guaranteed_at(BitRate::from_mbps(mbps));
            let name = ProfileName::parse(&format!("up-to-{mbps}")).unwrap();
            let profile = Catalogue::nokia().find("QOS_E").unwrap().clone();
            QosProfile { name, downlink: rates, uplink: rates, ..profile }
        };
        let catalogue = Catalogue::new((0..100).map(profile).collect()).unwrap();
        Cells::new(Arc::new(CurrentCatalogue::new(catalogue)))
    }

    fn admit(cells: &mut Cells, cell: CellName, mbps: u32) -> bool {
        cells.admit_with(cell, &format!("up-to-{mbps}")).is_some()
    }

    fn give_back(cells: &mut Cells, cell: CellName, mbps: u32) {
        let share = cells.share_of_installed(cell, &format!("up-to-{mbps}"));
        cells.give_back(share);
    }

    #[test]
    fn a_cell_guarantees_no_more_than_it_has() {
        let mut cells = cells();
        let city = CellName::City(7);
        assert!(admit(&mut cells, city, 60));
        assert!(!admit(&mut cells, city, 11), "70 Mbit/s is what there is uplink");
        assert!(admit(&mut cells, city, 10));
        assert!(admit(&mut cells, city, 0), "what only goes first needs no room");
        assert!(admit(&mut cells, CellName::City(8), 70), "another cell is another cell");
        give_back(&mut cells, city, 60);
        assert!(admit(&mut cells, city, 55));
    }

    #[test]
    fn a_cells_name_is_read_as_it_is_shown() {
        for cell in [CellName::Stadium, CellName::City(0), CellName::City(65_535)] {
            assert_eq!(cell.to_string().parse(), Ok(cell));
        }
        for bad in ["", "city", "city-", "city-65536", "7", "Stadium"] {
            assert_eq!(bad.parse::<CellName>(), Err(InvalidCellName), "{bad:?}");
        }
    }

    #[test]
    fn a_crowded_cell_takes_few_sessions() {
        let mut cells = cells();
        assert_eq!((0..5).filter(|_| admit(&mut cells, CellName::Stadium, 0)).count(), 3);
        give_back(&mut cells, CellName::Stadium, 0);
        assert!(admit(&mut cells, CellName::Stadium, 0));
    }

    #[test]
    fn each_cell_has_a_load_of_its_own_and_far_ones_take_no_memory() {
        let mut cells = cells();
        let all = [CellName::City(0), CellName::City(255), CellName::City(65_535)];
        for cell in all.into_iter().chain([CellName::Stadium]) {
            assert!(admit(&mut cells, cell, 70));
            assert!(!admit(&mut cells, cell, 1));
        }
        assert_eq!(cells.loads.iter().flatten().count(), 3);
        cells.clear();
        assert_eq!(cells.loads.iter().flatten().count(), 0);
        assert!(admit(&mut cells, CellName::Stadium, 70));
    }
}
