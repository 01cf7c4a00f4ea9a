//! Cells, and which sessions they admit.
//!
//! A device is always in the same cell. There are many ordinary cells, and one that is crowded, so
//! that an application can be shown a refusal: devices whose name begins with `stadium` are in it.

use std::fmt;
use std::str::FromStr;

use greenwave_core::profile::{BitRate, Rates};
use greenwave_core::{Catalogue, Order};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

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

/// Which of a network's guarantees is meant. There are millions of sessions and few guarantees, so
/// a session keeps the number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GuaranteeNumber(u16);

impl GuaranteeNumber {
    /// How many numbers there are.
    pub(super) const COUNT: usize = 1 << 14;

    /// The number, without the bits that no number has.
    pub(super) fn new(number: u16) -> Self {
        Self(number & (Self::COUNT as u16 - 1))
    }

    pub(super) fn get(self) -> u16 {
        self.0
    }
}

/// The guaranteed rates of a profile; 0 for one that only goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Guarantee {
    downlink_bps: u64,
    uplink_bps: u64,
}

/// How many cells there are.
const CELLS: usize = 1 + (1 << 16);

/// How many of them take memory together.
const NEIGHBOURS: usize = 256;

/// What of each cell is taken. Cells that nobody has used, nor their neighbours, take no memory.
#[derive(Debug)]
pub(super) struct Cells {
    /// Each once. The first guarantees nothing, and is that of profiles that are not known.
    guarantees: Vec<Guarantee>,
    profiles: HashMap<Box<str>, GuaranteeNumber>,
    loads: Box<[Option<Box<[Load; NEIGHBOURS]>>]>,
}

/// A catalogue has more different guarantees than can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profiles have more than {} different guaranteed rates", GuaranteeNumber::COUNT)]
pub(super) struct TooManyGuarantees;

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    downlink_bps: u64,
    uplink_bps: u64,
    sessions: u32,
}

impl Cells {
    /// Empty cells, for sessions with the profiles of a catalogue.
    pub(super) fn new(catalogue: &Catalogue) -> Result<Self, TooManyGuarantees> {
        let mut guarantees = vec![Guarantee::default()];
        let mut profiles = HashMap::new();
        for profile in catalogue.iter() {
            let bps = |rates: Rates| rates.guaranteed.map_or(0, BitRate::bps);
            let guarantee =
                Guarantee { downlink_bps: bps(profile.downlink), uplink_bps: bps(profile.uplink) };
            let known = guarantees.iter().position(|known| *known == guarantee);
            let number = known.unwrap_or(guarantees.len());
            if number >= GuaranteeNumber::COUNT {
                return Err(TooManyGuarantees);
            }
            if known.is_none() {
                guarantees.push(guarantee);
            }
            profiles.insert(profile.name.as_str().into(), GuaranteeNumber(number as u16));
        }
        Ok(Self { guarantees, profiles, loads: no_loads() })
    }

    /// What a session with this profile takes of a cell.
    pub(super) fn share(&self, cell: CellName, profile: &str) -> Share {
        let known = self.profiles.get(profile).copied();
        Share { cell, guarantee: known.unwrap_or(GuaranteeNumber(0)) }
    }

    /// Takes the share if the cell has it to give.
    pub(super) fn admit(&mut self, share: Share) -> bool {
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
        self.guarantees.get(usize::from(share.guarantee.0)).copied().unwrap_or_default()
    }
}

fn no_loads() -> Box<[Option<Box<[Load; NEIGHBOURS]>>]> {
    std::iter::repeat_with(|| None).take(CELLS.div_ceil(NEIGHBOURS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells whose guarantees have the numbers of their Mbit/s.
    fn cells() -> Cells {
        let guarantees = (0..100).map(|mbps| mbps * 1_000_000);
        let guarantees = guarantees.map(|bps| Guarantee { downlink_bps: bps, uplink_bps: bps });
        Cells { guarantees: guarantees.collect(), profiles: HashMap::new(), loads: no_loads() }
    }

    fn share(cell: CellName, mbps: u16) -> Share {
        Share { cell, guarantee: GuaranteeNumber(mbps) }
    }

    #[test]
    fn a_share_is_what_the_profile_guarantees() {
        let catalogue = Catalogue::nokia();
        let cells = Cells::new(&catalogue).unwrap();
        for profile in catalogue.iter() {
            let share = cells.share(CellName::Stadium, profile.name.as_str());
            let Guarantee { downlink_bps, uplink_bps } = cells.guarantee(share);
            assert_eq!(downlink_bps, profile.downlink.guaranteed.map_or(0, BitRate::bps));
            assert_eq!(uplink_bps, profile.uplink.guaranteed.map_or(0, BitRate::bps));
        }
        let unknown = cells.share(CellName::Stadium, "unknown");
        assert_eq!(cells.guarantee(unknown), Guarantee::default());
    }

    #[test]
    fn a_cell_guarantees_no_more_than_it_has() {
        let mut cells = cells();
        let city = CellName::City(7);
        assert!(cells.admit(share(city, 60)));
        assert!(!cells.admit(share(city, 11)), "70 Mbit/s is what there is uplink");
        assert!(cells.admit(share(city, 10)));
        assert!(cells.admit(share(city, 0)), "what only goes first needs no room");
        assert!(cells.admit(share(CellName::City(8), 70)), "another cell is another cell");
        cells.give_back(share(city, 60));
        assert!(cells.admit(share(city, 55)));
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
        let stadium = share(CellName::Stadium, 0);
        assert_eq!((0..5).filter(|_| cells.admit(stadium)).count(), 3);
        cells.give_back(stadium);
        assert!(cells.admit(stadium));
    }

    #[test]
    fn each_cell_has_a_load_of_its_own_and_far_ones_take_no_memory() {
        let mut cells = cells();
        let all = [CellName::City(0), CellName::City(255), CellName::City(65_535)];
        for cell in all.into_iter().chain([CellName::Stadium]) {
            assert!(cells.admit(share(cell, 70)));
            assert!(!cells.admit(share(cell, 1)));
        }
        assert_eq!(cells.loads.iter().flatten().count(), 3);
        cells.clear();
        assert_eq!(cells.loads.iter().flatten().count(), 0);
        assert!(cells.admit(share(CellName::Stadium, 70)));
    }
}
