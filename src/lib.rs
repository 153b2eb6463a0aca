//! Meanwhile.
