/* Programs that wait in a known way: `waits CASE` sets up one case, says what it waits for, and waits.
 *
 * Each line of its output is an edge: `THREAD KIND TARGET…`, where a target is the id of a thread or a
 * process, and none means that nobody can be named. `ring` has the threads of a ring. `ready` is the
 * last line. The tests compare these lines with what an explanation says. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int self(void) { return (int)syscall(SYS_gettid); }

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vdprintf(1, format, arguments);
    va_end(arguments);
}

static void ready(void) { say("ready\n"); }

static void forever(void) {
    for (;;) pause();
}

static void check(int result) {
    if (result != 0) {
        perror("waits");
        exit(2);
    }
}

/* A thread that tells its id before its function goes on. */
struct start {
    void *(*function)(void *);
    void *argument;
    atomic_int tid;
};

static void *begin(void *argument) {
    struct start *start = argument;
    void *(*function)(void *) = start->function;
    void *value = start->argument;
    atomic_store(&start->tid, self());
    return function(value);
}

static int spawn(pthread_t *thread, void *(*function)(void *), void *argument) {
    struct start *start = calloc(1, sizeof *start);
    start->function = function;
    start->argument = argument;
    check(pthread_create(thread, NULL, begin, start));
    while (atomic_load(&start->tid) == 0) usleep(1000);
    return atomic_load(&start->tid);
}

static void *sleeper(void *unused) {
    (void)unused;
    sleep(1000);
    return NULL;
}

static void *join(void *thread) {
    pthread_join(*(pthread_t *)thread, NULL);
    return NULL;
}

/* The first thread joins one that joins one … that sleeps. */
static void join_chain(int length) {
    pthread_t *threads = calloc((size_t)length, sizeof *threads);
    int last = spawn(&threads[0], sleeper, NULL);
    say("%d sleeps\n", last);
    for (int i = 1; i < length; i++) {
        int next = spawn(&threads[i], join, &threads[i - 1]);
        say("%d joins %d\n", next, last);
        last = next;
    }
    say("%d joins %d\n", self(), last);
    ready();
    pthread_join(threads[length - 1], NULL);
}

#ifdef __GLIBC__
static void timed_join(void) {
    pthread_t thread;
    int other = spawn(&thread, sleeper, NULL);
    say("%d sleeps\n%d joins %d\n", other, self(), other);
    ready();
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 1000;
    pthread_timedjoin_np(thread, NULL, &end);
}
#endif

static pthread_mutex_t mutexes[5];
static pthread_barrier_t barrier;

struct place {
    int own, next;
};

static void *hold_and_want(void *argument) {
    struct place *place = argument;
    pthread_mutex_lock(&mutexes[place->own]);
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&mutexes[place->next]);
    return NULL;
}

/* Each of some threads holds one mutex, and wants that of the next. */
static void mutex_ring(int length) {
    static struct place places[5];
    pthread_t threads[5];
    int ids[5];
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_barrier_init(&barrier, NULL, (unsigned)length);
    for (int i = 0; i < length; i++) pthread_mutex_init(&mutexes[i], &kind);
    for (int i = 0; i < length; i++) {
        places[i] = (struct place){i, (i + 1) % length};
        ids[i] = spawn(&threads[i], hold_and_want, &places[i]);
    }
    for (int i = 0; i < length; i++) say("%d mutex %d\n", ids[i], ids[(i + 1) % length]);
    say("ring");
    for (int i = 0; i < length; i++) say(" %d", ids[i]);
    say("\n%d joins %d\n", self(), ids[0]);
    ready();
    pthread_join(threads[0], NULL);
}

static pthread_mutex_t *held;

static void *lock(void *mutex) {
    pthread_mutex_lock(mutex);
    return NULL;
}

static void *lock_for_long(void *mutex) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 1000;
    pthread_mutex_timedlock(mutex, &end);
    return NULL;
}

