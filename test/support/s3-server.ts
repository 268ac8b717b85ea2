// A real S3-compatible server: SeaweedFS, whose program comes in a Python package. One process, a folder that is forgotten.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { openLogFile } from "../../embedded/log-file.ts";
import { startProcess } from "../../embedded/managed-process.ts";
import type { ManagedProcess } from "../../embedded/managed-process.ts";
import { findPorts } from "../../embedded/ports.ts";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { findPython } from "./python-environment.ts";
import { waitUntil } from "./wait-until.ts";

const REQUIREMENTS = join(PROJECT_FOLDER, "test/support/s3/requirements.txt");
const PORTS = ["master", "volume", "filer", "s3"] as const;
const START_MS = 60_000;
/** Small, so that a few gigabytes of disk do for the tests. */
const VOLUME_MB = 256;
const MAX_VOLUMES = 200;

export interface S3Server {
  /** Settings of the product that make it use a new bucket of this server. */
  settings: Record<"S3_BUCKET" | "S3_ENDPOINT" | "S3_FORCE_PATH_STYLE", string> &
    Record<"AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY", string>;
  client: S3Client;
  /** From now on nobody is answered. */
  stop(): Promise<void>;
  /** Ends it with -9. */
  kill(): Promise<void>;
  /** Starts it again on its port and its data, when it was stopped or killed. */
  start(): Promise<void>;
}

/** The same for all, so that one process can look into the buckets of several of them. */
const KEYS = { accessKeyId: "of-the-tests", secretAccessKey: "a-secret-that-everybody-knows" };

/** Undefined when the machine has no Python that could install it. */
export async function startS3Server(folder: string): Promise<S3Server | undefined> {
  // Nothing of the package is a module of Python; what it brings is a program.
  const python = await findPython(REQUIREMENTS, () => "sys");
  if (python === undefined) return undefined;
  const { accessKeyId, secretAccessKey } = KEYS;
  const config = join(folder, "s3.json");
  const data = join(folder, "seaweedfs");
  mkdirSync(data, { recursive: true });
  const identity = {
    name: "test",
    credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }],
    actions: ["Admin"],
  };
  writeFileSync(config, JSON.stringify({ identities: [identity] }));
  const wishes = [...PORTS, ...PORTS].map((part) => ({ part, variable: "", host: "127.0.0.1", port: 0 }));
  const ports = await findPorts(wishes);
  const run = (): Promise<ManagedProcess> =>
    startProcess({
      command: join(dirname(python), "weed"),
      args: [
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        `-dir=${data}`,
        "-filer",
        "-s3",
        `-s3.config=${config}`,
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-master.telemetry=false",
        `-master.volumeSizeLimitMB=${VOLUME_MB}`,
        `-volume.max=${MAX_VOLUMES}`,
        ...PORTS.flatMap((part, index) => [
          `-${part}.port=${ports[index]}`,
          `-${part}.port.grpc=${ports[index + PORTS.length]}`,
        ]),
      ],
      cwd: data,
      env: { PATH: process.env["PATH"], HOME: data },
      log: openLogFile(join(folder, "seaweedfs.log")),
      stopSignal: "SIGTERM",
      stopTimeoutMs: 10_000,
    });
  let server = await run();
  const endpoint = `http://127.0.0.1:${ports[PORTS.indexOf("s3")]}`;
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  const bucket = `test-${randomBytes(6).toString("hex")}`;
  const succeeds = (command: Promise<unknown>): Promise<boolean> =>
    command.then(
      () => true,
      () => false,
    );
  const takesBucket = () => succeeds(client.send(new CreateBucketCommand({ Bucket: bucket })));
  const takesObject = () => succeeds(client.send(new PutObjectCommand({ Bucket: bucket, Key: "is-up", Body: "yes" })));
  await waitUntil("the S3 server takes a bucket", takesBucket, START_MS);
  return {
    settings: {
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    client,
    async stop() {
      client.destroy();
      await server.stop();
    },
    async kill() {
      server.kill();
      await server.exited;
    },
    async start() {
      server = await run();
      await waitUntil("the S3 server takes an object again", takesObject, START_MS);
    },
  };
}
