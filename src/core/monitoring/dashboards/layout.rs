//! Where the panels of a row stand in Grafana's grid of 24 columns.

use super::panel::Panel;

/// The columns of the grid.
pub(super) const COLUMNS: u32 = 24;
/// The height of a heading.
pub(super) const HEADING: u32 = 1;

/// The place of a panel: column, line, width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

/// Places panels from left to right, in lines that are as high as their first panel. Also tells where the next row begins.
pub(super) fn placed(panels: &[Panel], mut y: u32) -> (Vec<Place>, u32) {
    let mut places = Vec::new();
    let (mut x, mut height) = (0, 0);
    for panel in panels {
        let w = panel.width;
        if x + w > COLUMNS || height == 0 {
            (x, y, height) = (0, y + height, panel.look.height());
        }
        places.push(Place { x, y, w, h: height });
        x += w;
    }
    (places, y + height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitoring::dashboards::panel::Unit;

    #[test]
    fn a_line_is_full_before_the_next_one_begins() {
        let number = Panel::number("", Unit::Count, "");
        let lines = Panel::lines("", Unit::Count, "");
        let panels = [number.clone().wide(12), number.wide(12), lines.clone(), lines];
        let (places, next) = placed(&panels, 7);
        let corners: Vec<(u32, u32, u32)> = places.iter().map(|at| (at.x, at.y, at.h)).collect();
        assert_eq!(corners, [(0, 7, 4), (12, 7, 4), (0, 11, 8), (12, 11, 8)]);
        assert_eq!(next, 19);
    }
}
