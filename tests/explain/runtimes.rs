//! What runtimes print when they are asked, and what is made of it.

use std::collections::BTreeMap;
use std::process::Command;

use meanwhile_explain::{Activity, Answer, Lock, Runtime, WaitGraph, with_answer};

use super::program::Waiting;
use super::sentences::without_ids;

/// A process with a thread beside its first one, both of which wait to be woken, and the id of that thread.
fn two_waiting_threads() -> (Waiting, u32) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let program = "import threading\n\
        lock = threading.Lock(); lock.acquire()\n\
        thread = threading.Thread(target=lock.acquire); thread.start()\n\
        print(thread.native_id, 'ready', sep='\\n', flush=True)\n\
        lock.acquire()\n";
    let mut command = Command::new("python3");
    let waiting = Waiting::of(command.args(["-c", program]), folder);
    let thread = waiting.lines[0].parse().expect("an id");
    (waiting, thread)
}

/// The graph of a process with an answer that has these ids for `FIRST` and `SECOND`.
fn answered(runtime: Runtime, waiting: &Waiting, second: u32, output: &str) -> WaitGraph {
    let output = output
        .replace("FIRST_HEX", &format!("{:#x}", waiting.pid()))
        .replace("SECOND_HEX", &format!("{second:#x}"))
        .replace("FIRST", &waiting.pid().to_string())
        .replace("SECOND", &second.to_string());
    let answer = runtime
        .read(waiting.pid(), &output)
        .expect("it is such an output");
    let mut graph = with_answer(waiting.pid(), false, &answer).expect("it waits");
    // It may still be on its way into its wait.
    while graph.threads.iter().any(|thread| thread.ran) {
        graph = with_answer(waiting.pid(), false, &answer).expect("it waits");
    }
    graph
}

const JAVA: &str = r#"4711:
2026-11-29 22:44:10
Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):

"main" #1 prio=5 os_prio=0 cpu=475.90ms elapsed=5.41s tid=0x00007f8d44018020 nid=FIRST_HEX waiting for monitor entry  [0x00007f8d4bffd000]
   java.lang.Thread.State: BLOCKED (on object monitor)
	at Shop.pay(Shop.java:7)
	- waiting to lock <0x000000069ea7c8b8> (a java.lang.Object)
	- locked <0x000000069ea7c8a8> (a java.lang.Object)
	at java.lang.Thread.run(java.base@17.0.15/Thread.java:840)

   Locked ownable synchronizers:
	- None

"two " nid=0x1 x" #13 [SECOND] prio=5 os_prio=0 cpu=0.99ms elapsed=4.25s tid=0x00007f8d444119d0 nid=SECOND waiting on condition  [0x00007f8d2159d000]
   java.lang.Thread.State: WAITING (parking)
	at jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
	- parking to wait for  <0x000000069ea7c8f8> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
	at java.util.concurrent.locks.LockSupport.park(java.base@17.0.15/LockSupport.java:211)
	at Shop.send(Shop.java:12)
	- locked <0x000000069ea7c8b8> (a java.lang.Object)

   Locked ownable synchronizers:
	- None

"three" #14 prio=5 os_prio=0 cpu=0.20ms elapsed=4.25s tid=0x00007f8d44416b80 nid=0x1 in Object.wait()  [0x00007f8d2149d000]
   java.lang.Thread.State: WAITING (on object monitor)
	at java.lang.Object.wait(java.base@17.0.15/Native Method)
	- waiting on <0x000000069ea85b08> (a java.lang.Thread)
	at Shop.idle(Shop.java:13)
	- locked <0x000000069ea85b08> (a java.lang.Thread)

   Locked ownable synchronizers:
	- <0x000000069ea7c8f9> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)

"VM Thread" os_prio=0 cpu=9.95ms elapsed=5.37s tid=0x00007f8d440e9af0 nid=0x2 runnable

JNI global refs: 15, weak refs: 0

Found one Java-level deadlock:
=============================
"main":
  waiting to lock monitor 0x00007f8cac0016e0 (object 0x000000069ea7c8b8, a java.lang.Object),
  which is held by "two"
