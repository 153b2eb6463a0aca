//! The commands of the page.

use super::ID;
use crate::pages::commands::{ShortcutScope, commands};

commands! {
    COPY_DIAGNOSTICS: None, ShortcutScope::Page(ID), "Copy diagnostics",
        "Copy what helps to find a fault: versions, system, display, graphics, times of frames and limits. The text \
         names neither you nor this machine.";
}