static void *memory(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The first thread holds a mutex, and another one wants it. */
static void mutex(int type, int protocol, int robust, int timed, int known) {
    pthread_mutexattr_t kind;
    pthread_t thread;
    pthread_mutexattr_init(&kind);
    check(pthread_mutexattr_settype(&kind, type));
    check(pthread_mutexattr_setprotocol(&kind, protocol));
    check(pthread_mutexattr_setrobust(&kind, robust));
    held = memory(sizeof *held);
    check(pthread_mutex_init(held, &kind));
    pthread_mutex_lock(held);
    int other = spawn(&thread, timed ? lock_for_long : lock, held);
    const char *name = protocol == PTHREAD_PRIO_INHERIT ? "priority" : "mutex";
    if (known) {
        say("%d %s %d\n", other, name, self());
    } else {
        say("%d %s\n", other, name);
    }
    say("%d sleeps\n", self());
    ready();
    sleep(1000);
}

/* A child wants a mutex that this process holds. */
static void shared_mutex(int robust) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, robust);
    held = memory(sizeof *held);
    pthread_mutex_init(held, &kind);
    pthread_mutex_lock(held);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(held);
        _exit(0);
    }
    say("%d mutex %d\n%d child %d\nring %d %d\n", child, self(), self(), child, self(), child);
    ready();
    waitpid(child, NULL, 0);
}

#ifdef __GLIBC__
/* A thread that locks a plain mutex twice waits for itself. */
static void lock_twice(void) {
    static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
    say("%d mutex %d\nring %d\n", self(), self(), self());
    ready();
    pthread_mutex_lock(&plain);
    pthread_mutex_lock(&plain);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_lock(void *unused) {
    (void)unused;
    pthread_rwlock_rdlock(&rwlock);
    return NULL;
}

static void *write_lock(void *unused) {
    (void)unused;
    pthread_rwlock_wrlock(&rwlock);
    return NULL;
}

static void read_write(int hold_to_write, int want_to_write) {
    pthread_t thread;
    if (hold_to_write) {
        pthread_rwlock_wrlock(&rwlock);
    } else {
        pthread_rwlock_rdlock(&rwlock);
    }
    int other = spawn(&thread, want_to_write ? write_lock : read_lock, NULL);
    if (hold_to_write) {
        say("%d rwlock %d\n", other, self());
    } else {
        say("%d rwlock\n", other);
    }
    say("%d sleeps\n", self());
    ready();
    sleep(1000);
}

static void *lock_stream(void *unused) {
    (void)unused;
    flockfile(stderr);
    return NULL;
}

static void stream(void) {
    pthread_t thread;
    flockfile(stderr);
    int other = spawn(&thread, lock_stream, NULL);
    say("%d stream %d\n%d sleeps\n", other, self(), self());
    ready();
    sleep(1000);
}

#endif

static void condition(void) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    say("%d woken\n", self());
    ready();
    pthread_mutex_lock(&mutex);
    for (;;) pthread_cond_wait(&condition, &mutex);
}

static void semaphore(void) {
    static sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    say("%d woken\n", self());
    ready();
    sem_wait(&semaphore);
}

static void wait_at_barrier(void) {
    pthread_barrier_init(&barrier, NULL, 2);
    say("%d woken\n", self());
    ready();
    pthread_barrier_wait(&barrier);
}

static pid_t child_that_sleeps(void) {
    pid_t child = fork();
    if (child == 0) {
        sleep(1000);
        _exit(0);
    }
    return child;
}

static void wait_for_child(int how) {
    pid_t child = child_that_sleeps();
    say("%d child %d\n%d sleeps\n", self(), child, child);
    ready();
    siginfo_t info;
    if (how == 0) waitpid(child, NULL, 0);
    if (how == 1) waitid(P_PID, (id_t)child, &info, WEXITED);
    if (how == 2) wait(NULL);
    if (how == 3) waitid(P_ALL, 0, &info, WEXITED);
    if (how == 4) waitpid(0, NULL, 0);
    if (how == 5) waitid(P_PIDFD, (id_t)syscall(SYS_pidfd_open, child, 0), &info, WEXITED);
}

