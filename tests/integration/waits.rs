//! What is made of the looks at the processes of jobs.

use std::time::Duration;

use meanwhile::board::waits::{Root, Seen};
use meanwhile::explain::{
    Activity, Children, Deadline, File, FileKind, Process, ProcessIndex, Target, Thread,
    ThreadIndex, WaitGraph,
};
use meanwhile::record::{Doing, ItemId, JobId, Since, Until, WaitNode, Waits};

/// The id of the program that looks.
const OWN: u32 = 9;

const ROOT: Root = Root {
    job: JobId::new(3),
    item: ItemId::new(0),
    pid: 100,
};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Makes a graph of processes, each a child of the one before, with these threads.
fn graph(processes: &[(u32, &str, Vec<Thread>)]) -> WaitGraph {
    let mut graph = WaitGraph {
        processes: Vec::new(),
        threads: Vec::new(),
        notes: Vec::new(),
    };
    let mut parent = 1;
    for (index, (pid, name, threads)) in processes.iter().enumerate() {
        let first = graph.threads.len();
        for (tid, thread) in (*pid..).zip(threads) {
            graph.threads.push(Thread {
                tid,
                process: ProcessIndex(index),
                ..thread.clone()
            });
        }
        graph.processes.push(Process {
            pid: *pid,
            started: u64::from(*pid),
            name: (*name).to_owned(),
            title: None,
            parent,
            threads: (first..graph.threads.len()).map(ThreadIndex).collect(),
            permitted: true,
            zombie: false,
        });
        parent = *pid;
    }
    graph
}

fn thread(activity: Activity, awaits: &[Target]) -> Thread {
    Thread {
        tid: 0,
        started: 1,
        process: ProcessIndex(0),
        name: "worker".to_owned(),
        activity,
        awaits: awaits.to_vec(),
        others_unseen: false,
        deadline: None,
        processor_share: 0.0,
        place: None,
        ran: false,
        run_time: Duration::ZERO,
        runs: 1,
    }
}

fn sleeps() -> Thread {
    thread(Activity::Sleeps, &[])
}

fn waits_for_child(process: usize) -> Thread {
    let child = Target::Process(ProcessIndex(process));
    thread(Activity::Children(Children::One), &[child])
}

fn reads_from(process: usize) -> Thread {
    let pipe = File {
        kind: FileKind::Pipe,
        name: "pipe:[1]".to_owned(),
    };
    let writer = Target::Process(ProcessIndex(process));
    thread(Activity::Reads(pipe), &[writer])
}

fn seen(graph: &WaitGraph, at: u64, earlier: Option<&Seen>) -> Seen {
    Seen::new(graph, &[ROOT], OWN, secs(at), earlier)
}

/// Who waits for whom, by their names.
fn arrows(waits: &Waits) -> Vec<String> {
    let name = |node: usize| &waits.nodes[node].name;
    let edges = waits.edges.iter();
    edges
        .map(|edge| format!("{} -{}-> {}", name(edge.from), edge.link, name(edge.to)))
        .collect()
}

fn node<'a>(waits: &'a Waits, name: &str) -> &'a WaitNode {
    let mut nodes = waits.nodes.iter().filter(|node| node.name == name);
    let node = nodes.next().expect("it is there");
    assert!(nodes.next().is_none(), "{name} is there twice");
    node
}

#[test]
fn chain_of_processes_is_tied_to_its_item() {
    let graph = graph(&[
        (100, "sh", vec![waits_for_child(1)]),
        (101, "cat", vec![reads_from(2)]),
        (102, "sleep", vec![sleeps()]),
    ]);
    let waits = seen(&graph, 10, None).waits;
    assert_eq!(arrows(&waits), ["sh -child-> cat", "cat -pipe-> sleep"]);
    for node in &waits.nodes {
        assert_eq!(node.job, Some((ROOT.job, Some(ROOT.item))), "{node:?}");
    }
    let text = node(&waits, "cat").text();
    assert_eq!(
        text,
        "cat, pid 101, reads from a pipe that only `sleep` (pid 102) can write"
    );
    assert!(waits.rings.is_empty());
}

#[test]
fn process_that_is_awaited_belongs_to_no_item() {
    let mut graph = graph(&[
        (100, "ssh", vec![reads_from(1)]),
        (50, "sshd", vec![sleeps()]),
    ]);
    graph.processes[1].parent = 1;
    let waits = seen(&graph, 10, None).waits;
    assert_eq!(arrows(&waits), ["ssh -pipe-> sshd"]);
    assert_eq!(node(&waits, "sshd").job, None);
}

#[test]
fn ring_across_processes_leads_from_one_to_the_next() {
    let graph = graph(&[
        (100, "sh", vec![waits_for_child(1)]),
        (101, "sort", vec![sleeps(), reads_from(2)]),
        (102, "grep", vec![reads_from(1)]),
    ]);
    // The thread that sleeps could go on, so this is no ring.
    assert!(seen(&graph, 10, None).waits.rings.is_empty());
    let mut stuck = graph;
    stuck.threads[1].activity = Activity::Woken;
    let waits = seen(&stuck, 10, None).waits;
    let names: Vec<&str> = waits.rings[0]
        .iter()
        .map(|node| waits.nodes[*node].name.as_str())
        .collect();
    assert_eq!(waits.rings.len(), 1);
    assert_eq!(names.len(), 2, "{names:?}");
    // The thread of sort that reads has a box of its own.
    assert!(names.contains(&"worker") && names.contains(&"grep"));
    let of_ring = waits.edges.iter().filter(|edge| waits.is_of_ring(edge));
    assert_eq!(of_ring.count(), 2);
}

