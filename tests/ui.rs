//! The window as a person finds it: driven by the names of its widgets, without a display.

#[path = "ui/closing.rs"]
mod closing;
#[path = "ui/display.rs"]
mod display;
#[path = "ui/inputs.rs"]
mod inputs;
#[path = "ui/joining.rs"]
mod joining;
#[path = "ui/keyboard.rs"]
mod keyboard;
#[path = "ui/outcomes.rs"]
mod outcomes;
#[path = "ui/resting.rs"]
mod resting;
#[path = "ui/results.rs"]
mod results;
#[path = "ui/settings.rs"]
mod settings;
#[path = "ui/window.rs"]
mod window;
