// The store that the settings ask for.
import { join, resolve } from "node:path";
import type { Config } from "../config.ts";
import type { Blobs } from "./blobs.ts";
import { DiskBlobs } from "./disk-blobs.ts";
import { S3Blobs } from "./s3-blobs.ts";

type BlobSettings = Pick<
  Config,
  "BLOB_DIR" | "DATA_DIR" | "S3_BUCKET" | "S3_REGION" | "S3_PREFIX" | "S3_ENDPOINT" | "S3_FORCE_PATH_STYLE"
>;

/** Nothing is asked of the store yet: one that is out of reach does not keep a process from starting. */
export function openBlobs(settings: BlobSettings): Blobs {
  if (settings.S3_BUCKET === undefined) {
    return new DiskBlobs(resolve(settings.BLOB_DIR ?? join(settings.DATA_DIR, "blobs")));
  }
  return new S3Blobs({
    bucket: settings.S3_BUCKET,
    region: settings.S3_REGION,
    prefix: settings.S3_PREFIX ?? "",
    endpoint: settings.S3_ENDPOINT,
    forcePathStyle: settings.S3_FORCE_PATH_STYLE,
  });
}