static void wait_for_any(void) {
    pid_t one = child_that_sleeps(), two = child_that_sleeps();
    say("%d child %d %d\n%d sleeps\n%d sleeps\n", self(), one, two, one, two);
    ready();
    wait(NULL);
}

/* Reads from `in` while a child that has its other end `out` sleeps. */
static void read_from_child(int in, int out) {
    pid_t child = fork();
    if (child == 0) {
        close(in);
        sleep(1000);
        _exit(0);
    }
    close(out);
    say("%d reads %d\n%d sleeps\n", self(), child, child);
    ready();
    char byte;
    if (read(in, &byte, 1) < 0) perror("waits");
}

static void read_pipe(void) {
    int ends[2];
    check(pipe(ends));
    read_from_child(ends[0], ends[1]);
}

static void read_socket_pair(void) {
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    read_from_child(ends[0], ends[1]);
}

/* A pipe whose other end only the reader has can never end. */
static void read_own_pipe(void) {
    int ends[2];
    check(pipe(ends));
    say("%d reads %d\nring %d\n", self(), self(), self());
    ready();
    char byte;
    if (read(ends[0], &byte, 1) < 0) perror("waits");
}

static void write_full_pipe(void) {
    int ends[2];
    check(pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        sleep(1000);
        _exit(0);
    }
    close(ends[0]);
    say("%d writes %d\n%d sleeps\n", self(), child, child);
    ready();
    static char much[1 << 20];
    if (write(ends[1], much, sizeof much) < 0) perror("waits");
}

/* Each of two processes reads what the other one would write. */
static void ring_of_pipes(void) {
    int there[2], back[2];
    char byte;
    check(pipe(there));
    check(pipe(back));
    pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        if (read(there[0], &byte, 1) < 0) perror("waits");
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    say("%d reads %d\n%d reads %d\nring %d %d\n", self(), child, child, self(), self(), child);
    ready();
    if (read(back[0], &byte, 1) < 0) perror("waits");
}

static void *read_byte(void *fd) {
    char byte;
    if (read(*(int *)fd, &byte, 1) < 0) perror("waits");
    return NULL;
}

/* As two programs with a queue each, of which both have both ends. */
static void ring_of_shared_pipes(void) {
    int there[2], back[2];
    char byte;
    check(pipe(there));
    check(pipe(back));
    pid_t child = fork();
    if (child == 0) {
        if (read(there[0], &byte, 1) < 0) perror("waits");
        _exit(0);
    }
    say("%d reads %d %d\n%d reads %d %d\n", self(), child, self(), child, child, self());
    say("ring %d %d\n", self(), child);
    ready();
    if (read(back[0], &byte, 1) < 0) perror("waits");
}

/* A thread joins one that reads from a child, which reads from this process. */
static void ring_of_join_and_pipes(void) {
    static int there[2], back[2];
    pthread_t thread;
    check(pipe(there));
    check(pipe(back));
    pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        read_byte(&there[0]);
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    int reader = spawn(&thread, read_byte, &back[0]);
    say("%d joins %d\n%d reads %d\n%d reads %d\n", self(), reader, reader, child, child, getpid());
    say("ring %d %d %d\n", self(), reader, child);
    ready();
    pthread_join(thread, NULL);
}

static void open_fifo(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/fifo", folder);
    check(mkfifo(path, 0600));
    say("%d opens\n", self());
    ready();
    if (open(path, O_RDONLY) < 0) perror("waits");
}

static void read_fifo(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/fifo", folder);
    check(mkfifo(path, 0600));
    pid_t child = fork();
    int fd = open(path, child == 0 ? O_WRONLY : O_RDONLY);
    if (child == 0) {
        sleep(1000);
        _exit(fd);
    }
    say("%d reads %d\n%d sleeps\n", self(), child, child);
    ready();
    char byte;
    if (read(fd, &byte, 1) < 0) perror("waits");
}

