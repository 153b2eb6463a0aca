//! Run long work in the background, watch it, and join it on your own terms.
//!
//! Two things in one crate: [`join`], a library of background tasks for programs with a window, and
//! a desktop program that is built on it.
//!
//! # The library
//! [`join::spawn`] starts a [`join::Task`], whose handle can be polled once a frame for one atomic
//! load, joined with or without a timeout any number of times, and cancelled; how the task ended is
//! a value, a panic included. [`join::Changes`] tells a window what changed since its last frame
//! and wakes it when something does. Without the feature `app` the crate is this module alone.
//!
//! # The program
//! Work flows down and news flow up, and nothing points back up:
//!
//! | module | what it does | may use |
//! |---|---|---|
//! | `app` | the window: frame loop, closing, the settings file | everything below |
//! | `cli` | the same jobs from a shell | `board` and below |
//! | `pages` | one folder a page: its state and its panels | `ui` and below |
//! | `ui` | widgets and colours that pages share | `lab`, `lessons`, `board` and below |
//! | `lab` | the Freeze Lab: ways to wait, measured in windows of their own | `record` and below |
//! | `lessons` | short programs about joining that really run | `record` and below |
//! | `board` | owns what runs; starts, cancels, joins; turns wake-ups into events | `record` and below |
//! | `record` | what happened, as plain data, built from events alone | `jobs`, `join` |
//! | `jobs` | what can be run: the catalogue, one file a job | `join` |
//! | `catalog` | ids of built-in lists: lessons and patterns | std |
//! | `format` | numbers, sizes, times and texts as a person reads them | std |
//! | `desktop` | whether there is a display, and why there is no window | the window toolkit |
//! | [`join`] | tasks, pools, waiting | std |
//!
//! # Invariants
//! - An outcome is published before anybody is woken, so who is woken finds it there.
//! - Nothing that a frame calls waits; to wait for a job is a state of that job.
//! - `join` knows no window toolkit and no file format; `jobs`, `record` and `board` know no window.
//! - No unsafe code, and panics unwind: a panic is an outcome.
//!
//! ARCHITECTURE.md in the repository is the longer map.

// The Freeze Lab and the lessons show their own source, which then also compiles in another crate.
#[cfg(feature = "app")]
extern crate self as meanwhile;

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "app")]
pub mod board;
#[cfg(feature = "app")]
pub mod catalog;
#[cfg(feature = "app")]
pub mod cli;
#[cfg(feature = "app")]
mod desktop;
#[cfg(feature = "app")]
pub mod format;
#[cfg(feature = "app")]
pub mod jobs;
pub mod join;
#[cfg(all(feature = "app", target_os = "linux"))]
pub mod lab;
#[cfg(all(feature = "app", unix))]
pub mod lessons;
#[cfg(feature = "app")]
pub mod pages;
#[cfg(feature = "app")]
pub mod record;
#[cfg(feature = "app")]
pub mod ui;
pub mod watchdog;

/// The README's example is compiled and run with the documentation's. It is a window.
#[cfg(all(doctest, feature = "app"))]
#[doc = include_str!("../README.md")]
struct Readme;
