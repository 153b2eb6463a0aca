//! What an explanation says in words.
