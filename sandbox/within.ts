// Work that must begin soon.
import { SandboxCrashed } from "./sandbox-error.ts";

/** Throws `SandboxCrashed` when it takes longer. The work goes on then. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new SandboxCrashed(`A sandbox took longer than ${ms / 1000} seconds to begin`)),
    ms,
  );
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
