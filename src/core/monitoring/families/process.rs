//! What every program of vas exports about its process, under the names that Prometheus' own clients have.

super::families! {
    /// Every family of a process.
    ALL of Every at Process:
    BUILD_INFO = Gauge "vas_build_info" ["program", "version"]
        "1, with the command that runs and its version";
    CPU = Counter "process_cpu_seconds" in Seconds []
        "Processor time that the process used, its own and the kernel's for it";
    STARTED = Gauge "process_start_time_seconds" in Seconds []
        "When the process started, in seconds since 1970";
    RESIDENT_MEMORY = Gauge "process_resident_memory_bytes" in Bytes []
        "Memory of the process that is in RAM";
    VIRTUAL_MEMORY = Gauge "process_virtual_memory_bytes" in Bytes []
        "Address space of the process";
    OPEN_FILES = Gauge "process_open_fds" []
        "Files and connections that the process has open";
    MAX_FILES = Gauge "process_max_fds" []
        "Files and connections that the process may have open; absent without a limit";
}
