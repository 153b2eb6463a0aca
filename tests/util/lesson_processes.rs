//! The processes that lessons have started.

use std::fs;
use std::path::Path;

/// The pids of all processes of runs that have their files in this folder.
pub(crate) fn lesson_processes_in(folder: &Path) -> Vec<u32> {
    let variable = format!("MEANWHILE_LESSON_FOLDER={}", folder.display());
    let is_set = |pid: &u32| {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = variables.split(|&byte| byte == 0);
        variables.any(|set| set.starts_with(variable.as_bytes()))
    };
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(is_set).collect()
}
