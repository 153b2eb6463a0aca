use super::EndRequest;

/// Calls `asked` for Ctrl-C, and when the console is closed or the user logs off.
pub(super) fn listen(asked: impl Fn(EndRequest) + Send + 'static) -> anyhow::Result<()> {
    Ok(ctrlc::set_handler(move || asked(EndRequest::Interrupt))?)
}

/// There an exit code must do.
pub(super) fn die(_request: EndRequest) {}
