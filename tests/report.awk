# Reads what a Rust test binary prints with `--format json --report-time`, and prints it for people:
# one line a test, the output of each test that failed, and the result of the suite.
#
# Appends "SECONDS<tab>TEST" to the file `times` for each test, and "PASSED<tab>FAILED" to the file
# `results` for each suite. Lines that are not JSON are printed as they are.

function text(key,    start) {
    start = index($0, "\"" key "\": \"")
    return start ? string_at(start + length(key) + 5) : ""
}

function number(key,    start) {
    start = index($0, "\"" key "\": ")
    return start ? substr($0, start + length(key) + 4) + 0 : 0
}

# The JSON string that begins at `position`, without its escapes.
function string_at(position,    decoded, character) {
    decoded = ""
    for (; position <= length($0); position++) {
        character = substr($0, position, 1)
        if (character == "\"") break
        if (character == "\\") {
            position++
            character = substr($0, position, 1)
            if (character == "n") character = "\n"
            else if (character == "t") character = "\t"
            else if (character == "r") character = "\r"
            else if (character == "u") {
                # Only control characters are written so; a terminal is spared them.
                position += 4
                character = ""
            }
        }
        decoded = decoded character
    }
    return decoded
}

/^{ "type": "suite"/ {
    if (text("event") == "started") {
        printf "\nrunning %d tests\n", number("test_count")
    } else {
        for (i = 1; i <= failures; i++) printf "\n---- %s ----\n%s", failed[i], output[i]
        failures = 0
        printf "\ntest result: %s. %d passed; %d failed; %d ignored; %d measured; %d filtered out; finished in %.2fs\n\n", \
            text("event") == "ok" ? "ok" : "FAILED", number("passed"), number("failed"), \
            number("ignored"), number("measured"), number("filtered_out"), number("exec_time")
        printf "%d\t%d\n", number("passed"), number("failed") >> results
    }
    fflush()
    next
}

/^{ "type": "test"/ {
    event = text("event")
    if (event == "started") next
    if (event == "timeout") {
        printf "test %s has been running for over a minute\n", text("name")
    } else {
        printf "test %s ... %s\n", text("name"), event == "failed" ? "FAILED" : event
        if (event != "ignored") printf "%.3f\t%s\n", number("exec_time"), text("name") >> times
        if (event == "failed") {
            failed[++failures] = text("name")
            output[failures] = text("stdout")
        }
    }
    fflush()
    next
}

{ print; fflush() }
