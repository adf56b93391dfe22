import type { Capability } from "./capabilities.ts";
import type { KernelVersion } from "./kernel-facts.ts";

/**
 * Which system calls a container may make: facts about what Docker's default profile allows, grouped by what the calls are for.
 * A name that an architecture or the local libseccomp does not know is passed over by the runtimes, so the groups hold every
 * architecture's spellings (`chown32`, `*_time64`). What is not listed is refused.
 */

/** For everybody. */
export const ALWAYS = {
  "open and close": names(`close close_range creat open openat openat2 name_to_handle_at dup dup2 dup3 fcntl fcntl64 flock ioctl
    pipe pipe2 umask`),
  "read and write": names(`read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek readahead sendfile
    sendfile64 splice tee vmsplice copy_file_range fadvise64 fadvise64_64 fallocate truncate truncate64 ftruncate ftruncate64 sync
    syncfs fsync fdatasync sync_file_range cachestat`),
  "file metadata": names(`access faccessat faccessat2 stat stat64 fstat fstat64 lstat lstat64 fstatat64 newfstatat statx statfs statfs64
    fstatfs fstatfs64 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes utimensat
    utimensat_time64 futimesat`),
  "extended attributes": names(`getxattr fgetxattr lgetxattr getxattrat setxattr fsetxattr lsetxattr setxattrat listxattr flistxattr
    llistxattr listxattrat removexattr fremovexattr lremovexattr removexattrat`),
  "directories and links": names(`chdir fchdir getcwd getdents getdents64 mkdir mkdirat rmdir link linkat symlink symlinkat readlink
    readlinkat unlink unlinkat rename renameat renameat2 mknod mknodat`),
  "watching files": names(`inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark`),
  "looking at mounts": names(`listmount statmount`),
  waiting: names(`poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
    epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2`),
  "asynchronous reads and writes": names(`io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`),
  memory: names(`brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
    remap_file_pages memfd_create memfd_secret membarrier map_shadow_stack pkey_alloc pkey_free pkey_mprotect`),
  "processes and threads": names(`fork vfork execve execveat exit exit_group wait4 waitid waitpid set_tid_address set_thread_area
    get_thread_area set_robust_list get_robust_list rseq restart_syscall prctl pidfd_open process_mrelease uretprobe riscv_hwprobe`),
  "who am I": names(`getpid getppid gettid getpgid getpgrp getsid setpgid setsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid
    getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32`),
  "become somebody": names(`setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid
    setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset`),
  "give things up": names(`seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self`),
  signals: names(`kill tkill tgkill pidfd_send_signal pause alarm sigaltstack sigprocmask sigreturn signalfd signalfd4 rt_sigaction
    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo`),
  locks: names(`futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue`),
  "limits and priorities": names(`getrlimit ugetrlimit setrlimit prlimit64 getrusage getpriority setpriority ioprio_get ioprio_set`),
  scheduling: names(`sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64 getcpu`),
  "time (reading; adjusting is checked by the kernel)": names(`time times gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres
    clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 nanosleep`),
  timers: names(`getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`),
  "sockets that exist (new ones have a rule of their own)": names(`accept accept4 bind connect listen shutdown socketpair socketcall
    getsockname getpeername getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`),
  "queues, semaphores, shared memory": names(`ipc mq_open mq_unlink mq_getsetattr mq_notify mq_timedreceive mq_timedreceive_time64
    mq_timedsend mq_timedsend_time64 msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt
    shmget`),
  "the machine": names(`uname sysinfo getrandom`),
} as const satisfies Record<string, readonly string[]>;

/** Looking into other processes: the kernel checks it well enough only since then. */
export const SINCE: readonly { readonly kernel: KernelVersion; readonly names: readonly string[] }[] = [
  { kernel: { major: 4, minor: 8 }, names: names(`ptrace process_vm_readv process_vm_writev`) },
];

/** On some architectures only. */
export const ARCHITECTURE: readonly { readonly architectures: readonly string[]; readonly names: readonly string[] }[] = [
  { architectures: ["amd64"], names: names(`arch_prctl`) },
  { architectures: ["amd64", "386"], names: names(`modify_ldt`) },
  {
    architectures: ["arm", "arm64"],
    names: names(`arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls`),
  },
  { architectures: ["ppc64le"], names: names(`sync_file_range2 swapcontext`) },
  { architectures: ["s390x"], names: names(`s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr`) },
  { architectures: ["riscv64"], names: names(`riscv_flush_icache`) },
];

/** For a container that was given the capability. */
export const CAPABILITY: Readonly<Partial<Record<Capability, readonly string[]>>> = {
  BPF: names(`bpf`),
  DAC_READ_SEARCH: names(`open_by_handle_at`),
  PERFMON: names(`perf_event_open`),
  SYSLOG: names(`syslog`),
  SYS_ADMIN: names(`mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick quotactl quotactl_fd
    unshare setns clone clone3 sethostname setdomainname bpf perf_event_open syslog fanotify_init lookup_dcookie lsm_get_self_attr
    lsm_set_self_attr lsm_list_modules`),
  SYS_BOOT: names(`reboot`),
  SYS_CHROOT: names(`chroot`),
  SYS_MODULE: names(`init_module finit_module delete_module`),
  SYS_NICE: names(`get_mempolicy set_mempolicy set_mempolicy_home_node mbind`),
  SYS_PACCT: names(`acct`),
  SYS_PTRACE: names(`ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd`),
  SYS_RAWIO: names(`iopl ioperm`),
  SYS_TIME: names(`settimeofday stime clock_settime clock_settime64`),
  SYS_TTY_CONFIG: names(`vhangup`),
};

/** Address families that no new socket may have: the kernel's crypto interface and the way to the hypervisor. */
export const REFUSED_FAMILIES = { AF_ALG: 38, AF_VSOCK: 40 } as const;

/** Execution domains that may be asked for: Linux, 32-bit uname, both with UNAME26, and the question which one it is. */
export const PERSONALITIES: readonly number[] = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** Every flag of clone(2) that makes a namespace, the one for time (which clone does not take) left out. */
export const NAMESPACE_FLAGS = 0x7e020000;

/**
 * libseccomp's name of an architecture and those whose programs it runs as well. x32 is left out of amd64, unlike in Docker's list: few
 * kernels run such programs, one that tries is ended, and a third of the time that a runtime takes to build the filter is saved.
 */
export const SECCOMP_ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  "386": ["SCMP_ARCH_X86"],
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  arm: ["SCMP_ARCH_ARM"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  loong64: ["SCMP_ARCH_LOONGARCH64"],
  mips64: ["SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32"],
  mips64le: ["SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"],
  ppc64le: ["SCMP_ARCH_PPC64LE"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
};

function names(text: string): readonly string[] {
  return text.split(/\s+/);
}
