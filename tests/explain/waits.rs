//! Each case of `waits.c`: every edge is right, none is wrong, and each ring is found.

use super::edges::{Edges, assert_edges};
use super::program::{Library, Waiting};

fn explained(library: Library, case: &str) {
    let Some(waiting) = Waiting::start(library, case) else {
        return;
    };
    let expected = Edges::read(&waiting.lines);
    assert!(!expected.waits.is_empty(), "{case} says nothing");
    assert_edges(&waiting, &expected);
}

macro_rules! cases {
    ($library:expr, $($name:ident = $case:literal,)+) => {
        $(
            #[test]
            fn $name() {
                super::explained($library, $case);
            }
        )+
    };
}

/// Those of both C libraries.
macro_rules! common {
    ($library:expr) => {
        cases! {
            $library,
            join = "join",
            join_chain = "join-chain",
            mutex_normal = "mutex-normal",
            mutex_recursive = "mutex-recursive",
            mutex_errorcheck = "mutex-errorcheck",
            mutex_robust = "mutex-robust",
            mutex_priority = "mutex-priority",
            mutex_shared_robust = "mutex-shared-robust",
            ring_of_two = "ring-2",
            ring_of_three = "ring-3",
            ring_of_four = "ring-4",
            ring_of_five = "ring-5",
            condition = "condition",
            semaphore = "semaphore",
            barrier = "barrier",
            waitpid = "waitpid",
            waitid = "waitid",
            wait = "wait",
            waitid_all = "waitid-all",
            wait_group = "wait-group",
            waitid_pidfd = "waitid-pidfd",
            wait_any = "wait-any",
            read_pipe = "read-pipe",
            read_socket_pair = "read-socket-pair",
            read_own_pipe = "read-own-pipe",
            write_full_pipe = "write-full-pipe",
            ring_of_pipes = "ring-of-pipes",
            ring_of_shared_pipes = "ring-of-shared-pipes",
            ring_of_join_and_pipes = "ring-of-join-and-pipes",
            open_fifo = "open-fifo",
            read_fifo = "read-fifo",
            read_tcp = "read-tcp",
            read_tcp_of_ipv6 = "read-tcp6",
            read_before_accept = "read-before-accept",
            read_before_accept_tcp = "read-before-accept-tcp",
            accept = "accept",
            read_terminal = "read-terminal",
            poll = "poll",
            select = "select",
            epoll = "epoll",
            poll_pidfd = "poll-pidfd",
            epoll_of_a_reused_number = "epoll-reused",
            flock = "flock",
            fcntl = "fcntl",
            ofd_lock = "ofd-lock",
            zombie = "zombie",
            first_thread_ends = "first-thread-ends",
            stopped_child = "stopped-child",
            vfork = "vfork",
            traced = "traced",
            odd_name = "odd-name",
            many_files = "many-files",
        }
    };
}

mod gnu {
    use super::Library;

    common!(Library::Gnu);

    cases! {
        Library::Gnu,
        timed_join = "timed-join",
        mutex_adaptive = "mutex-adaptive",
        mutex_timed = "mutex-timed",
        mutex_shared = "mutex-shared",
        lock_twice = "lock-twice",
        stream = "stream",
        read_lock_of_a_writer = "read-lock-of-writer",
        write_lock_of_a_writer = "write-lock-of-writer",
        write_lock_of_a_reader = "write-lock-of-reader",
    }
}

mod musl {
    use super::Library;

    common!(Library::Musl);
}
