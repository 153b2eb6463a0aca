//! Widgets and colours that several pages use, and the parts of the window around a page.

pub(crate) mod choice_box;
#[cfg(unix)]
pub(crate) mod code_view;
#[cfg(target_os = "linux")]
pub mod frame_plot;
pub(crate) mod hatching;
pub mod layered;
pub(crate) mod layout;
pub(crate) mod legend;
pub mod notices;
pub mod status_bar;
pub(crate) mod status_style;
pub(crate) mod time_axis;
pub mod timeline_view;
pub mod tokens;
pub mod trace_view;
pub mod wait_picture;
pub(crate) mod widgets;
