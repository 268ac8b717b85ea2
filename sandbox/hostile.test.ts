// Code that is made to get out, to learn what it should not, or to take what others need. Each attack sees itself refused; then
// the driver still answers, and a session beside it is as it was. All of it with namespaces, with Landlock alone, and in gVisor.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import {
  attempt,
  ISOLATIONS,
  openTestSandbox,
  output,
  run,
  sessionProcessesOf,
  stateOfSession,
  whyNot,
} from "../test/support/sandbox.ts";
import type { TestIsolation, TestSandbox } from "../test/support/sandbox.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import type { SandboxSession } from "./driver.ts";

const MIB = 2 ** 20;
process.env["SECRET_OF_THE_SERVER"] = "do not tell";

for (const isolation of ISOLATIONS) {
  const missing = await whyNot(isolation);
  suite(isolation, { skip: missing ?? false }, () => hostilePrograms(isolation));
}

function hostilePrograms(isolation: TestIsolation): void {
  const hasNamespaces = isolation === "namespaces";
  const hasOwnKernel = isolation === "gvisor";
  let sandbox: TestSandbox;
  let bystander: SandboxSession;
  let secrets: string;
  /** A file among the libraries, which the code may read. A real one would be damaged for everybody if there were a hole. */
  let library: string;

  before(async () => {
    sandbox = await openTestSandbox(isolation, { preload: [] });
    bystander = await sandbox.create();
    await output(bystander, "mine = 'untouched'; _ = open('/mnt/data/mine.txt', 'w').write(mine)");
    library = join(
      (await output(bystander, "import sys; print(sys.prefix)")).trim(),
      `library-of-tests-${process.pid}`,
    );
    await writeFile(library, "a library");
    secrets = await mkdtemp(join(tmpdir(), "secrets-"));
    await chmod(secrets, 0o755);
    await writeFile(join(secrets, "a.txt"), "do not tell", { mode: 0o666 });
    await chmod(join(secrets, "a.txt"), 0o666);
  });
  after(async () => {
    await sandbox?.close();
    if (library !== undefined) await rm(library, { force: true });
    await rm(secrets, { recursive: true, force: true });
  });

  /** The attack has a session of its own. Afterwards all is as before. */
  function attack(name: string, work: (session: SandboxSession) => Promise<void>): void {
    test(name, async () => {
      const session = await sandbox.create();
      await work(session);
      assert.equal(await output(bystander, "print(mine, open('/mnt/data/mine.txt').read())"), "untouched untouched\n");
      await session.destroy();
      const next = await sandbox.create();
      assert.equal(await output(next, "1 + 1"), "2\n");
      await next.destroy();
      assert.equal(await readFile(join(secrets, "a.txt"), "utf8"), "do not tell");
    });
  }

  /** Where there is no such file, or where it may not be opened. */
  const closed = isolation === "landlock" ? "EACCES" : "ENOENT";

  suite("files", () => {
    attack("files of the machine cannot be read", async (session) => {
      const seen = await attempt(session, {
        accounts: "open('/etc/passwd').read()",
        passwords: "open('/etc/shadow').read()",
        secret: `open('${secrets}/a.txt').read()`,
        list: `os.listdir('${secrets}')`,
        home: "open(os.path.expanduser('~root') + '/.bashrc').read()",
        memory: "open('/dev/mem').read()",
        log: "open('/dev/kmsg').read()",
        kernel: "open('/sys/kernel/notes', 'rb').read()",
        viaDescriptor: `open('/proc/self/root${secrets}/a.txt').read()`,
        viaDots: `open('/mnt/data/../..${secrets}/a.txt').read()`,
      });
      for (const [name, result] of Object.entries(seen)) {
        assert.ok(["ENOENT", "EACCES"].includes(result), `${name}: ${result}`);
      }
      assert.equal(seen.secret, closed);
    });

    attack("files of the machine cannot be written, shortened, changed or linked to", async (session) => {
      const path = `${secrets}/a.txt`;
      const seen = await attempt(session, {
        write: `open('${path}', 'w').write('x')`,
        append: `open('${path}', 'a').write('x')`,
        shorten: `os.truncate('${path}', 0)`,
        shortenByReading: `os.open('${path}', os.O_RDONLY | os.O_TRUNC)`,
        remove: `os.remove('${path}')`,
        move: `os.rename('${path}', '/mnt/data/a.txt')`,
        link: `os.link('${path}', '/mnt/data/a.txt')`,
        beside: `open('${secrets}/b.txt', 'w').write('x')`,
        folder: `os.mkdir('${secrets}/b')`,
        attribute: `os.setxattr('${path}', 'user.a', b'b')`,
      });
      for (const [name, result] of Object.entries(seen)) {
        assert.ok(["ENOENT", "EACCES", "EPERM", "EXDEV", "EROFS"].includes(result), `${name}: ${result}`);
      }
      assert.deepEqual(await readdir(secrets), ["a.txt"]);
    });

    attack("rights and times of files stay what they are", async (session) => {
      const was = await stat(library);
      await attempt(session, {
        secret: `os.chmod('${secrets}/a.txt', 0)`,
        library: `os.chmod('${library}', 0o4777)`,
        opened: `os.fchmod(os.open('${library}', os.O_RDONLY), 0)`,
        owner: `os.chown('${library}', 0, 0)`,
        time: `os.utime('${library}', (0, 0))`,
      });
      const is = await stat(library);
      assert.deepEqual([is.mode, is.uid, is.mtimeMs], [was.mode, was.uid, was.mtimeMs]);
      assert.equal((await stat(join(secrets, "a.txt"))).mode & 0o777, 0o666);
      assert.equal(
        await output(
          session,
          "open('a', 'w').close(); os.chmod('a', 0o4777); print(os.stat('a').st_mode & 0o7777 == 0o600)",
        ),
        "True\n",
      );
    });

    attack("libraries and devices cannot be changed", async (session) => {
      const seen = await attempt(session, {
        library: `open('${library}', 'a').write('x')`,
        beside: `open('${library}-2', 'w').write('x')`,
        shorten: `os.open('${library}', os.O_RDONLY | os.O_TRUNC)`,
        device: "open('/dev/urandom', 'w').write('x')",
        terminal: "open('/dev/tty', 'w').write('x')",
      });
      for (const [name, result] of Object.entries(seen)) {
        const isOwn = hasOwnKernel && name === "device"; // nobody else has it
        assert.ok(isOwn || ["ENOENT", "EACCES", "EPERM", "EROFS", "ENXIO"].includes(result), `${name}: ${result}`);
      }
      assert.equal(await readFile(library, "utf8"), "a library");
      assert.equal(await output(session, `print(open('${library}').read())`), "a library\n");
    });

    attack("a link leads nowhere, inside and outside", async (session) => {
      const seen = await attempt(session, {
        link: `os.symlink('${secrets}/a.txt', '/mnt/data/link')`,
        read: "open('/mnt/data/link').read()",
        up: "os.symlink('../../../../../..', '/mnt/data/up')",
        through: `open('/mnt/data/up${secrets}/a.txt').read()`,
        folder: "os.mkdir('/mnt/data/folder')",
      });
      assert.deepEqual(seen, { link: "did it", read: closed, up: "did it", through: closed, folder: "did it" });
      for (const name of ["link", "up", "folder"]) {
        await assert.rejects(session.getFile(name, MIB).next(), { name: "FileRefused", code: "not_a_file" });
      }
      assert.deepEqual(await session.listFiles(), []);
      await session.putFile(
        "link",
        (async function* () {
          yield Buffer.from("mine");
        })(),
      );
      assert.equal(
        await output(session, "print(open('/mnt/data/link').read(), os.path.islink('/mnt/data/link'))"),
        "mine False\n",
      );
    });

    attack("pipes, devices, sockets and hard links cannot be made", async (session) => {
      const seen = await attempt(session, {
        pipe: "os.mkfifo('/mnt/data/pipe')",
        device: "os.mknod('/mnt/data/device', 0o20666, os.makedev(1, 1))",
        disk: "os.mknod('/mnt/data/disk', 0o60666, os.makedev(254, 0))",
        hardLink: `os.link('${library}', '/mnt/data/hard')`,
      });
      assert.deepEqual(seen, { pipe: "EPERM", device: "EPERM", disk: "EPERM", hardLink: "EPERM" });
    });

    attack("files of another session cannot be reached", async (session) => {
      const folders = await promisify(execFile)("find", [sandbox.folder, "-name", "mine.txt"]);
      const real = folders.stdout.trim();
      assert.equal(real === "", isolation !== "landlock", "files are on disk with Landlock alone only");
      const seen = await attempt(session, {
        own: "open('/mnt/data/mine.txt').read()",
        real: `open('${real === "" ? "/session/data/mine.txt" : real}').read()`,
        folder: `os.listdir('${real === "" ? "/session" : real.replace(/\/\d+\/data.*/, "")}')`,
      });
      assert.equal(seen.own, "ENOENT");
      assert.ok(["ENOENT", "EACCES"].includes(seen.real), seen.real);
      assert.ok(["EACCES", "ENOENT", "did it: []"].includes(seen.folder), seen.folder);
    });
  });

  suite("what the server knows", () => {
    attack("its environment cannot be seen", async (session) => {
      const seen = await attempt(session, {
        own: "[name for name in os.environ if 'SECRET' in name] or None",
        kernel: "open('/proc/self/environ').read()",
        parent: "open(f'/proc/{os.getppid()}/environ').read()",
        server: `open('/proc/${process.pid}/environ').read()`,
        commandLine: `open('/proc/${process.pid}/cmdline').read()`,
        memory: `open('/proc/${process.pid}/mem', 'rb').read()`,
        files: `os.listdir('/proc/${process.pid}/fd')`,
        folder: `os.readlink('/proc/${process.pid}/cwd')`,
        program: `os.readlink('/proc/${process.pid}/exe')`,
        readMemory: `sys_call(310, ${process.pid}, 0, 0, 0, 0, 0)`,
      });
      const { own, readMemory, ...proc } = seen;
      assert.equal(own, "did it");
      assert.equal(readMemory, "EPERM");
      // gVisor has a /proc of its own, in which nothing can be looked into.
      const refused = hasOwnKernel ? ["ENOENT", "EACCES"] : [closed];
      for (const [name, result] of Object.entries(proc)) assert.ok(refused.includes(result), `${name}: ${result}`);
      assert.equal(await output(session, "print('do not' + ' tell' in repr(dict(os.environ)))"), "False\n");
    });

    attack("nothing is in memory that belongs to another session", async (session) => {
      await output(bystander, "import secrets; token = 'marker-' + '5e1f' * 4");
      const code =
        "import gc; print(any(isinstance(o, dict) and 'token' in o and str(o['token']).startswith('marker-') for o in gc.get_objects()))";
      assert.equal(await output(session, code), "False\n");
    });

    attack("two sessions draw different random numbers", async (session) => {
      const code = "import random, numpy, uuid; print(random.random(), numpy.random.rand(), uuid.uuid4())";
      const [one = [], other = []] = [await output(session, code), await output(bystander, code)].map((text) =>
        text.trim().split(" "),
      );
      for (const [index, number] of one.entries()) assert.notEqual(number, other[index]);
    });
  });

  suite("network", () => {
    attack("nothing can be connected to, not even on this machine", async (session) => {
      let connections = 0;
      const server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const local = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      const path = join(secrets, "socket");
      await new Promise<void>((resolve) => local.listen(path, resolve));
      const { port } = server.address() as AddressInfo;
      try {
        const seen = await attempt(session, {
          tcp: `socket.create_connection(('127.0.0.1', ${port}), 1)`,
          tcp6: `socket.socket(socket.AF_INET6, socket.SOCK_STREAM)`,
          udp: "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
          unix: "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
          raw: "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
          netlink: "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
          packet: "socket.socket(17, socket.SOCK_RAW, 0)",
          vsock: "socket.socket(40, socket.SOCK_STREAM)",
          crypto: "socket.socket(38, socket.SOCK_SEQPACKET)",
          pairOfDatagrams: "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
          pairToPath: `socket.socketpair()[0].connect('${path}')`,
          pairListens: "socket.socketpair()[0].bind('/mnt/data/s')",
          own: `socket.socket(fileno=os.dup(3)).connect('${path}')`,
        });
        for (const [name, result] of Object.entries(seen)) assert.equal(result, "EPERM", name);
        assert.equal(connections, 0);
      } finally {
        server.close();
        local.close();
      }
    });

    attack("a name cannot be looked up, and metadata of a cloud cannot be read", async (session) => {
      const seen = await attempt(session, {
        name: "socket.getaddrinfo('localhost', 80)",
        metadata: "__import__('urllib.request').request.urlopen('http://169.254.169.254/', timeout=2)",
      });
      for (const [name, result] of Object.entries(seen)) assert.doesNotMatch(result, /did it/, name);
    });
  });

  suite("processes", () => {
    attack("none can be started, in any way", async (session) => {
      const seen = await attempt(session, {
        fork: "os.fork()",
        spawn: "os.posix_spawn('/bin/true', ['true'], {})",
        exec: "os.execv('/bin/true', ['true'])",
        execSelf: "os.execv(sys.executable, ['python'])",
        shell: "subprocess.run('true', shell=True)",
        pool: "__import__('multiprocessing').Process(target=print).start()",
        rawClone: "call('syscall', 56 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0)",
        rawClone3: "call('syscall', 435, bytes(88), 88)",
        session: "os.setsid()",
        group: "os.setpgid(0, 0)",
      });
      const { rawClone3, ...others } = seen;
      assert.equal(rawClone3, "ENOSYS");
      for (const [name, result] of Object.entries(others)) assert.equal(result, "EPERM", name);
    });

    attack("a fork bomb and a daemon leave nothing", async (session) => {
      const before = await sessionProcessesOf(sandbox);
      const code =
        "import os\nn = 0\nfor _ in range(5000):\n  try:\n    if os.fork() == 0: os.setsid()\n    n += 1\n  except OSError: pass\nprint(n)";
      assert.equal(await output(session, code), "0\n");
      assert.deepEqual((await sessionProcessesOf(sandbox)).length, before.length);
    });

    attack("others can be neither signalled nor slowed down nor bounded", async (session) => {
      const server = process.pid;
      const seen = await attempt(session, {
        kill: `os.kill(${server}, 9)`,
        ask: `os.kill(${server}, 0)`,
        killParent: "os.kill(os.getppid() or 2, 9)",
        killAll: "os.kill(-1, 9)",
        killGroup: "os.killpg(0, 9)",
        thread: `sys_call(200 if os.uname().machine == 'x86_64' else 130, ${server}, 9)`,
        queue: `sys_call(129 if os.uname().machine == 'x86_64' else 138, ${server}, 9, 0)`,
        limit: `resource.prlimit(${server}, resource.RLIMIT_NOFILE, (1, 1))`,
        look: `resource.prlimit(${server}, resource.RLIMIT_NOFILE)`,
        processors: `os.sched_setaffinity(${server}, {0})`,
        priority: `os.setpriority(os.PRIO_PROCESS, ${server}, 19)`,
        owner: `fcntl.fcntl(3, 8, ${server})`,
        ownerExtended: "fcntl.fcntl(3, 15, bytes(8))",
        ownerSignal: "fcntl.fcntl(3, 10, 9)",
        lease: "fcntl.fcntl(3, 1024, 1)",
        trace: `call('ptrace', 16, ${server}, 0, 0)`,
      });
      for (const [name, result] of Object.entries(seen)) assert.equal(result, "EPERM", name);
      const descriptor = await attempt(session, { pidfd: `os.pidfd_open(${server})` });
      assert.match(descriptor.pidfd, /ENOSYS|EPERM/);
    });

    attack("own limits and rights cannot be raised", async (session) => {
      const seen = await attempt(session, {
        memory: "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        files: "resource.setrlimit(resource.RLIMIT_NOFILE, (100000, 100000))",
        threads: "resource.setrlimit(resource.RLIMIT_NPROC, (-1, -1))",
        priority: "os.nice(-5)",
        user: "os.setuid(0)",
        group: "os.setgroups([0])",
        parentDeath: "call('prctl', 1, 0, 0, 0, 0)",
        dumpable: "call('prctl', 4, 1, 0, 0, 0)",
        filter: "call('prctl', 22, 1, 0, 0, 0)",
      });
      for (const [name, result] of Object.entries(seen)) assert.match(result, /EPERM|ValueError/, name);
    });
  });

  suite("the kernel", { skip: arch() !== "x64" && "the numbers are those of x86-64" }, () => {
    attack("calls that nobody needs are refused", async (session) => {
      const calls = {
        unshare: "272, 0x10000000",
        setns: "308, 3, 0",
        mount: "165, 0, 0, 0, 0, 0",
        umount: "166, 0, 0",
        pivot_root: "155, 0, 0",
        chroot: "161, b'/'",
        bpf: "321, 0, 0, 0",
        perf_event_open: "298, 0, 0, 0, 0, 0",
        keyctl: "250, 0, -3, 1",
        add_key: "248, 0, 0, 0, 0, 0",
        request_key: "249, 0, 0, 0, 0",
        userfaultfd: "323, 0",
        memfd_create: "319, b'x', 0",
        shmget: "29, 0, 4096, 0o1600",
        msgget: "68, 0, 0o1600",
        semget: "64, 0, 1, 0o1600",
        mq_open: "240, b'x', 0o102, 0o600, 0",
        inotify: "294, 0",
        fanotify: "300, 0, 0",
        name_to_handle_at: "303, 0, 0, 0, 0, 0",
        open_by_handle_at: "304, 0, 0, 0",
        personality: "135, 0x40000",
        init_module: "175, 0, 0, 0",
        kexec: "246, 0, 0, 0, 0",
        reboot: "169, 0, 0, 0, 0",
        swapon: "167, 0, 0",
        quotactl: "179, 0, 0, 0, 0",
        acct: "163, 0",
        syslog: "103, 10, 0, 0",
        iopl: "172, 3",
        modify_ldt: "154, 0, 0, 0",
        settimeofday: "164, 0, 0",
        sethostname: "170, b'x', 1",
        vmsplice: "278, 0, 0, 0, 0",
        splice: "275, 0, 0, 0, 0, 0, 0",
        process_vm_writev: "311, 1, 0, 0, 0, 0, 0",
        kcmp: "312, 1, 1, 0, 0, 0",
        seccomp: "317, 0, 0, 0",
        migrate_pages: "256, 0, 0, 0, 0",
        sched_setscheduler: "144, 0, 1, 0",
        ioprio_set: "251, 1, 0, 0",
        vhangup: "153",
        setsockopt: "54, 3, 1, 26, 0, 0",
        mincore: "27, 0, 0, 0",
      };
      const recent = {
        io_uring_setup: "425, 8, 0",
        io_uring_enter: "426, 0, 0, 0, 0, 0, 0",
        pidfd_getfd: "438, 0, 0, 0",
        open_tree: "428, 0, 0, 0",
        fsopen: "430, b'tmpfs', 0",
        mount_setattr: "442, 0, 0, 0, 0, 0",
        openat2: "437, 0, 0, 0, 0",
        landlock: "444, 0, 0, 1",
        memfd_secret: "447, 0",
        process_madvise: "440, 0, 0, 0, 0, 0",
        unheard: "1000",
      };
      const wrapped = (table: Record<string, string>) =>
        Object.fromEntries(Object.entries(table).map(([name, values]) => [name, `sys_call(${values})`]));
      for (const [name, result] of Object.entries(await attempt(session, wrapped(calls))))
        assert.equal(result, "EPERM", name);
      for (const [name, result] of Object.entries(await attempt(session, wrapped(recent))))
        assert.equal(result, "ENOSYS", name);
    });

    attack("calls of another kind of processor end the session", async (session) => {
      const x32 = await run(session, "import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 | 39))");
      assert.deepEqual([x32.done.status, x32.done.loss], ["lost", "forbidden"]);
      const other = await sandbox.create();
      // mov eax, 20 (getpid); int 0x80; ret
      const code = `import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()`;
      const i386 = await run(other, code);
      assert.deepEqual([i386.done.status, i386.done.loss], ["lost", "forbidden"]);
    });
  });

  suite("bombs", () => {
    attack("threads are bounded", async (session) => {
      const code = `import threading
count, gate = 0, threading.Event()
threading.stack_size(65536)
try:
    for _ in range(3000):
        threading.Thread(target=gate.wait, daemon=True).start()
        count += 1
except RuntimeError: pass
print(count)
for _ in range(30): gate.wait(0.1)
gate.set()`;
      const { stdout, done } = await run(session, code);
      if (done.status === "lost") assert.equal(done.loss, "threads");
      else assert.ok(Number(stdout) <= 40, stdout);
      if (hasNamespaces) assert.equal(done.status, "ok");
    });

    attack("memory is bounded, in whichever way it is asked for", async (session) => {
      const seen = await attempt(session, {
        bytes: "bytes(6 << 30)",
        array: "__import__('numpy').ones(1 << 30)",
        list: "[0] * (1 << 30)",
        map: "mmap.mmap(-1, 4 << 30)",
        shared: "mmap.mmap(-1, 4 << 30, flags=mmap.MAP_SHARED)",
        slowly: "[bytearray(1 << 20) for _ in range(4096)]",
        file: "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 4 << 30)",
        brk: "ctypes.memset(ctypes.CDLL(None).malloc, 0, 0) and ctypes.create_string_buffer(3 << 30)",
      });
      for (const [name, result] of Object.entries(seen))
        assert.match(result, /MemoryError|ENOMEM|did it$|ENODEV|ArgumentError/, name);
      assert.match(seen.slowly, /MemoryError/);
      assert.equal(await output(session, "print('alive')"), "alive\n");
    });

    attack("recursion without end, in Python and in C, is no more than an error", async (session) => {
      const { done } = await run(session, "def f(): return f()\nf()");
      assert.match(done.traceback ?? "", /RecursionError/);
      await run(session, "import sys; sys.setrecursionlimit(10**9)\ndef g(n): return [g(n + 1)]\ng(0)", 10_000); // may take the session with it
    });

    attack("one large file, and a file with a large hole, are bounded", async (session) => {
      const seen = await attempt(session, {
        hole: "open('/mnt/data/hole', 'wb').truncate(1 << 40)",
        far: "os.pwrite(os.open('/mnt/data/far', os.O_CREAT | os.O_WRONLY), b'x', 1 << 40)",
        allocate: "os.posix_fallocate(os.open('/mnt/data/far', os.O_WRONLY), 0, 1 << 33)",
      });
      for (const [name, result] of Object.entries(seen)) assert.match(result, /EFBIG|ENOSPC/, name);
    });

    const filling = (code: string, loss: string) => async (session: SandboxSession) => {
      const { stdout, done } = await run(session, code);
      const isFull = stdout === "ENOSPC\n" && done.status === "ok";
      if (hasNamespaces) assert.ok(isFull, `${stdout} ${done.traceback ?? done.loss}`);
      // gVisor's file systems know a size, and both folders together are watched; so is the number of files.
      else if (!(hasOwnKernel && isFull && loss === "disk"))
        assert.deepEqual([done.status, done.loss], ["lost", loss], `${stdout} ${done.traceback}`);
      await session.destroy();
      await waitUntil("what it has written is gone", async () => {
        const found = await promisify(execFile)("du", ["-sm", sandbox.folder]).catch(() => undefined);
        return found !== undefined && Number(found.stdout.split("\t")[0]) < 30;
      });
    };
    const until = (work: string) => `import errno, os, time
def fill():
${work.replaceAll(/^/gm, "    ")}
try:
    fill()
    time.sleep(20)
    print("all of it")
except OSError as error: print(errno.errorcode[error.errno])`;

    attack(
      "all files together are bounded",
      filling(
        until("for n in range(64):\n    with open(f'/mnt/data/{n}', 'wb') as file: file.write(bytes(4 << 20))"),
        "disk",
      ),
    );
    attack(
      "files that are removed and still open count",
      filling(
        until(
          "files = []\nfor n in range(64):\n    files.append(open('/mnt/data/x', 'wb', 0)); os.remove('/mnt/data/x'); files[-1].write(bytes(4 << 20))",
        ),
        "disk",
      ),
    );
    attack(
      "the temporary folder counts",
      filling(
        until(
          "import tempfile\nfor n in range(64):\n    with open(f'{tempfile.gettempdir()}/{n}', 'wb') as file: file.write(bytes(4 << 20))",
        ),
        "disk",
      ),
    );
    attack(
      "the number of files is bounded",
      filling(until("for n in range(5000): open(f'/mnt/data/{n}', 'w').close()"), "files"),
    );
    attack(
      "folders in folders are bounded, and go away",
      filling(until("for n in range(3000): os.mkdir('d' * 100); os.chdir('d' * 100)"), "files"),
    );
    attack(
      "an archive that swells is bounded",
      filling(
        until(
          "import io, zipfile\nbuffer = io.BytesIO()\nwith zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:\n    for n in range(24): archive.writestr(f'{n}', bytes(4 << 20))\nzipfile.ZipFile(buffer).extractall('/mnt/data')",
        ),
        "disk",
      ),
    );

    attack("output is cut, and counted", async (session) => {
      const { stdout, stderr, done } = await run(
        session,
        "import sys\nfor _ in range(50): print('x' * 1_000_000)\nprint('y' * 1000, file=sys.stderr)",
      );
      assert.equal(done.status, "ok");
      assert.equal(stdout.length + stderr.length, 100_000);
      assert.equal(done.droppedBytes, 50 * 1_000_001 + 1001 - 100_000);
    });

    attack("processor time is bounded, whatever number of threads uses it", async () => {
      const session = await sandbox.create({ cpuSeconds: 1 });
      const { done } = await run(
        session,
        "import hashlib, threading\ndef burn():\n  while True: hashlib.sha256(bytes(1 << 20))\nfor _ in range(4): threading.Thread(target=burn).start()\nburn()",
      );
      assert.deepEqual([done.status, done.loss], ["lost", "cpu"]);
    });
  });

  suite("code that does not want to stop", () => {
    const stubborn = {
      "ignores the signal": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
      "handles the signal": "import signal; signal.signal(signal.SIGINT, lambda *_: None)\nwhile True: pass",
      "computes in C": "sum(range(10 ** 15))",
      "leaves threads that do the same":
        "import signal, threading\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ndef f():\n  while True: pass\nfor _ in range(5): threading.Thread(target=f).start()\nf()",
    };
    for (const [what, code] of Object.entries(stubborn)) {
      attack(`is killed with its session when it ${what}`, async (session) => {
        const before = await sessionProcessesOf(sandbox);
        const { done } = await run(session, code, 300);
        assert.deepEqual([done.status, done.loss], ["timeout", "killed"]);
        assert.equal((await sessionProcessesOf(sandbox)).length, before.length - 1);
      });
    }

    attack("is stopped when it catches what stops it, or blocks all signals", async (session) => {
      const code = "while True:\n  try:\n    while True: pass\n  except KeyboardInterrupt: print('no')";
      const caught = await run(session, code, 300);
      assert.equal(caught.done.status, "timeout");
      const other = await sandbox.create();
      const blocked = await run(
        other,
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        300,
      );
      assert.equal(blocked.done.status, "timeout");
      await other.destroy();
    });

    attack("gets no processor between two cells", async (session) => {
      const before = await sessionProcessesOf(sandbox);
      const other = await sandbox.create();
      const [pid = 0] = (await sessionProcessesOf(sandbox)).filter((each) => !before.includes(each));
      await output(
        other,
        "import threading\ncount = 0\ndef burn():\n  global count\n  while True: count += 1\nthreading.Thread(target=burn, daemon=True).start()",
      );
      await waitUntil("it is stopped", async () => (await stateOfSession(sandbox, pid)) === "T");
      assert.equal(await output(session, "1"), "1\n");
      assert.equal(await stateOfSession(sandbox, pid), "T");
      await other.destroy();
    });
  });

  suite("the line to the server", () => {
    const said = (...lines: string[]) =>
      `import os\nfor line in [${lines.join(", ")}]:\n  view = memoryview(line)\n  while view: view = view[os.write(3, view):]\nimport time; time.sleep(60)`;
    const nonsense = {
      "an endless line": said("b'x' * (64 << 20)"),
      "no text": said("b'\\xff\\xfe\\n'"),
      "no JSON": said("b'hello\\n'"),
      "no frame": said(`b'{"type":"done"}\\n'`),
      "a frame with impossible numbers": said(`b'{"type":"done","id":1,"dropped":-1}\\n'`),
      "JSON nested without end": said("b'[' * 400_000 + b'\\n'"),
      "frames without end": said(
        `*[b'{"type":"logs","id":999,"stream":"stdout","text":"' + b'x' * 200_000 + b'"}\\n'] * 1000`,
      ),
      "pictures without end": said(
        `*[b'{"type":"image","id":1,"data":"' + b'A' * 400_000 + b'","last":false}\\n'] * 1000`,
      ),
    };
    for (const [what, code] of Object.entries(nonsense)) {
      attack(`ends the session when it carries ${what}`, async (session) => {
        const { done } = await run(session, code);
        assert.deepEqual([done.status, done.loss], ["lost", "protocol"]);
      });
    }

    attack("carries forged answers, which are the session's own harm", async (session) => {
      const forged = `import os; os.write(3, b'{"type":"done","id":1,"dropped":0,"traceback":"forged"}\\n{"type":"done","id":1,"dropped":0}\\n{"type":"refused","id":2,"code":"failed"}\\n')`;
      const { done } = await run(session, forged);
      assert.deepEqual(done, { type: "done", status: "error", traceback: "forged", droppedBytes: 0 });
      assert.equal(await output(session, "print('next')"), "next\n");
    });

    attack("may be closed, which is an end", async (session) => {
      const { done } = await run(session, "import os; os.close(3)\nimport time; time.sleep(60)");
      assert.equal(done.status, "lost");
    });

    attack("does not say more of a file, or of files, than was asked for", async (session) => {
      await output(
        session,
        "open('/mnt/data/a', 'wb').write(bytes(1000))\nimport sys\nframes = [f for f in sys._current_frames().values()]",
      );
      await assert.rejects(session.getFile("a", 999).next(), { name: "FileRefused", code: "too_large" });
    });
  });
}