static void read_tcp(int family) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address = family == AF_INET ? (void *)&four : (void *)&six;
    socklen_t length = family == AF_INET ? sizeof four : sizeof six;
    int listener = socket(family, SOCK_STREAM, 0);
    check(bind(listener, address, length));
    check(listen(listener, 1));
    check(getsockname(listener, address, &length));
    int client = socket(family, SOCK_STREAM, 0);
    check(connect(client, address, length));
    int server = accept(listener, NULL, NULL);
    read_from_child(client, server);
}

static void read_before_accept(const char *folder) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind(listener, (void *)&address, sizeof address));
    check(listen(listener, 1));
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    check(connect(client, (void *)&address, sizeof address));
    read_from_child(client, listener);
}

/* To a port whose connections nobody accepts. */
static void read_before_accept_tcp(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (void *)&address, sizeof address));
    check(listen(listener, 1));
    check(getsockname(listener, (void *)&address, &length));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(client, (void *)&address, sizeof address));
    read_from_child(client, listener);
}

static void accept_one(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (void *)&address, sizeof address));
    check(listen(listener, 1));
    say("%d accepts\n", self());
    ready();
    accept(listener, NULL, NULL);
}

static void read_terminal(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    check(grantpt(master));
    check(unlockpt(master));
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    read_from_child(slave, master);
}

static void poll_child(int how) {
    int ends[2];
    check(pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        sleep(1000);
        _exit(0);
    }
    close(ends[1]);
    say("%d polls %d\n%d sleeps\n", self(), child, child);
    ready();
    if (how == 0) {
        struct pollfd one = {.fd = ends[0], .events = POLLIN};
        poll(&one, 1, -1);
    } else if (how == 1) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        select(ends[0] + 1, &set, NULL, NULL, NULL);
    } else if (how == 2) {
        struct epoll_event event = {.events = EPOLLIN};
        int several = epoll_create1(0);
        check(epoll_ctl(several, EPOLL_CTL_ADD, ends[0], &event));
        epoll_wait(several, &event, 1, -1);
    } else {
        struct pollfd one = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
        poll(&one, 1, -1);
    }
}

/* An epoll that still has a file whose number is that of another one now. */
static void epoll_of_reused_number(void) {
    int first[2], second[2];
    struct epoll_event event = {.events = EPOLLIN};
    check(pipe(first));
    check(pipe(second));
    int kept = dup(first[0]);
    int several = epoll_create1(0);
    check(epoll_ctl(several, EPOLL_CTL_ADD, first[0], &event));
    check(dup2(second[0], first[0]) == first[0] ? 0 : 1);
    say("%d polls\n", self());
    ready();
    epoll_wait(several, &event, 1, -1);
    close(kept);
}

static void lock_file(const char *folder, int how) {
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", folder);
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int told[2];
    char byte = 0;
    check(pipe(told));
    pid_t child = fork();
    int file = open(path, O_RDWR | O_CREAT, 0600);
    if (child == 0) {
        if (how == 0) flock(file, LOCK_EX);
        if (how == 1) fcntl(file, F_SETLKW, &range);
        if (how == 2) fcntl(file, F_OFD_SETLKW, &range);
        if (write(told[1], &byte, 1) < 0) perror("waits");
        close(told[1]);
        sleep(1000);
        _exit(0);
    }
    close(told[1]);
    if (read(told[0], &byte, 1) < 0) perror("waits");
    say("%d file %d\n%d sleeps\n", self(), child, child);
    ready();
    if (how == 0) flock(file, LOCK_EX);
    if (how == 1) fcntl(file, F_SETLKW, &range);
    if (how == 2) fcntl(file, F_OFD_SETLKW, &range);
}

static void zombie(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    say("%d signal\n", self());
    ready();
    forever();
}

static void first_thread_ends(void) {
    pthread_t thread, joiner;
    int last = spawn(&thread, sleeper, NULL);
    int next = spawn(&joiner, join, &thread);
    say("%d ended\n%d joins %d\n%d sleeps\n", self(), next, last, last);
    ready();
    pthread_exit(NULL);
}

