import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { StapleDirectory } from "../../../../hosts/node/ocsp/directory.js";

test("a directory that is gone: the reason is that of writing, not of tidying up after it", async (t) => {
  const path = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => {
    const directory = new StapleDirectory(path, 100, 10, (error) => resolve(error as NodeJS.ErrnoException));
    rmSync(path, { recursive: true });
    directory.save("0".repeat(64), Buffer.alloc(9));
  });
  const { code, syscall } = await failed;
  t.deepEqual([code, syscall], ["ENOENT", "open"]);
});
