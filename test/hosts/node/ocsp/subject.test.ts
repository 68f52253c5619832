import test from "ava";
import { issue } from "../../../../certs/certificate.js";
import { implicit, oid, sequence } from "../../../../certs/der.js";
import { basicConstraints, directoryName, extension } from "../../../../certs/extensions.js";
import { credential } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { describeCertificate } from "../../../../hosts/node/common/describe.js";
import { readSubject } from "../../../../hosts/node/ocsp/subject.js";
import { fault, named } from "../../../faults.js";

const key = newKey("p256");
const constraints = basicConstraints(true);
const ca = issue(undefined, { serial: 1, subject: "ca", key, extensions: { constraints } });

/** A certificate with these AccessDescriptions. */
function certificateWith(...descriptions: Buffer[]): Buffer {
  const access = extension("1.3.6.1.5.5.7.1.1", false, sequence(...descriptions));
  return issue(ca, { subject: "leaf", key, extensions: { access } }).der;
}

const urlsOf = (certificate: Buffer) => readSubject({ certificate, issuer: ca.der }).urls;

const ocsp = "1.3.6.1.5.5.7.48.1";
const caIssuers = "1.3.6.1.5.5.7.48.2";
const uri = (text: string) => implicit(6, Buffer.from(text));
const access = (method: string, location: Buffer) => sequence(oid(method), location);

test("the responders that a certificate names: those by http and https, four at most", (t) => {
  const urls = urlsOf(
    certificateWith(
      access(caIssuers, uri("http://issuers.test/ca.der")),
      access(ocsp, directoryName(ca.name)),
      access(ocsp, uri("ldap://ocsp.test")),
      access(ocsp, uri("http://1.test")),
      access(ocsp, implicit(2, Buffer.from("http://dns-name.test"))),
      access(ocsp, uri("HTTPS://2.test/path")),
      access(ocsp, uri("http://3.test")),
      access(ocsp, uri("http://4.test")),
      access(ocsp, uri("http://5.test")),
    ),
  );
  t.deepEqual(urls, ["http://1.test", "HTTPS://2.test/path", "http://3.test", "http://4.test"]);
});

test("one that names none", (t) => {
  t.deepEqual(urlsOf(issue(ca, { subject: "leaf", key, extensions: { constraints } }).der), []);
  t.deepEqual(urlsOf(certificateWith()), []);
});

test("@peculiar/asn1-x509 reads the same", (t) => {
  for (const edition of ["p256", "rsa"] as const)
    for (const name of ["server1", "server2", "server3", "server4", "must-staple", "intermediate1", "root"]) {
      const [certificate] = credential(edition, name).chain;
      const expected = describeCertificate(certificate).ocspResponders;
      t.deepEqual(readSubject({ certificate, issuer: certificate }).urls, expected, name);
    }
});

test("an extension that is malformed is the certificate's fault", (t) => {
  const whole = access(ocsp, uri("http://1.test"));
  for (const malformed of [
    sequence(oid(ocsp)),
    sequence(uri("http://1.test")),
    sequence(oid(ocsp), uri("http://1.test"), uri("http://2.test")),
    whole.subarray(0, -1),
  ])
    t.is(named(fault(() => urlsOf(certificateWith(malformed)))), "CERT_MALFORMED");
});