static void wait_for_stopped_child(void) {
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT);
    say("%d child %d\n%d stopped\n", self(), child, child);
    ready();
    waitpid(child, NULL, 0);
}

/* The stop of a child that is traced is told once. */
static void traced_child(void) {
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WSTOPPED);
    say("%d child %d\n%d traced %d\n", self(), child, child, self());
    ready();
    wait(NULL);
}

/* A name that looks like the rest of a line of the process table, and ends that line. */
static void odd_name(void) {
    prctl(PR_SET_NAME, "a) R 1 (b\n\x1b[2J");
    say("%d signal\n", self());
    ready();
    forever();
}

/* Children that end while they are looked at, and change their names. */
static void short_lives(void) {
    say("%d other\n", self());
    ready();
    for (int number = 0;; number++) {
        char name[16];
        snprintf(name, sizeof name, "child %d", number % 1000);
        prctl(PR_SET_NAME, name);
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, sleeper, NULL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

/* Reads a pipe, and has a hundred thousand others open, or as many as it may. */
static void many_files(void) {
    const struct rlimit wanted = {100100, 100100};
    struct rlimit limit;
    int ends[2];
    if (setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
        /* Only root may have more than the limit allows. */
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    check(pipe(ends));
    int count = 0;
    while (count < 100000 && dup(ends[0]) >= 0) count++;
    fprintf(stderr, "%d descriptors\n", count);
    read_from_child(ends[0], ends[1]);
}

/* Takes the name and the title, which begins with the name. */
static void take_name(char letter, char *title, size_t room) {
    char name[16] = {0}, full[64] = {0};
    memset(name, letter, 15);
    prctl(PR_SET_NAME, name);
    int length = snprintf(full, sizeof full, "%s: ", name);
    memset(full + length, letter, 15);
    memset(title, 0, room);
    memcpy(title, full, room < sizeof full ? room : sizeof full);
}

/* Has one name and title, then the other one, and so on, in a thread of its own. */
struct names {
    char *title;
    size_t room;
};

static void *change_names(void *argument) {
    struct names *names = argument;
    for (int number = 0;; number++) {
        /* The name of the first thread is that of the process. */
        char path[64], name[16] = {0};
        char letter = number % 2 ? 'a' : 'b';
        memset(name, letter, 15);
        snprintf(path, sizeof path, "/proc/self/task/%d/comm", getpid());
        int file = open(path, O_WRONLY);
        if (write(file, name, 15) != 15) exit(2);
        close(file);
        take_name(letter, names->title, names->room);
    }
}

static void changing_names(char **arguments, int count) {
    char *end = arguments[count - 1] + strlen(arguments[count - 1]);
    struct names names = {arguments[0], (size_t)(end - arguments[0])};
    pthread_t thread;
    spawn(&thread, change_names, &names);
    say("%d signal\n", self());
    ready();
    forever();
}

/* Has threads, of which one joins the other, and becomes another program while they run, and so on. */
static void execs(char **arguments, int count) {
    pthread_t threads[2];
    int other = spawn(&threads[0], sleeper, NULL);
    int joins = spawn(&threads[1], join, &threads[0]);
    if (count == 3) {
        say("%d joins %d\n", joins, other);
        ready();
    }
    char letter = count > 3 && arguments[3][0] == 'a' ? 'b' : 'a';
    char name[16] = {0};
    memset(name, letter, 15);
    prctl(PR_SET_NAME, name);
    char *again[] = {name, arguments[1], arguments[2], letter == 'a' ? "a" : "b", NULL};
    execv("/proc/self/exe", again);
    exit(2);
}

/* The child has the memory of its parent, which waits until it executes something. */
static void vfork_child(void) {
    pid_t child = vfork();
    if (child == 0) {
        say("%d vfork %d\n%d sleeps\n", getppid(), getpid(), getpid());
        ready();
        sleep(1000);
        _exit(0);
    }
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    const char *name = arguments[1], *folder = arguments[2];
    /* Nothing of it outlives the test by long. */
    alarm(300);
#define CASE(text, call) \
    if (strcmp(name, text) == 0) { call; forever(); }
    CASE("join", join_chain(1))
    CASE("join-chain", join_chain(4))
#ifdef __GLIBC__
    CASE("timed-join", timed_join())
    CASE("mutex-adaptive", mutex(PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0, 1))
    CASE("mutex-timed", mutex(PTHREAD_MUTEX_NORMAL, 0, 0, 1, 1))
    CASE("mutex-normal", mutex(PTHREAD_MUTEX_NORMAL, 0, 0, 0, 1))
    CASE("lock-twice", lock_twice())
    CASE("stream", stream())
    CASE("read-lock-of-writer", read_write(1, 0))
    CASE("write-lock-of-writer", read_write(1, 1))
    CASE("write-lock-of-reader", read_write(0, 1))
    CASE("mutex-shared", shared_mutex(0))
#else
    CASE("mutex-normal", mutex(PTHREAD_MUTEX_NORMAL, 0, 0, 0, 0))
#endif
    CASE("mutex-recursive", mutex(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0, 1))
    CASE("mutex-errorcheck", mutex(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0, 1))
    CASE("mutex-robust", mutex(PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_MUTEX_ROBUST, 0, 1))
    CASE("mutex-priority", mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, 0, 0, 1))
    CASE("mutex-shared-robust", shared_mutex(PTHREAD_MUTEX_ROBUST))
    CASE("ring-2", mutex_ring(2))
    CASE("ring-3", mutex_ring(3))
    CASE("ring-4", mutex_ring(4))
    CASE("ring-5", mutex_ring(5))
    CASE("condition", condition())
    CASE("semaphore", semaphore())
    CASE("barrier", wait_at_barrier())
    CASE("waitpid", wait_for_child(0))
    CASE("waitid", wait_for_child(1))
    CASE("wait", wait_for_child(2))
    CASE("waitid-all", wait_for_child(3))
    CASE("wait-group", wait_for_child(4))
    CASE("waitid-pidfd", wait_for_child(5))
    CASE("wait-any", wait_for_any())
    CASE("read-pipe", read_pipe())
    CASE("read-socket-pair", read_socket_pair())
    CASE("read-own-pipe", read_own_pipe())
    CASE("write-full-pipe", write_full_pipe())
    CASE("ring-of-pipes", ring_of_pipes())
    CASE("ring-of-shared-pipes", ring_of_shared_pipes())
    CASE("ring-of-join-and-pipes", ring_of_join_and_pipes())
    CASE("open-fifo", open_fifo(folder))
    CASE("read-fifo", read_fifo(folder))
    CASE("read-tcp", read_tcp(AF_INET))
    CASE("read-tcp6", read_tcp(AF_INET6))
    CASE("read-before-accept", read_before_accept(folder))
    CASE("read-before-accept-tcp", read_before_accept_tcp())
    CASE("accept", accept_one())
    CASE("read-terminal", read_terminal())
    CASE("poll", poll_child(0))
    CASE("select", poll_child(1))
    CASE("epoll", poll_child(2))
    CASE("poll-pidfd", poll_child(3))
    CASE("epoll-reused", epoll_of_reused_number())
    CASE("flock", lock_file(folder, 0))
    CASE("fcntl", lock_file(folder, 1))
    CASE("ofd-lock", lock_file(folder, 2))
    CASE("zombie", zombie())
    CASE("first-thread-ends", first_thread_ends())
    CASE("stopped-child", wait_for_stopped_child())
    CASE("vfork", vfork_child())
    CASE("traced", traced_child())
    CASE("odd-name", odd_name())
    CASE("short-lives", short_lives())
    CASE("many-files", many_files())
    CASE("changing-names", changing_names(arguments, count))
    CASE("execs", execs(arguments, count))
    fprintf(stderr, "There is no case %s.\n", name);
    return 2;
}
