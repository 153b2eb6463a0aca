//! Scripts that take the place of the program.

/// What a script that takes the place of the program does as supervisor and as shim, which its first
/// argument says: the former only stays, the latter becomes the script again. It does not wait as a shim.
pub(crate) fn launching_part() -> String {
    format!(
        "case $1 in\n--meanwhile-supervisor) exec cat >/dev/null;;\n\
         --meanwhile-launch)\n[ \"$3\" = wait ] && exit\noptions=\n\
         while [ \"$1\" != -- ]; do options=\"$options $1\"; shift; done\nshift 2\n\
         exec {} $options -- \"$0\" \"$@\";;\nesac\n",
        env!("CARGO_BIN_EXE_meanwhile")
    )
}
