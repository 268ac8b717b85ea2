// Postgres refuses to run as root. This chooses the user that it runs as, without changing anything on the machine.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { CannotStart } from "./cannot-start.ts";

/** In the order of preference. `nobody` exists on every Unix. */
const USERS = ["postgres", "nobody"];
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** How to start Postgres: as which user, and what stands in front of the command. */
export interface Identity {
  /** Owner of its files; undefined when it simply runs as we do. */
  owner: { uid: number; gid: number } | undefined;
  /** Wraps a command so that it runs as that user. */
  command(
    binary: string,
    args: string[],
  ): { command: string; args: string[]; env: NodeJS.ProcessEnv; uid?: number; gid?: number };
}

/**
 * Chooses the identity for a cluster at `clusterDir`, which need not exist yet, while its parent must.
 * An existing cluster keeps its owner. As root, a user is often shut out by a parent folder such as /root: then
 * the one right to look past that (CAP_DAC_READ_SEARCH) is left to the process, where the system lets us.
 */
export function choosePostgresUser(clusterDir: string, binary: string): Identity {
  const env = { PATH: SYSTEM_PATH, LC_ALL: "C" };
  if (process.getuid?.() !== 0) return { owner: undefined, command: (command, args) => ({ command, args, env }) };

  const owner = ownerOf(clusterDir) ?? findUser();
  const plain: Identity = { owner, command: (command, args) => ({ command, args, env, ...owner }) };
  const withRightToSearch: Identity = {
    owner,
    command: (command, args) => ({
      command: "setpriv",
      args: [
        `--reuid=${owner.uid}`,
        `--regid=${owner.gid}`,
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        command,
        ...args,
      ],
      env,
    }),
  };
  const folder = dirname(clusterDir);
  const able = [plain, withRightToSearch].find((identity) => canReach(identity, folder, binary));
  if (able) return able;
  throw new CannotStart(
    `Postgres refuses to run as root, and the user it would run as (${owner.uid}) cannot enter ${folder} or ${dirname(binary)}.\n` +
      "Start the server as a normal user, or move the project and DATA_DIR to where others may look (such as /opt), or set DATABASE_URL.",
  );
}

function ownerOf(clusterDir: string): { uid: number; gid: number } | undefined {
  const stat = statSync(clusterDir, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined;
}

function findUser(): { uid: number; gid: number } {
  for (const name of USERS) {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      Number.parseInt(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout, 10),
    );
    if (uid && gid) return { uid, gid };
  }
  throw new CannotStart(
    `Postgres refuses to run as root, and this machine has none of the users ${USERS.join(", ")}. Start as a normal user, or set DATABASE_URL.`,
  );
}

function canReach(identity: Identity, folder: string, binary: string): boolean {
  const { command, args, ...options } = identity.command("/bin/sh", [
    "-c",
    'test -x "$1" && test -x "$2"',
    "sh",
    folder,
    binary,
  ]);
  return spawnSync(command, args, { ...options, cwd: "/", stdio: "ignore" }).status === 0;
}
