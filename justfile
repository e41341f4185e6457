# A short name for everything that a person does here. Each recipe is one line that anyone could
# type; just itself is optional: `pip install rust-just` or `cargo install just`.

set positional-arguments

[private]
default:
    @{{ just_executable() }} --list --unsorted

# Show every lesson at work, narrated, in under 40 seconds
[group('learn')]
tour:
    cargo tutor tour

# Show one lesson at work: just demo 03
[group('learn')]
demo *lesson:
    cargo tutor demo "$@"

# Run a lesson's program: just run 03 -- -v
[group('learn')]
run *lesson_and_arguments:
    cargo tutor run "$@"

# Be a client or a listener with a character: just peer greedy 127.0.0.1:7003
[group('learn')]
peer *kind_and_address:
    cargo tutor peer "$@"

# Try on this kernel what web pages claim: just claims, just claims C80
[group('learn')]
claims *ids:
    cargo tutor claims "$@"

# See each outcome of a connect as packets on the wire: just packets 01
[group('learn')]
packets *lesson:
    cargo tutor packets "$@"

# Watch a program wait, call by call, beside its clients: just trace 03
[group('learn')]
trace *lesson:
    cargo tutor trace "$@"

# A lesson's checks, on its program or on yours: just check 06 --program target/debug/my-server
[group('learn')]
check *lesson_and_options:
    cargo tutor check "$@"

# Put an exercise into work/, to be edited there: just start 03.1
[group('learn')]
start *exercise:
    cargo tutor start "$@"

# Check an exercise again whenever it is saved: just watch 03.1
[group('learn')]
watch *exercise:
    cargo tutor watch "$@"

# What is done, and what comes next
[group('learn')]
progress:
    cargo tutor progress

# Look at this machine: what the lessons need, and how to get what is missing
[group('learn')]
doctor:
    cargo tutor doctor

# Serve the book on this machine, and say where
[group('learn')]
book:
    cargo tutor book

# Show the map of the course and what to type next
[group('learn')]
map:
    cargo tutor

# Run every check of every lesson
[group('check')]
test *arguments:
    cargo test --workspace "$@"

# The same with cargo-nextest: one process a test, and a bound on each
[group('check')]
test-nextest *arguments:
    cargo nextest run --workspace "$@"

# Clippy on everything; a warning is an error
[group('check')]
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Format all Rust code
[group('check')]
fmt:
    cargo fmt --all

# Do all that CI does
[group('check')]
ci:
    bash .ci/run

# Write what is generated in the book anew: diffs, figures, packets, the table, pages of claims, mistakes, lists
[group('maintain')]
write *arguments:
    cargo course write "$@"

# Record anew what that is made of: just record, just record figures
[group('maintain')]
record *what:
    cargo course record "$@"

# Build the book into book/book; a warning is a failure
[group('maintain')]
build-book:
    cargo course book

# Exercises and mistakes: starters and wrong solutions fail as recorded, mistakes are caught: just verify 03
[group('maintain')]
verify *what:
    cargo course verify "$@"

# Compare the witness with strace over all lessons
[group('maintain')]
compare-with-strace:
    cargo course compare-with-strace

# Repeat all tests, 40 times idle and 10 times busy, and keep a log: just soak --idle 2 --busy 1
[group('maintain')]
soak *arguments:
    cargo course soak "$@"

# Run the course on other kernels, in a virtual machine: just kernels FOLDER_OF_AN_UNPACKED_PACKAGE
[group('maintain')]
kernels *images:
    cargo course kernels "$@"

# Measure the servers beside plain C, mio and tokio
[group('maintain')]
bench *arguments:
    cargo run --release --manifest-path tests/bench/Cargo.toml -- "$@"
