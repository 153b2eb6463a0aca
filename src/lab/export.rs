//! A report as text for the shell, Markdown, CSV and JSON: one file a format.

mod csv;
mod json;
mod markdown;
mod text;
