// What every Python gets that sessions run in, wherever it is.

/** Loaded before a session begins. Libraries that are missing are left out. */
export const PRELOAD: readonly string[] = ["numpy", "pandas", "matplotlib.pyplot"];

/** All that Python and its libraries get to see of ours: nothing. */
export function environment(cacheFolder: string): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    MPLBACKEND: "Agg",
    MPLCONFIGDIR: cacheFolder,
    // Each would take a thread for every processor. A process with threads cannot be forked.
    OPENBLAS_NUM_THREADS: "1",
    OMP_NUM_THREADS: "1",
    MKL_NUM_THREADS: "1",
    NUMEXPR_NUM_THREADS: "1",
    // There are no processes to share the work with.
    JOBLIB_MULTIPROCESSING: "0",
    // Else every thread reserves 64 MiB of the address space, which is bounded.
    MALLOC_ARENA_MAX: "2",
  };
}
