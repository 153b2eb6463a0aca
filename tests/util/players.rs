//! The processes of lessons, with all that they have started.

use std::fs;
use std::path::Path;

/// The numbers of those whose run has its files in this folder.
pub(crate) fn players_in(folder: &Path) -> Vec<u32> {
    let variable = format!("MEANWHILE_LESSON_FOLDER={}", folder.display());
    let is_set = |number: &u32| {
        let variables = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        let mut variables = variables.split(|&byte| byte == 0);
        variables.any(|set| set.starts_with(variable.as_bytes()))
    };
    let processes = fs::read_dir("/proc").expect("Linux tells").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(is_set).collect()
}
