//! Ends the processes of a build: all of them when the build is stopped, and its command when this program is killed.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

/// How often to check whether a build has ended.
pub const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A build that is stopped has this long to end by itself.
pub const TERMINATION_DURATION_MAX: Duration = Duration::from_secs(2);

/// A process with its group. Dropping it ends what still runs.
pub struct Group(Child);

impl Group {
    /// Starts a command in a process group of its own, so that a compiler's own processes end with it.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0).spawn().map(Self)
    }

    /// The status of the process, if it has ended.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        signal_group(&self.0, libc::SIGTERM);
        let until = Instant::now() + TERMINATION_DURATION_MAX;
        while !has_ended(&self.0) && Instant::now() < until {
            thread::sleep(POLL_INTERVAL);
        }
        // Its children may ignore the first signal, even if it has ended itself.
        signal_group(&self.0, libc::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process that was not reaped and all of its group.
#[expect(
    unsafe_code,
    reason = "the standard library ends single processes only"
)]
fn signal_group(child: &Child, signal: libc::c_int) {
    if let Ok(group) = libc::pid_t::try_from(child.id()) {
        // SAFETY: the call has no memory arguments. The process is not reaped yet, so its group's id is not used by another one.
        unsafe { libc::killpg(group, signal) };
    }
}

/// Whether a process has ended, without reaping it: until then, the id of its group stays its own.
#[expect(
    unsafe_code,
    reason = "the standard library reaps what it finds to have ended"
)]
fn has_ended(child: &Child) -> bool {
    // SAFETY: all zeros are a valid `siginfo_t`, which the call fills in; it takes nothing else by reference.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        let result = libc::waitid(libc::P_PID, child.id(), &raw mut info, options);
        // If it cannot be waited for, it is not there. If it runs, nothing was filled in.
        result != 0 || info.si_pid() != 0
    }
}

/// Lets the system send SIGTERM to the command when the thread that starts it ends, which includes a program that is killed. What the command has
/// started itself gets no signal then. Linux alone can do this; elsewhere a build goes on to its end.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "the standard library does not know this property of processes"
)]
pub fn end_with_this_program(command: &mut Command) {
    let parent = std::process::id();
    let request = move || {
        // SAFETY: both calls have no memory arguments.
        let (result, parent_now) = unsafe {
            (
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM),
                libc::getppid(),
            )
        };
        match result {
            // This program has ended before the request: nobody waits for the build.
            0 if u32::try_from(parent_now) != Ok(parent) => {
                Err(io::Error::from_raw_os_error(libc::ESRCH))
            }
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec, the function makes two system calls and allocates nothing.
    unsafe { command.pre_exec(request) };
}

#[cfg(not(target_os = "linux"))]
pub fn end_with_this_program(_command: &mut Command) {}
