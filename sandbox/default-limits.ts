// The limits that a session has when nobody has asked for others.
import {
  SANDBOX_CELL_CPU_SECONDS,
  SANDBOX_DISK_BYTES,
  SANDBOX_IMAGE_BYTES,
  SANDBOX_IMAGES,
  SANDBOX_MAX_FILES,
  SANDBOX_MEMORY_BYTES,
  SANDBOX_OUTPUT_BYTES,
  SANDBOX_THREADS,
} from "../contract/limits.ts";
import type { SandboxLimits } from "./driver.ts";

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: SANDBOX_MEMORY_BYTES,
  diskBytes: SANDBOX_DISK_BYTES,
  maxFiles: SANDBOX_MAX_FILES,
  threads: SANDBOX_THREADS,
  cpuSeconds: SANDBOX_CELL_CPU_SECONDS,
  outputBytes: SANDBOX_OUTPUT_BYTES,
  images: SANDBOX_IMAGES,
  imageBytes: SANDBOX_IMAGE_BYTES,
};
