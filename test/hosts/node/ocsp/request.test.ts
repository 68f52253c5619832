import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import test from "ava";
import fc from "fast-check";
import { issue } from "../../../../certs/certificate.js";
import { basicConstraints } from "../../../../certs/extensions.js";
import { credential } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { ocspRequest } from "../../../../hosts/node/ocsp/request.js";
import { readSubject } from "../../../../hosts/node/ocsp/subject.js";
import { fault, named } from "../../../faults.js";
import { openssl } from "../../../peers/openssl.js";
import { withPeer } from "../../../peers/with-peer.js";

const directory = mkdtempSync(join(tmpdir(), "ocsp-request-"));
test.after.always(() => rmSync(directory, { recursive: true }));
const testOpenssl = withPeer("openssl");

function subjectOf(edition: "rsa" | "p256", name: string) {
  const [certificate, issuer] = credential(edition, name).chain;
  return readSubject({ certificate, issuer });
}

for (const edition of ["rsa", "p256"] as const)
  for (const hash of ["sha1", "sha256"] as const)
    testOpenssl(`the very bytes that OpenSSL sends, ${edition} ${hash}`, async (t) => {
      for (const [name, issuer] of [
        ["server1", "intermediate1"],
        ["server4", "intermediate2"],
        ["intermediate1", "root"],
      ]) {
        const file = join(directory, `${edition}-${hash}-${name}.der`);
        const files = ["-issuer", credential(edition, issuer).certificateFile];
        files.push(`-${hash}`, "-cert", credential(edition, name).certificateFile);
        await openssl("ocsp", ...files, "-no_nonce", "-reqout", file);
        const [certificate] = credential(edition, name).chain;
        const subject = readSubject({ certificate, issuer: credential(edition, issuer).chain[0] });
        t.deepEqual(ocspRequest(subject, { hash }), readFileSync(file), name);
      }
    });

testOpenssl("OpenSSL reads the nonce", async (t) => {
  const nonce = randomBytes(32);
  const file = join(directory, "nonce.der");
  writeFileSync(file, ocspRequest(subjectOf("p256", "server1"), { nonce }));
  const text = await openssl("ocsp", "-reqin", file, "-req_text");
  t.regex(text, /OCSP Nonce:/);
  t.true(text.replace(/\s/g, "").toLowerCase().includes(nonce.toString("hex")));
  t.regex(text, /Serial Number: 05/);
});

test("a serial number goes in as it stands in the certificate", (t) => {
  const key = newKey("p256");
  const extensions = { constraints: basicConstraints(true) };
  const ca = issue(undefined, { serial: 1, subject: "ca", key, extensions });
  const serials = fc.uint8Array({ minLength: 1, maxLength: 20 }).filter(isShortest);
  fc.assert(
    fc.property(serials, (contents) => {
      const serialNumber = Buffer.from([2, contents.length, ...contents]);
      const { der } = issue(ca, { subject: "leaf", key, extensions, fields: { serialNumber } });
      const request = ocspRequest(readSubject({ certificate: der, issuer: ca.der }));
      const [{ reqCert }] = AsnConvert.parse(request, OCSPRequest).tbsRequest.requestList;
      t.deepEqual(Buffer.from(reqCert.serialNumber), Buffer.from(contents));
    }),
    { numRuns: 40 },
  );
});

/** X.690 8.3.2: the first nine bits of an INTEGER are neither all ones nor all zeros. */
function isShortest([first, second]: Uint8Array): boolean {
  return second === undefined || !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
}

test("@peculiar/asn1-ocsp reads and writes the same, with a nonce of any length that a client may send", (t) => {
  for (const length of [1, 32, 80, 127, 128]) {
    const nonce = randomBytes(length);
    const der = ocspRequest(subjectOf("rsa", "server1"), { hash: "sha256", nonce });
    const request = AsnConvert.parse(der, OCSPRequest);
    t.deepEqual(Buffer.from(AsnConvert.serialize(request)), der);
    const [{ extnValue }] = request.tbsRequest.requestExtensions!;
    t.deepEqual(Buffer.from(AsnConvert.parse(extnValue.buffer, OctetString).buffer), nonce);
  }
});

test("what is no certificate is refused", (t) => {
  const [certificate] = credential("p256", "server1").chain;
  const issuer = Buffer.from("no certificate");
  t.is(named(fault(() => readSubject({ certificate, issuer }))), "CERT_MALFORMED");
});