Java stack information for the threads listed above:
===================================================
"main":
	at Shop.pay(Shop.java:7)
	- locked <0x000000069ea7c8f8> (a java.lang.Object)
"#;

#[test]
fn monitor_of_java_has_its_holder() {
    let (waiting, second) = two_waiting_threads();
    let graph = answered(Runtime::Java, &waiting, second, JAVA);
    assert_eq!(
        without_ids(&graph.sentence()),
        "`pythonN` (pid N, in `Shop.pay` (Shop.java:N)) waits for a lock of Java held by thread `pythonN` \
         (N, in `jdk.internal.misc.Unsafe.park` (Native Method), called from `Shop.send` (Shop.java:N)), \
         which waits to be woken by another thread, which one is not recorded."
    );
    assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
}

/// Who waits for an object has given up its lock, and the dump calls it locked all the same.
#[test]
fn object_wait_of_java_holds_nothing() {
    let (waiting, second) = two_waiting_threads();
    let output = JAVA
        .replace("nid=0x1 in", "nid=SECOND_HEX in")
        .replace("nid=SECOND ", "nid=0x3 ")
        .replace(
            "waiting to lock <0x000000069ea7c8b8>",
            "waiting to lock <0x000000069ea85b08>",
        );
    let graph = answered(Runtime::Java, &waiting, second, &output);
    assert_eq!(graph.threads[0].activity, Activity::Woken);
}

#[test]
fn locks_of_java_that_are_taken_crosswise_are_a_ring() {
    let (waiting, second) = two_waiting_threads();
    let output = JAVA.replacen(
        "Locked ownable synchronizers:\n\t- None",
        "Locked ownable synchronizers:\n\t- <0x000000069ea7c8f8> (a ReentrantLock)",
        1,
    );
    let graph = answered(Runtime::Java, &waiting, second, &output);
    assert_eq!(graph.rings().len(), 1, "{}", graph.sentence());
    assert_eq!(graph.threads[0].activity, Activity::Locks(Lock::Monitor));
}

#[test]
fn thread_of_python_has_its_place() {
    let (waiting, second) = two_waiting_threads();
    let output = r#"[
        {"pid": 1, "thread_id": 2, "thread_name": "MainThread", "os_thread_id": FIRST, "active": false,
         "frames": [
            {"name": "get", "filename": "/usr/lib/python3.11/queue.py", "short_filename": "queue.py", "line": 171},
            {"name": "<module>", "filename": "/home/a/q.py", "short_filename": "q.py", "line": 7}]},
        {"pid": 1, "thread_id": 3, "thread_name": "worker", "os_thread_id": SECOND, "active": false,
         "frames": [{"name": "work", "filename": "/home/a/q.py", "short_filename": null, "line": 5}]}
    ]"#;
    let graph = answered(Runtime::Python, &waiting, second, output);
    assert_eq!(
        without_ids(&graph.sentence()),
        "`pythonN` (pid N, in `get` (queue.py:N), called from `<module>` (q.py:N)) waits to be woken by \
         another thread, which one is not recorded."
    );
    let places: BTreeMap<u32, Option<&str>> = graph
        .threads
        .iter()
        .map(|thread| (thread.tid, thread.place.as_deref()))
        .collect();
    assert_eq!(places[&second], Some("in `work` (/home/a/q.py:5)"));
}

#[test]
fn odd_answers_are_refused() {
    for runtime in [Runtime::Java, Runtime::Python, Runtime::Postgresql] {
        let error = runtime
            .read(1, "no such thing\n")
            .expect_err("it is something else");
        let program = runtime.question(1).program;
        assert_eq!(
            error.to_string(),
            format!("what `{program}` has printed is not understood")
        );
    }
}

#[test]
fn answer_that_has_changed_is_not_believed() {
    let read = |output: &str| -> Answer { Runtime::Postgresql.read(1, output).expect("it is one") };
    let before = read("10\t11\tactive\tupdate a\n11\t\tactive\tselect 1\n");
    let after = read("10\t12\tactive\tupdate a\n11\t\tidle\tselect 1\n");
    assert_eq!(
        before.confirmed_by(&after),
        read("10\t\tactive\tupdate a\n")
    );
}
