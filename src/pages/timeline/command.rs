use eframe::egui::Key;

use super::ID;
use crate::pages::commands::{ShortcutScope, commands, ctrl, plain, shift};

const PAGE: ShortcutScope = ShortcutScope::Page(ID);
const LANES: ShortcutScope = ShortcutScope::Field("the timeline");

commands! {
    FIT: Some(ctrl(Key::Num1)), PAGE, "Show all", "Show the whole time.";
    CLOSER: Some(plain(Key::W)), LANES, "Closer", "Show a shorter time.";
    FURTHER: Some(plain(Key::S)), LANES, "Further", "Show a longer time.";
    EARLIER: Some(plain(Key::A)), LANES, "Earlier", "";
    LATER: Some(plain(Key::D)), LANES, "Later", "";
    FOLLOW: None, PAGE, "Follow", "Keep what runs now in sight.";
    OPEN: None, PAGE, "Open trace…", "Open traces of this program, of Chrome, Perfetto, cargo and others.";
    CLOSE: None, PAGE, "Close trace", "";
    SAVE: None, PAGE, "Save trace…", "Save what is shown here as a file for Perfetto, speedscope, the Firefox Profiler and Meanwhile.";
    SAVE_CSV: None, PAGE, "Save CSV…", "Save the items, waits and frames as a table.";
    COMPARE: None, PAGE, "Compare runs…", "Show two runs above each other, and what differs.";
    CLOSE_COMPARISON: None, PAGE, "Close comparison", "";
    FIND: Some(ctrl(Key::F)), PAGE, "Find a bar by its name", "";
    FIND_NEXT: Some(plain(Key::F3)), PAGE, "Next", "The next bar with that text in its name; Enter in the field.";
    FIND_PREVIOUS: Some(shift(Key::F3)), PAGE, "Previous", "The bar before; Shift and Enter in the field.";
    SHOW_IN_RESULTS: None, PAGE, "Show in results", "Select the item in the results of its job.";
    SHOW_OUTPUT: None, PAGE, "Show output", "What the process of the item prints.";
    WHO_WAITS: None, PAGE, "Who waits", "Who waits for whom now, and since when.";
}