#[test]
fn who_waits_for_itself_is_a_ring_of_one() {
    let graph = graph(&[(100, "cat", vec![reads_from(0)])]);
    let waits = seen(&graph, 10, None).waits;
    assert_eq!(arrows(&waits), ["cat -pipe-> cat"]);
    assert_eq!(waits.rings, [vec![0]]);
}

#[test]
fn idle_threads_of_a_process_are_counted() {
    let graph = graph(&[(100, "java", vec![sleeps(), sleeps(), sleeps()])]);
    let waits = seen(&graph, 10, None).waits;
    assert_eq!(waits.nodes.len(), 1);
    assert_eq!(waits.nodes[0].title(), "java, pid 100, 3 threads");
}

#[test]
fn this_program_is_not_followed() {
    let graph = graph(&[
        (100, "cat", vec![reads_from(1)]),
        (OWN, "meanwhile", vec![reads_from(2)]),
        (200, "Xorg", vec![sleeps()]),
    ]);
    let waits = seen(&graph, 10, None).waits;
    assert!(node(&waits, "Meanwhile").place.contains("this program"));
    // Xorg is in the graph because this program waits for it, and a child of it here.
    assert_eq!(arrows(&waits), ["cat -pipe-> Meanwhile"]);
}

#[test]
fn wait_lasts_at_least_since_it_was_seen_first() {
    let graph = graph(&[(100, "sleep", vec![sleeps()])]);
    let first = seen(&graph, 10, None);
    let second = seen(&graph, 11, Some(&first));
    let third = seen(&graph, 40, Some(&second));
    let since = node(&third.waits, "sleep").since;
    assert_eq!(since, Since::AtLatest(secs(10)));
    assert_eq!(since.text(secs(40)), "at least 30 s");
}

#[test]
fn wait_begins_anew_when_the_thread_has_run() {
    let mut graph = graph(&[(100, "sleep", vec![sleeps()])]);
    let first = seen(&graph, 10, None);
    graph.threads[0].runs = 2;
    let second = seen(&graph, 11, Some(&first));
    assert_eq!(
        node(&second.waits, "sleep").since,
        Since::AtLatest(secs(11))
    );
    // Another process has got the same pid.
    graph.processes[0].started = 7;
    let third = seen(&graph, 12, Some(&second));
    assert_eq!(node(&third.waits, "sleep").since, Since::AtLatest(secs(12)));
    // It ran during the look itself.
    graph.threads[0].ran = true;
    let fourth = seen(&graph, 13, Some(&third));
    assert_eq!(node(&fourth.waits, "sleep").since, Since::NotKnown);
}

#[test]
fn share_of_a_processor_is_that_of_all_looks() {
    let mut computing = thread(Activity::Computes, &[]);
    (computing.ran, computing.processor_share) = (true, 0.97);
    let mut graph = graph(&[(100, "cc1", vec![computing])]);
    let first = seen(&graph, 10, None);
    assert_eq!(node(&first.waits, "cc1").short, "computes, 97 %");
    graph.threads[0].run_time = secs(5);
    graph.threads[0].runs = 900;
    let second = seen(&graph, 20, Some(&first));
    let node = node(&second.waits, "cc1");
    assert_eq!(node.short, "computes, 50 %");
    assert_eq!(node.since, Since::AtLatest(secs(10)));
    assert_eq!(node.doing, Doing::Computes);
}

#[test]
fn deadline_is_on_the_clock_of_the_board() {
    let mut timed = sleeps();
    timed.deadline = Some(Deadline::In(secs(60)));
    let until = |thread: Thread| {
        let graph = graph(&[(100, "sleep", vec![thread])]);
        node(&seen(&graph, 10, None).waits, "sleep").until
    };
    assert!(matches!(until(timed.clone()), Until::At(at) if at >= secs(70)));
    assert!(until(timed.clone()).text(secs(10)).starts_with("1 min 0"));
    timed.deadline = Some(Deadline::Of(secs(60)));
    assert_eq!(until(timed).text(secs(10)), "lasts 1 min 00 s");
    assert_eq!(until(sleeps()).text(secs(10)), "");
}

#[test]
fn most_important_nodes_are_rings_and_the_job() {
    let mut waits = Waits::default();
    for number in 0..100 {
        let pid = 1_000 + number;
        waits.add(WaitNode {
            id: meanwhile::record::WaitNodeId::Process { pid, started: 0 },
            name: pid.to_string(),
            place: String::new(),
            short: String::new(),
            long: String::new(),
            doing: Doing::Waits,
            since: Since::NotKnown,
            until: Until::NoDeadline,
            job: Some((JobId::new(u64::from(number) % 10), None)),
        });
    }
    waits.connect(98, 99, "pipe");
    waits.connect(99, 98, "pipe");
    waits.connect(98, 0, "pipe");
    waits.rings.push(vec![98, 99]);
    let few = waits.most_important(5, Some((JobId::new(7), None)));
    let names: Vec<&str> = few.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["1007", "1017", "1027", "1098", "1099"]);
    assert_eq!(few.rings, [vec![3, 4]]);
    assert_eq!(arrows(&few), ["1098 -pipe-> 1099", "1099 -pipe-> 1098"]);
    assert_eq!(few.place(&few.nodes[4].id), Some(4));
    assert_eq!(waits.most_important(100, None), waits);
    // An item before the others of its job.
    let item = (JobId::new(7), Some(ItemId::new(3)));
    waits.nodes[87].job = Some(item);
    let few = waits.most_important(3, Some(item));
    let names: Vec<&str> = few.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["1087", "1098", "1099"]);
}
